/** The provision example: what its subsaga reserved is released with everything else. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Coordinator, memoryStore } from "steno-runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Servers } from "../../examples/provision/allocate-server.js";
import { allocate } from "../../examples/provision/allocate-server.saga.js";
import { Cloud } from "../../examples/provision/cloud.js";
import { Provision } from "../../examples/provision/provision.js";
import { provision } from "../../examples/provision/provision.saga.js";

const params = { name: "web", network: "lan", gigabytes: 8 };
let directory: string;
let cloud: Cloud;
let instance: Provision;
let coordinator: Coordinator;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "steno-cloud-"));
  cloud = new Cloud(join(directory, "cloud.json"), { "rack-1": 1, "rack-2": 1 });
  const servers = new Servers(cloud);
  instance = new Provision(cloud, servers);
  vi.spyOn(console, "log").mockReturnValue();
  coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [provision.on(instance), allocate.on(servers)],
  });
});
afterEach(async () => {
  await coordinator.close();
  rmSync(directory, { recursive: true });
  vi.restoreAllMocks();
});

const kinds = (): string[] => [...new Set(cloud.list().map(({ kind }) => kind))].sort();

test("an instance has everything that it needs, on the server with room", async () => {
  const first = await (await coordinator.start(provision, params)).result();
  const second = await (await coordinator.start(provision, params)).result();
  expect([first.server, second.server]).toEqual(["rack-1", "rack-2"]);
  expect(kinds()).toEqual(["attachment", "boot", "instance", "ip", "reservation", "volume"]);
  expect(cloud.list()).toHaveLength(12);
});

test("when it does not boot, nothing is left, in the subsaga neither", async () => {
  vi.spyOn(instance, "boot").mockRejectedValue(new Error("no power"));
  const run = await coordinator.start(provision, params);
  await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: "boot" });
  expect(cloud.list()).toEqual([]);
});

test("when the subsaga fails, what was beside it and before it is undone", async () => {
  await (await coordinator.start(allocate, { instance: "a" })).result();
  vi.spyOn(cloud, "serverWithRoom").mockImplementation(() => {
    throw new Error("no server has room for another instance");
  });
  const run = await coordinator.start(provision, params);
  await expect(run.result()).rejects.toMatchObject({ node: "allocation/server" });
  expect(kinds()).toEqual(["reservation"]);
});
