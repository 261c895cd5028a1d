/**
 * The examples, verified as users verify their own: each way to go wrong ends with all done or all
 * undone, and no node, arm or length of a list is left out.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifySaga, type VerifyReport } from "steno-runtime/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Servers } from "../../examples/provision/allocate-server.js";
import { Cloud as Racks } from "../../examples/provision/cloud.js";
import { Provision } from "../../examples/provision/provision.js";
import { provision } from "../../examples/provision/provision.saga.js";
import { Cloud } from "../../examples/tangled/cloud.js";
import { Audit, CreateProject, Vpcs } from "../../examples/tangled/create-project.js";
import { audit, createProject } from "../../examples/tangled/create-project.saga.js";
import { DeleteVolume } from "../../examples/tangled/delete-volume.js";
import { deleteVolume } from "../../examples/tangled/delete-volume.saga.js";
import { TakeSnapshot } from "../../examples/tangled/take-snapshot.js";
import { takeSnapshot } from "../../examples/tangled/take-snapshot.saga.js";
import { Agency, type Booking, type Entry, type Kind } from "../../examples/trip/agency.js";
import { BookTrip } from "../../examples/trip/book-trip.js";
import { bookTrip } from "../../examples/trip/book-trip.saga.js";

beforeEach(() => void vi.spyOn(console, "log").mockReturnValue());
afterEach(() => vi.restoreAllMocks());

/** Nodes and arms that were not reached, lengths of lists aside. */
function missed({ notReached }: VerifyReport): readonly string[] {
  return notReached.filter((each) => !each.startsWith("the list of"));
}

/** Answers as the booking server does. */
class FakeAgency extends Agency {
  readonly entries = new Map<string, Entry>();

  constructor() {
    super("http://nowhere.invalid");
  }
  override async book(kind: Kind, what: string, key: string): Promise<Booking> {
    const known = this.entries.get(key);
    const entry = known ?? { id: `${kind} ${key}`, kind, what, status: "booked" };
    this.entries.set(key, entry);
    return { id: entry.id, kind, what };
  }
  override async cancel(id: string): Promise<void> {
    for (const [key, entry] of this.entries) {
      if (entry.id === id) this.entries.set(key, { ...entry, status: "cancelled" });
    }
  }
  booked(): readonly Kind[] {
    const all = [...this.entries.values()].filter(({ status }) => status === "booked");
    return all.map(({ kind }) => kind).sort();
  }
}

test("a trip is booked whole or not at all", async () => {
  const report = await verifySaga(bookTrip, {
    world: () => new FakeAgency(),
    instance: (agency) => new BookTrip(agency),
    params: { card: "1", price: 9, hotel: "Grand", flight: "LH", car: "van" },
    invariant: ({ outcome, world }) => {
      const all = ["car", "flight", "hotel", "payment", "summary"];
      // Nobody wants a summary back, that of a lost answer neither.
      const left = world.booked().filter((kind) => outcome === "succeeded" || kind !== "summary");
      expect(left).toEqual(outcome === "succeeded" ? all : []);
    },
  });
  expect(report.notReached).toEqual([]);
  expect(report.coverage.filter(({ state }) => state !== "passed")).toEqual([]);
});

test("a machine is provisioned whole or not at all, on a disk that outlives the process", async () => {
  const report = await verifySaga(provision, {
    world: () => mkdtempSync(join(tmpdir(), "steno-racks-")),
    dispose: (directory) => rmSync(directory, { recursive: true }),
    instance: (directory) => {
      const racks = new Racks(join(directory, "cloud.json"), { "rack-1": 1 });
      return new Provision(racks, new Servers(racks));
    },
    params: { name: "web", network: "lan", gigabytes: 8 },
    snapshot: (directory) => {
      const list = new Racks(join(directory, "cloud.json"), {}).list();
      return list.map(({ id, of }) => `${id} of ${of}`).sort();
    },
  });
  expect(report.notReached).toEqual([]);
  expect(report.coverage.filter(({ state }) => state !== "passed")).toEqual([]);
});

type Thing = readonly [id: string, kind: string, of: string, state: string];
const cloudOf = (things: readonly Thing[]) => (): Cloud => {
  const cloud = new Cloud();
  for (const [id, kind, of, state] of things) cloud.put({ id, kind, of, state });
  return cloud;
};
const snapshot = (cloud: Cloud): string => cloud.print();

test("a project, whose audit is a run of its own, for no subnet, one and several", async () => {
  const report = await verifySaga(createProject, {
    world: cloudOf([]),
    instance: (cloud) => new CreateProject(cloud, new Vpcs(cloud), new Audit(cloud)),
    sagas: (cloud) => [audit.on(new Audit(cloud))],
    params: [
      { name: "lab", subnets: [], network: "open" },
      { name: "lab", subnets: ["a"], network: "open" },
      { name: "lab", subnets: ["a", "b"], network: "open" },
    ],
    snapshot,
  });
  expect(report.notReached).toEqual([
    "`if:network` never took the arm `then`: give params that take it",
    "`vpc/if:isolated` never took the arm `then`: give params that take it",
    "`vpc/if:router` never took the arm `then`: give params that take it",
    "`audit` starts `Audit.audit`, runs of its own, in which nothing was made to go wrong: verify it, too",
  ]);
});

test("a snapshot, of a disk that is attached and of one that is not", async () => {
  const things: readonly Thing[] = [
    ["vm", "instance", "p", "running"],
    ["d", "disk", "vm", "attached"],
    ["e", "disk", "p", "detached"],
  ];
  const report = await verifySaga(takeSnapshot, {
    world: cloudOf(things),
    instance: (cloud) => new TakeSnapshot(cloud),
    params: [
      { disk: "d", name: "s" },
      { disk: "e", name: "s" },
    ],
    snapshot,
  });
  expect(missed(report)).toEqual([]);
});

test("a volume with a region that is held", async () => {
  const report = await verifySaga(deleteVolume, {
    world: cloudOf([
      ["v", "volume", "p", "ready"],
      ["v/1", "replica", "v", "ready"],
      ["v/2", "replica", "v", "ready"],
      ["v/1/a", "attachment", "v/1", "free"],
      ["v/2/a", "attachment", "v/2", "held"],
      ["w", "volume", "p", "ready"],
      ["w/1", "replica", "w", "ready"],
    ]),
    instance: (cloud) => new DeleteVolume(cloud),
    params: [{ volume: "v" }, { volume: "w" }],
    snapshot,
  });
  expect(missed(report)).toEqual([]);
});
