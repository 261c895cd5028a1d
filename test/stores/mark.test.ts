/**
 * What is missing at the end of an SQLite store (`-mark` tells): it looks like work that was never
 * committed, and is told. What only looks as if something were missing is not.
 */
import {
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sqliteStore } from "steno-runtime";
import { expect, onTestFinished, test } from "vitest";
import { loadDriver } from "../../runtime/stores/sqlite-driver.js";
import type { StoreOwner } from "../../runtime/stores/store.js";
import { stream } from "../simulate/random.js";
import { sampleEvents, sampleRun, temporaryFolder } from "./sample.js";

const COMMITS = 20;
const FILES = ["", "-wal", "-mark"];

interface Written {
  readonly path: string;
  readonly owner: StoreOwner;
}

async function add(owner: StoreOwner, id: string): Promise<void> {
  await owner.commit([
    { kind: "create", run: sampleRun(id) },
    { kind: "append", run: id, events: sampleEvents(0, 3) },
  ]);
}

/** A store whose owner has made some commits, each of a run, and lives. */
async function written(): Promise<Written> {
  const path = join(temporaryFolder(), "a.db");
  const owner = await sqliteStore(path).open();
  onTestFinished(() => owner.close());
  for (let run = 0; run < COMMITS; run++) await add(owner, `r${run}`);
  return { path, owner };
}

/** The store as it would be found if its process were killed now. */
function copyOf(path: string): string {
  const copy = join(temporaryFolder(), "copy.db");
  for (const end of FILES) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  return copy;
}

function contentOf(path: string): readonly unknown[] {
  return FILES.map((end) => (existsSync(path + end) ? readFileSync(path + end, "latin1") : ""));
}

/** Neither an owner nor a reader takes it for whole, and it stays as it is. */
async function expectBehind(path: string, why: string): Promise<void> {
  const before = contentOf(path);
  const behind = { code: "store-behind" };
  await expect(sqliteStore(path).open(), why).rejects.toMatchObject(behind);
  await expect(sqliteStore(path).reader(), why).rejects.toMatchObject(behind);
  expect(contentOf(path), why).toEqual(before);
}

async function runsOf(path: string): Promise<number> {
  const owner = await sqliteStore(path).open();
  const { length } = await owner.runs({});
  await owner.close();
  return length;
}

test("a log of writes that ends before what was committed is told, wherever it was cut off or damaged", async () => {
  const { path } = await written();
  const wal = readFileSync(`${path}-wal`);
  const choose = stream(1, "mark");
  for (let round = 0; round < 30; round++) {
    const copy = copyOf(path);
    const bytes = Buffer.from(wal);
    // Of the newest commit, whose last page is the last of the file, no frame after it tells.
    const place = wal.length - 1 - choose(4096);
    bytes[place] = (bytes[place] as number) ^ (1 << choose(8));
    if (round % 2 === 0) truncateSync(`${copy}-wal`, choose(wal.length));
    else writeFileSync(`${copy}-wal`, bytes);
    await expectBehind(copy, `round ${round}, byte ${place}`);
  }
});

test("so is one that was removed, an older copy in its place, and a file that was emptied", async () => {
  const { path, owner } = await written();
  const removed = copyOf(path);
  rmSync(`${removed}-wal`);
  await expectBehind(removed, "no -wal");
  const emptied = copyOf(path);
  truncateSync(emptied);
  rmSync(`${emptied}-wal`);
  await expectBehind(emptied, "an empty file");
  const older = copyOf(path);
  await add(owner, "last");
  copyFileSync(`${path}-mark`, `${older}-mark`);
  await expectBehind(older, "an older copy");
  // Nobody has written to it since it was taken over.
  const taken = copyOf(path);
  const next = await sqliteStore(taken).open();
  copyFileSync(`${taken}-mark`, `${older}-mark`);
  await next.close();
  await expectBehind(older, "an older copy of one that was taken over");
  // As the message says.
  rmSync(`${older}-mark`);
  expect(await runsOf(older)).toBe(COMMITS);
});

test("what is in the file itself is not missed from the log of writes", async () => {
  const { path, owner } = await written();
  const folded = copyOf(path);
  const other = loadDriver()(folded);
  other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  other.close();
  rmSync(`${folded}-wal`, { force: true });
  expect(await runsOf(folded)).toBe(COMMITS);
  // The log of writes goes on after a checkpoint: what is cut off of that is missed.
  loadDriver()(path).prepare("PRAGMA wal_checkpoint(RESTART)").get();
  await add(owner, "last");
  const copy = copyOf(path);
  expect(await runsOf(copyOf(path))).toBe(COMMITS + 1);
  truncateSync(`${copy}-wal`, 32);
  await expectBehind(copy, "cut off after a checkpoint");
});

test("nothing is missed where the mark knows less, or nothing", async () => {
  const { path, owner } = await written();
  const mark = readFileSync(`${path}-mark`);
  await add(owner, "last");
  const copy = copyOf(path);
  // As after a loss of power: it was not synced.
  for (const bytes of [mark, mark.subarray(0, 10), Buffer.alloc(24), Buffer.alloc(0)]) {
    writeFileSync(`${copy}-mark`, bytes);
    expect(await runsOf(copy)).toBe(COMMITS + 1);
  }
  rmSync(`${copy}-mark`);
  expect(await runsOf(copy)).toBe(COMMITS + 1);
});

test("nor where runs were removed, a commit was refused, or an earlier version has written", async () => {
  const { path, owner } = await written();
  for (let run = 0; run < COMMITS; run++) {
    await owner.commit([{ kind: "remove", run: `r${run}` }]);
  }
  await owner.commit([{ kind: "sweep", answeredBefore: 0 }]);
  expect(await runsOf(copyOf(path))).toBe(0);
  await add(owner, "new");
  const again = add(owner, "new");
  await expect(again).rejects.toMatchObject({ code: "store-run-exists" });
  expect(await runsOf(copyOf(path))).toBe(1);
  await add(owner, "newer");
  const cut = copyOf(path);
  truncateSync(`${cut}-wal`, readFileSync(`${cut}-wal`).length - 1);
  await expectBehind(cut, "the commit after one that was refused");
  // It knows of no mark, and may have removed the last row.
  const copy = copyOf(path);
  const earlier = loadDriver()(copy);
  earlier.exec("UPDATE owner SET epoch = epoch + 1; DELETE FROM events; DELETE FROM runs");
  earlier.close();
  expect(await runsOf(copy)).toBe(0);
});

test("nor where what was left of the file was packed, and cursors go on", async () => {
  const { path, owner } = await written();
  for (let run = 0; run < COMMITS / 2; run++) {
    await owner.commit([{ kind: "remove", run: `r${run}` }]);
  }
  const before = await owner.log(0, 1000);
  await owner.close();
  const other = loadDriver()(path);
  other.exec("VACUUM");
  other.close();
  const next = await sqliteStore(path).open();
  expect(await next.log(0, 1000)).toEqual(before);
  expect(before).toHaveLength((3 * COMMITS) / 2);
  await next.close();
});

test("a store that was removed is made anew", async () => {
  const path = copyOf((await written()).path);
  for (const end of ["", "-wal"]) rmSync(path + end);
  expect(await runsOf(path)).toBe(0);
  expect(await runsOf(path)).toBe(0);
});

test("who reads while its owner writes misses nothing", async () => {
  const { path, owner } = await written();
  for (let run = 0; run < 50; run++) {
    const reading = sqliteStore(path).reader();
    await add(owner, `more${run}`);
    await (await reading).close();
  }
});

test("a file whose process ended while it was made is taken back, and made a store", async () => {
  const path = join(temporaryFolder(), "a.db");
  const half = loadDriver()(path);
  half.exec("PRAGMA cache_size = 2; BEGIN; CREATE TABLE half (value TEXT)");
  const insert = half.prepare("INSERT INTO half VALUES (?)");
  for (let row = 0; row < 200; row++) insert.run("x".repeat(1000));
  const copy = join(temporaryFolder(), "copy.db");
  for (const end of ["", "-journal"]) copyFileSync(path + end, copy + end);
  expect(await runsOf(copy)).toBe(0);
  half.close();
});
