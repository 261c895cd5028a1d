/** SQLite's log of writes (`-wal`) with damage in it: what was acknowledged must not be gone without a word. */
import { closeSync, copyFileSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sqliteStore } from "steno-runtime";
import { expect, onTestFinished, test } from "vitest";
import type { StoreOwner } from "../../runtime/stores/store.js";
import { stream } from "../simulate/random.js";
import { sampleEvents, sampleRun, temporaryFolder } from "./sample.js";

const FRAME = 4096 + 24;
const COMMITS = 40;

/** A store whose owner has made some commits, each of a run, and lives. */
async function written(): Promise<{ readonly path: string; readonly owner: StoreOwner }> {
  const path = join(temporaryFolder(), "a.db");
  const owner = await sqliteStore(path).open();
  onTestFinished(() => owner.close());
  for (let run = 0; run < COMMITS; run++) {
    await owner.commit([
      { kind: "create", run: sampleRun(`r${run}`) },
      { kind: "append", run: `r${run}`, events: sampleEvents(0, 3) },
    ]);
  }
  return { path, owner };
}

/** The store as it would be found if its process were killed now, with another log of writes if one is given. */
function copyOf(path: string, wal = readFileSync(`${path}-wal`)): string {
  const copy = join(temporaryFolder(), "copy.db");
  copyFileSync(path, copy);
  writeFileSync(`${copy}-wal`, wal);
  return copy;
}

/** Where the newest commit begins: behind the last frame but one that ends one. */
function newestCommitOf(wal: Buffer): number {
  const ends: number[] = [];
  for (let at = 32; at + FRAME <= wal.length; at += FRAME) {
    if (wal.readUInt32BE(at + 4) !== 0) ends.push(at + FRAME);
  }
  return ends.at(-2) ?? 32;
}

test("a log of writes that is damaged is told by a code if more than its newest commit would be lost", async () => {
  const choose = stream(6, "writes");
  const { path } = await written();
  const wal = readFileSync(`${path}-wal`);
  const newest = newestCommitOf(wal);
  expect(newest).toBeGreaterThan(COMMITS * FRAME);
  for (let round = 0; round < 40; round++) {
    const bytes = Buffer.from(wal);
    // Some in what says how the rest is to be read.
    const place = round < 8 ? round * 4 : choose(newest);
    bytes[place] = (bytes[place] as number) ^ (1 << choose(8));
    const copy = copyOf(path, bytes);
    const damaged = { code: "store-corrupt" };
    await expect(sqliteStore(copy).reader(), `byte ${place}`).rejects.toMatchObject(damaged);
    await expect(sqliteStore(copy).open(), `byte ${place}`).rejects.toMatchObject(damaged);
    // For whoever wants to save what can be saved.
    expect(readFileSync(`${copy}-wal`).equals(bytes)).toBe(true);
  }
});

test("a commit that did not come to its end is no damage", async () => {
  const { path } = await written();
  const wal = readFileSync(`${path}-wal`);
  const newest = newestCommitOf(wal);
  // As when the power fails: its frames came to the disk in any order, or not at all.
  const torn = Buffer.from(wal).fill(0, newest + 100, newest + 2000);
  for (const found of [torn, wal.subarray(0, newest + 3000), wal.subarray(0, newest)]) {
    const next = await sqliteStore(copyOf(path, found)).open();
    expect(await next.runs({})).toHaveLength(COMMITS - 1);
    await next.close();
  }
});

/** Each round of a log of writes has another. */
function saltOf(wal: string): number {
  const file = openSync(wal, "r");
  const header = Buffer.alloc(32);
  readSync(file, header);
  closeSync(file);
  return header.readUInt32BE(16);
}

test("what an earlier round of the log of writes has left is no damage", async () => {
  const { path, owner } = await written();
  const salts = new Set<number>();
  for (let seq = 3; salts.size < 3; seq++) {
    const value = JSON.stringify("x".repeat(100_000));
    const event = { type: "event-received", node: "e", at: 1, seq, value } as const;
    await owner.commit([{ kind: "append", run: "r0", events: [event] }]);
    salts.add(saltOf(`${path}-wal`));
    if (seq % 9 !== 0) continue;
    const reader = await sqliteStore(copyOf(path)).reader();
    expect((await reader.events("r0")).at(-1)?.seq).toBe(seq);
    await reader.close();
  }
});
