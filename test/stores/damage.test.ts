/**
 * What disks do to what is in a SQLite store: it is cut off, bits flip. Each ends in an error with a
 * code, or in a right recovery. Of disks that do not take what is written see `disks.test.ts`.
 */
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { actionContext, sqliteStore } from "steno-runtime";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type Connection, loadDriver, type SqlValue } from "../../runtime/stores/sqlite-driver.js";
import { stream } from "../simulate/random.js";
import { copyOf, goOn, type Left, leaveStore, type Links, links, resultOf } from "./links.js";
import { temporaryFolder } from "./sample.js";

let left: Left;

beforeAll(async () => {
  left = await leaveStore();
});

/** Goes on with all runs that were left. */
function goOnAll(path: string, script?: Links): Promise<Map<string, unknown> | string> {
  return goOn(path, left.logs.keys(), script);
}

test("whatever is missing from the end of the log of writes, what is there goes on to the right end", async () => {
  const choose = stream(1, "cut");
  const { length } = readFileSync(`${left.path}-wal`);
  let all = 0;
  for (let round = 0; round < 12; round++) {
    const folder = temporaryFolder();
    const path = copyOf(left.path, folder);
    truncateSync(`${path}-wal`, choose(length));
    const found = await goOnAll(path);
    // Without any of it there is no store yet: a new one is made.
    if (typeof found === "string") continue;
    for (const [id, result] of found) {
      expect([id, result]).toEqual([id, resultOf(Number(id.slice(1)))]);
    }
    all += found.size;
  }
  expect(all).toBeGreaterThan(0);
});

test("bits that flip in the log of writes or in the file end in a code or in a run, never in a hang", async () => {
  const choose = stream(2, "flip");
  const seen = new Set<string>();
  for (let round = 0; round < 24; round++) {
    const path = copyOf(left.path, temporaryFolder());
    // Half of them with all in the file itself.
    if (round % 2 === 0) loadDriver()(path).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const file = round % 2 === 0 ? path : `${path}-wal`;
    const bytes = readFileSync(file);
    for (let flips = 1 + choose(8); flips > 0; flips--) {
      const place = choose(bytes.length);
      bytes[place] = (bytes[place] as number) ^ (1 << choose(8));
    }
    writeFileSync(file, bytes);
    const found = await goOnAll(path);
    if (typeof found === "string") seen.add(found);
    else {
      for (const [id, result] of found) {
        if (typeof result !== "string") {
          expect([id, result]).toEqual([id, resultOf(Number(id.slice(1)))]);
        }
        seen.add(typeof result === "string" ? result : "result");
      }
    }
  }
  expect([...seen]).toContain("result");
});

/** What is in a row of a run, and in one of an event; keys of rows are no values. */
const COLUMNS = {
  runs: "id saga hash nonce params status reason output error created_at updated_at wake_at row_sum state_sum",
  events: "run seq at type node attempt value due_at sum",
} as const;
const FIELDS = Object.entries(COLUMNS).flatMap(([table, names]) =>
  names.split(" ").map((column) => ({ table, column })),
);

type Field = (typeof FIELDS)[number];

const VALUES: Field = { table: "events", column: "value" };

/** Of each run another: after a few rounds all were. */
function fieldsOf(round: number): readonly Field[] {
  return [...left.logs.keys()].map(
    (_, run) => FIELDS[(round * left.logs.size + run) % FIELDS.length] as Field,
  );
}
type Choose = (below: number) => number;

/** Changes one bit of a field of a run, or of one of its events. */
function flip(file: Connection, run: number, { table, column }: Field, choose: Choose): string {
  const key = `SELECT key FROM runs WHERE id = 'r${run}'`;
  const which = table === "runs" ? `key = (${key})` : `run = (${key})`;
  const rows = file.prepare(`SELECT rowid AS row, ${column} AS old FROM ${table} WHERE ${which}`);
  const all = rows.all();
  const { row, old } = all[choose(all.length)] as { row: number; old: SqlValue };
  const changed = typeof old === "string" ? flippedText(old, choose) : flippedNumber(old, choose);
  try {
    file.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(changed, row);
  } catch {
    // There is such a row already.
  }
  return `${table}.${column} of r${run}: ${String(old)} is ${String(changed)}`;
}

function flippedText(text: string, choose: Choose): string {
  const bytes = Buffer.from(text);
  const place = choose(bytes.length);
  bytes[place] = (bytes[place] as number) ^ (1 << choose(7));
  return bytes.toString();
}

/** What is nothing becomes a number. */
function flippedNumber(old: SqlValue, choose: Choose): number {
  const before = BigInt((old as number | null) ?? 0);
  return Number(before ^ (1n << BigInt(choose(45))));
}

/** A copy of the store in which a bit of each run has flipped, each in another field; and what was done. */
function flippedCopy(
  choose: Choose,
  fields: readonly Field[],
  from = left.path,
): { path: string; done: string[] } {
  const path = copyOf(from, temporaryFolder());
  const file = loadDriver()(path);
  const done = [...left.logs.keys()].map((_, run) =>
    flip(file, run, fields[run % fields.length] as Field, choose),
  );
  file.close();
  return { path, done };
}

/** Of how many runs damage was told; what any other came to is what it came to before. */
function toldOf(found: Map<string, unknown> | string, done: readonly string[]): number {
  expect(found).toBeInstanceOf(Map);
  const results = [...(found as Map<string, unknown>)];
  const whole = results.filter(([, result]) => typeof result !== "string");
  for (const [id, result] of whole) {
    const run = Number(id.slice(1));
    expect([done[run], result]).toEqual([done[run], resultOf(run)]);
  }
  return results.length - whole.length;
}

test("a bit that flips anywhere in what is stored of a run is told, or changes nothing that it comes to", async () => {
  const choose = stream(4, "fields");
  const nonces = new Map<string, string>();
  const before = loadDriver()(left.path);
  for (const { id, nonce } of before.prepare("SELECT id, nonce FROM runs").all()) {
    nonces.set(String(id), String(nonce));
  }
  before.close();
  let told = 0;
  for (let round = 0; round < 12; round++) {
    // The last ones in values alone, which are what the run goes on from.
    const { path, done } = flippedCopy(choose, round < 8 ? fieldsOf(round) : [VALUES]);
    const keys: string[] = [];
    const script = links(() => {
      const { sagaId, idempotencyKey } = actionContext();
      keys.push(`${sagaId} ${idempotencyKey.split(".")[0] ?? ""}`);
    });
    const found = await goOnAll(path, script);
    told += toldOf(found, done);
    for (const key of keys) {
      const [id = ""] = key.split(" ");
      expect([done, key]).toEqual([done, `${id} ${nonces.get(id)}`]);
    }
  }
  expect(told).toBeGreaterThan(20);
});

test("nor do the results of finished runs change, or go without a word", async () => {
  const choose = stream(5, "fields");
  const whole = copyOf(left.path, temporaryFolder());
  expect(await goOnAll(whole)).toHaveProperty("size", left.logs.size);
  let told = 0;
  for (let round = 0; round < 8; round++) {
    const { path, done } = flippedCopy(choose, fieldsOf(round), whole);
    const script = links((node) => {
      throw new Error(`${node} was called again`);
    });
    const found = await goOnAll(path, script);
    told += toldOf(found, done);
  }
  expect(told).toBeGreaterThan(20);
});

test("a value of a finished run that has changed on the disk is told as damage, and its log can still be read", async () => {
  const path = copyOf(left.path, temporaryFolder());
  expect(await goOnAll(path)).toHaveProperty("size", left.logs.size);
  const other = loadDriver()(path);
  const change = (id: string, sql: string): void => {
    const which = `run = (SELECT key FROM runs WHERE id = '${id}')`;
    other.exec(`UPDATE events SET ${sql} WHERE ${which} AND type = 'succeeded' AND node = ''`);
  };
  // A bit of each: `1` becomes `3`, and a time, which is none, a time.
  change("r1", "value = '3'");
  change("r2", "due_at = 1");
  other.close();
  const found = (await goOnAll(path)) as Map<string, unknown>;
  expect([found.get("r0"), found.get("r1"), found.get("r2")]).toEqual([
    resultOf(0),
    "corrupt-log",
    "corrupt-log",
  ]);
  const reader = await sqliteStore(path).reader();
  onTestFinished(() => reader.close());
  expect((await reader.events("r1")).at(-1)).toMatchObject({ value: "3", damaged: true });
});

test("a file that is cut off is told as damaged, or is whole where it was cut", async () => {
  const choose = stream(3, "truncate");
  const codes = new Set<unknown>();
  for (let round = 0; round < 8; round++) {
    const path = copyOf(left.path, temporaryFolder());
    loadDriver()(path).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    truncateSync(path, 1 + choose(readFileSync(path).length - 1));
    const found = await goOnAll(path);
    codes.add(typeof found === "string" ? found : "opened");
  }
  expect([...codes].some((code) => String(code).startsWith("store-"))).toBe(true);
});
