/** A run with very many events is removed in commits of a bounded length, over crashes too. */
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDriver } from "../../runtime/stores/sqlite-driver.js";
import type { StoreOwner } from "../../runtime/stores/store.js";
import { prune } from "../../runtime/operating/retention.js";
import { sampleRun, temporaryFolder } from "./sample.js";

const MANY = 12_000;

async function addRun(owner: StoreOwner, id: string, events: number): Promise<void> {
  const log = Array.from(
    { length: events },
    (_, seq) => ({ seq, at: 1, type: "resumed" }) as const,
  );
  await owner.commit([
    { kind: "create", run: sampleRun(id, { status: "succeeded", wakeAt: undefined }) },
    { kind: "append", run: id, events: log },
  ]);
}

test("what is left of it is swept by and by, and touches no run that is added meanwhile", async () => {
  const path = join(temporaryFolder(), "a.db");
  const connection = loadDriver()(path);
  const rows = (table: string): number =>
    Number(connection.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  const first = await sqliteStore(path).open();
  await addRun(first, "long", MANY);
  await first.commit([{ kind: "remove", run: "long" }]);
  expect(await first.run("long")).toBeUndefined();
  expect(await first.log(0, 10)).toEqual([]);
  const left = rows("events");
  expect(left).toBeGreaterThan(5000);
  expect(left).toBeLessThan(MANY);
  // As after a crash: the next owner finds what is left, and gives its number to no other run.
  await first.close();
  const second = await sqliteStore(path).open();
  await addRun(second, "long", 3);
  const { removed, isDone } = await prune(
    { owner: second, now: () => 100, commit: (writes) => second.commit(writes) },
    { olderThanMs: 1000 },
  );
  expect({ removed, isDone }).toEqual({ removed: 0, isDone: true });
  expect(rows("events")).toBe(3);
  expect(rows("kept")).toBe(0);
  expect(await second.events("long")).toHaveLength(3);
  await second.close();
  connection.close();
});

test("many long runs of one commit are no longer a commit than one", async () => {
  const path = join(temporaryFolder(), "a.db");
  const owner = await sqliteStore(path).open();
  const ids = ["a", "b", "c", "d"];
  for (const id of ids) await addRun(owner, id, 4000);
  const connection = loadDriver()(path);
  const events = (): number =>
    Number(connection.prepare("SELECT count(*) AS n FROM events").get()?.["n"]);
  let before = events();
  await owner.commit(ids.map((run) => ({ kind: "remove", run })));
  for (let commits = 1; ; commits++) {
    expect(before - events()).toBeLessThanOrEqual(5001);
    before = events();
    if (!(await owner.unswept(0))) {
      expect(commits).toBe(4);
      break;
    }
    await owner.commit([{ kind: "sweep", answeredBefore: 0 }]);
  }
  // The last row keeps the number that no other event may have.
  expect(before).toBe(1);
  await owner.close();
  connection.close();
});
