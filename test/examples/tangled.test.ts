/**
 * The tangled sagas: each is run whole, then once for each operation that can fail, over a crash-free
 * run. All is done, or all is as it was.
 */
import { Coordinator, memoryStore, type BoundSaga } from "steno-runtime";
import { describe, expect, test } from "vitest";
import { Cloud } from "../../examples/tangled/cloud.js";
import { CreateInstance } from "../../examples/tangled/create-instance.js";
import { createInstance } from "../../examples/tangled/create-instance.saga.js";
import { Audit, CreateProject, Vpcs } from "../../examples/tangled/create-project.js";
import { audit, createProject } from "../../examples/tangled/create-project.saga.js";
import { DeleteVolume } from "../../examples/tangled/delete-volume.js";
import { deleteVolume } from "../../examples/tangled/delete-volume.saga.js";
import { ReplaceRegion } from "../../examples/tangled/replace-region.js";
import { replaceRegion } from "../../examples/tangled/replace-region.saga.js";
import { TakeSnapshot } from "../../examples/tangled/take-snapshot.js";
import { takeSnapshot } from "../../examples/tangled/take-snapshot.saga.js";
import { UpdateInstance } from "../../examples/tangled/update-instance.js";
import { updateInstance } from "../../examples/tangled/update-instance.saga.js";

interface Case {
  readonly things: readonly [id: string, kind: string, of: string, state: string][];
  readonly sagas: (cloud: Cloud) => BoundSaga[];
  readonly start: (coordinator: Coordinator) => Promise<{ result(): Promise<unknown> }>;
  /** What comes of it, and what there is then. */
  readonly result: unknown;
  readonly left: readonly string[];
  /** Operations that may fail without the whole failing: what fails is caught. */
  readonly caught?: true;
}

const cases: Readonly<Record<string, Case>> = {
  "an instance with all that it can have": {
    things: [
      ["p/disk-old", "disk", "p", "detached"],
      ["p/ip", "address", "p", "free"],
    ],
    sagas: (cloud) => [createInstance.on(new CreateInstance(cloud))],
    start: (coordinator) =>
      coordinator.start(createInstance, {
        project: "p",
        name: "vm",
        nics: [{ name: "eth0", address: "10.0.0.1" }, { name: "eth1" }],
        disks: [
          { kind: "create", name: "boot", image: "debian" },
          { kind: "attach", id: "p/disk-old" },
          { kind: "create", name: "data" },
        ],
        external: { kind: "floating", id: "p/ip" },
        start: true,
      }),
    result: {
      id: "p/instance-vm",
      nics: ["p/instance-vm/nic-eth0", "p/instance-vm/nic-eth1"],
      disks: ["p/instance-vm/disk-boot", "p/disk-old", "p/instance-vm/disk-data"],
      external: "p/ip",
    },
    left: [
      "p/disk-old of p/instance-vm: attached",
      "p/instance-vm of p: running",
      "p/instance-vm/disk-boot of p/instance-vm: debian",
      "p/instance-vm/disk-data of p/instance-vm: new",
      "p/instance-vm/nic-eth0 of p/instance-vm: new",
      "p/instance-vm/nic-eth0/address-10.0.0.1 of p/instance-vm/nic-eth0: new",
      "p/instance-vm/nic-eth1 of p/instance-vm: new",
      "p/ip of p/instance-vm: attached",
    ],
  },
  "an instance with nothing": {
    things: [],
    sagas: (cloud) => [createInstance.on(new CreateInstance(cloud))],
    start: (coordinator) =>
      coordinator.start(createInstance, {
        ...{ project: "p", name: "vm", nics: [], disks: [], start: false },
      }),
    result: { id: "p/instance-vm", nics: [], disks: [], external: null },
    left: ["p/instance-vm of p: stopped"],
  },
  "an update of an instance that runs": {
    things: [
      ["vm", "instance", "p", "running"],
      ["a", "disk", "vm", "attached"],
      ["b", "disk", "vm", "attached"],
      ["c", "disk", "vm", "attached"],
    ],
    sagas: (cloud) => [updateInstance.on(new UpdateInstance(cloud))],
    start: (coordinator) =>
      coordinator.start(updateInstance, { instance: "vm", keep: ["b"], size: "big" }),
    result: "vm/size-big",
    left: [
      "a of p: detached",
      "b of vm: attached",
      "c of p: detached",
      "vm of p: running",
      "vm/size-big of vm: new",
    ],
  },
  "an update of an instance that has failed": {
    things: [["vm", "instance", "p", "failed"]],
    sagas: (cloud) => [updateInstance.on(new UpdateInstance(cloud))],
    start: (coordinator) =>
      coordinator.start(updateInstance, { instance: "vm", keep: [], size: "big" }),
    result: "p/instance-replacement",
    left: ["p/instance-replacement of p: new"],
  },
  "a snapshot of an attached disk": {
    things: [
      ["vm", "instance", "p", "running"],
      ["d", "disk", "vm", "attached"],
    ],
    sagas: (cloud) => [takeSnapshot.on(new TakeSnapshot(cloud))],
    start: (coordinator) => coordinator.start(takeSnapshot, { disk: "d", name: "s" }),
    result: "d/snapshot-s",
    left: [
      "d of vm: attached",
      "d/snapshot-s of d: taken by instance",
      "d/snapshot-s/copy-east of d/snapshot-s: new",
      "d/snapshot-s/copy-west of d/snapshot-s: new",
      "vm of p: running",
    ],
  },
  "a snapshot of a detached disk": {
    things: [["d", "disk", "p", "detached"]],
    sagas: (cloud) => [takeSnapshot.on(new TakeSnapshot(cloud))],
    start: (coordinator) => coordinator.start(takeSnapshot, { disk: "d", name: "s" }),
    result: "d/snapshot-s",
    left: [
      "d of p: detached",
      "d/snapshot-s of d: taken by helper",
      "d/snapshot-s/copy-east of d/snapshot-s: new",
      "d/snapshot-s/copy-west of d/snapshot-s: new",
    ],
  },
  "a volume of which one region is held": {
    things: [
      ["v", "volume", "p", "ready"],
      ["v/1", "replica", "v", "ready"],
      ["v/2", "replica", "v", "ready"],
      ["v/1/a", "attachment", "v/1", "free"],
      ["v/2/a", "attachment", "v/2", "free"],
      ["v/2/b", "attachment", "v/2", "held"],
    ],
    sagas: (cloud) => [deleteVolume.on(new DeleteVolume(cloud))],
    start: (coordinator) => coordinator.start(deleteVolume, { volume: "v" }),
    result: { removed: ["v/1"], orphaned: ["v/2"] },
    left: ["v of p: deleting", "v/2 of v: orphaned", "v/2/a of v/2: free", "v/2/b of v/2: held"],
    caught: true,
  },
  "a region that is replaced": {
    things: [["r", "region", "v", "ready"]],
    sagas: (cloud) => [replaceRegion.on(new ReplaceRegion(cloud))],
    start: (coordinator) =>
      coordinator.start(replaceRegion, { region: "r", name: "new", pause: 1, attempts: 4 }),
    result: "v/region-new",
    left: ["v/region-new of v: copied"],
  },
};

/** What the cloud does by itself: a region becomes ready, and copies, while it is looked at. */
class LivelyCloud extends Cloud {
  override get(id: string): ReturnType<Cloud["get"]> {
    const thing = super.get(id);
    if (thing.kind !== "region" || thing.of === "nobody") return thing;
    const next =
      thing.state === "new" ? "ready" : thing.state.startsWith("copying") ? "copied" : "";
    if (next !== "") this.put({ ...thing, state: next });
    return thing;
  }
}

async function run(each: Case, failAt: number) {
  const cloud = new LivelyCloud();
  for (const [id, kind, of, state] of each.things) cloud.put({ id, kind, of, state });
  const before = cloud.print();
  cloud.failAt = failAt;
  const coordinator = await Coordinator.open({ store: memoryStore(), sagas: each.sagas(cloud) });
  const outcome = await (await each.start(coordinator)).result().then(
    (result) => ({ result }),
    (error: { code: string }) => ({ failed: error.code }),
  );
  await coordinator.close();
  return { before, after: cloud.print(), outcome, operations: cloud.operations };
}

describe.each(Object.keys(cases))("%s", (name) => {
  const each = cases[name] as Case;

  test("is done whole", async () => {
    const { outcome, after } = await run(each, 0);
    expect(outcome).toEqual({ result: each.result });
    expect(after.split("\n")).toEqual(each.left);
  });

  test("is undone whole, whichever operation fails", async () => {
    const { operations } = await run(each, 0);
    let failures = 0;
    for (let failAt = 1; failAt <= operations; failAt++) {
      const { outcome, before, after } = await run(each, failAt);
      if (each.caught && "result" in outcome) continue;
      expect(outcome, `operation ${failAt}`).toEqual({ failed: "saga-failed" });
      expect(after, `operation ${failAt}`).toBe(before);
      failures += 1;
    }
    expect(failures).toBeGreaterThan(1);
  });
});

describe("a project", () => {
  const params = { name: "lab", subnets: ["a", "b"], network: "open" } as const;
  const open = async (cloud: Cloud) => {
    const [vpcs, auditor] = [new Vpcs(cloud), new Audit(cloud)];
    const sagas = [createProject.on(new CreateProject(cloud, vpcs, auditor)), audit.on(auditor)];
    return Coordinator.open({ store: memoryStore(), sagas });
  };

  test("has its network, and an audit that is a run of its own", async () => {
    const cloud = new Cloud();
    const coordinator = await open(cloud);
    const created = await (await coordinator.start(createProject, params)).result();
    expect(created).toEqual({
      project: "silo/project-lab",
      vpc: "silo/project-lab/vpc-default",
      audit: "audit-lab",
    });
    const audited = await coordinator.run("audit-lab");
    expect(await audited?.result()).toBe("audit of silo/project-lab/record-created");
    expect(cloud.things.size).toBe(8);
    await coordinator.close();
  });

  test("is undone whole, whichever operation fails, and its audit is not", async () => {
    for (let failAt = 1; failAt <= 7; failAt++) {
      const cloud = new Cloud();
      cloud.failAt = failAt;
      const coordinator = await open(cloud);
      const run = await coordinator.start(createProject, params);
      await expect(run.result()).rejects.toMatchObject({ code: "saga-failed" });
      expect(cloud.print()).toBe("");
      await coordinator.close();
    }
  });
});

test("outside of a run the plain methods that wait or start say so", async () => {
  const cloud = new Cloud();
  const { start } = await import("steno-runtime");
  await expect(start(new Audit(cloud).audit, { project: "p" })).rejects.toMatchObject({
    code: "outside-run",
  });
  await expect(start(new Audit(cloud).audit, { project: "p" }).result()).rejects.toMatchObject({
    code: "outside-run",
  });
});
