/**
 * What disks and people do to a SQLite store: it is cut off, bits flip, the disk is full or becomes
 * read-only, another process holds it. Each ends in an error with a code, or in a right recovery.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  actionContext,
  Coordinator,
  defineSaga,
  type SagaDefinition,
  sqliteStore,
  StenoError,
} from "steno-runtime";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Connection, loadDriver, type SqlValue } from "../../runtime/stores/sqlite-driver.js";
import { action, scriptOf } from "../runtime/sagas.js";
import { bundleProcess } from "../kills/bundle.js";
import { keptLog, until } from "../runtime/watched-store.js";
import { stream } from "../simulate/random.js";
import { type Filled, filling } from "./filling-process.js";
import { temporaryFolder } from "./sample.js";

interface Links {
  act(node: string, from: unknown): Promise<string>;
  undo(): Promise<void>;
}

/** What each action gives is made of what the one before gave: whatever has changed is seen at the end. */
const saga: SagaDefinition<Links, unknown, unknown> = defineSaga({
  manifest: {
    steno: 1,
    name: "Links.saga",
    hash: `sha256-${"1".repeat(64)}`,
    nodes: [action("a"), action("b", ["a"]), action("c", ["b"])],
  },
  nodes: {
    a: { inputs: ({ params }: { readonly params: unknown }) => ["a", params] },
    b: { inputs: ({ a }: { readonly a: unknown }) => ["b", a] },
    c: { inputs: ({ b }: { readonly b: unknown }) => ["c", b] },
  },
  output: (values: { readonly params: unknown; readonly c: unknown }) => [values.params, values.c],
});
const RUNS = 12;

function resultOf(params: unknown): unknown {
  return [params, `c(b(a(${String(params)})))`];
}

/** `before`: is called by each action, with its name. */
function links(before: (node: string) => unknown = () => undefined): Links {
  return {
    act: async (node, from) => {
      await before(node);
      return `${node}(${String(from)})`;
    },
    undo: async () => undefined,
  };
}

function open(path: string, script = links(), busyTimeoutMs = 5000): Promise<Coordinator> {
  const store = sqliteStore(path, { busyTimeoutMs });
  return Coordinator.open({ store, sagas: [saga.on(script)], logger: keptLog() });
}

/** A store as a process left it that ended with runs in flight: the file, and its log of writes. */
function copyOf(path: string, folder: string): string {
  const copy = join(folder, "copy.db");
  for (const end of ["", "-wal"]) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  return copy;
}

let left: string;
/** The events of each run as they were when it was left. */
const logs = new Map<string, readonly unknown[]>();

beforeAll(async () => {
  const folder = temporaryFolderOfAll();
  const path = join(folder, "a.db");
  const script = links((node) => (node === "c" ? new Promise(() => {}) : undefined));
  const coordinator = await open(path, script);
  for (let run = 0; run < RUNS; run++) await coordinator.start(saga, run, { id: `r${run}` });
  const reader = await sqliteStore(path).reader();
  await until(async () => (await reader.events(`r${RUNS - 1}`)).length >= 6);
  // The process is never closed, as if it had been killed.
  mkdirSync(join(folder, "left"));
  left = copyOf(path, join(folder, "left"));
  for (let run = 0; run < RUNS; run++) logs.set(`r${run}`, await reader.events(`r${run}`));
});

function temporaryFolderOfAll(): string {
  return execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
}

/** Opens it and goes on; gives the results of the runs that are there, or the code of the error. */
async function goOn(path: string, script?: Links): Promise<Map<string, unknown> | string> {
  let coordinator: Coordinator;
  try {
    coordinator = await open(path, script);
  } catch (error) {
    return codeOf(error);
  }
  const results = new Map<string, unknown>();
  for (const id of logs.keys()) {
    try {
      const run = await coordinator.run(id);
      if (run !== undefined) results.set(id, await run.result());
    } catch (error) {
      results.set(id, codeOf(error));
    }
  }
  await coordinator.close().catch(codeOf);
  return results;
}

function codeOf(error: unknown): string {
  expect(error).toBeInstanceOf(StenoError);
  const { code, message } = error as StenoError;
  expect(code).not.toBe("internal");
  expect(message.length).toBeGreaterThan(20);
  return code;
}

test("whatever is missing from the end of the log of writes, what is there goes on to the right end", async () => {
  const choose = stream(1, "cut");
  const { length } = readFileSync(`${left}-wal`);
  let all = 0;
  for (let round = 0; round < 12; round++) {
    const folder = temporaryFolder();
    const path = copyOf(left, folder);
    truncateSync(`${path}-wal`, choose(length));
    const found = await goOn(path);
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
    const path = copyOf(left, temporaryFolder());
    // Half of them with all in the file itself.
    if (round % 2 === 0) loadDriver()(path).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const file = round % 2 === 0 ? path : `${path}-wal`;
    const bytes = readFileSync(file);
    for (let flips = 1 + choose(8); flips > 0; flips--) {
      const place = choose(bytes.length);
      bytes[place] = (bytes[place] as number) ^ (1 << choose(8));
    }
    writeFileSync(file, bytes);
    const found = await goOn(path);
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
  return [...logs.keys()].map((_, run) => FIELDS[(round * RUNS + run) % FIELDS.length] as Field);
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
  from = left,
): { path: string; done: string[] } {
  const path = copyOf(from, temporaryFolder());
  const file = loadDriver()(path);
  const done = [...logs.keys()].map((_, run) =>
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
  const before = loadDriver()(left);
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
    const found = await goOn(path, script);
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
  const whole = copyOf(left, temporaryFolder());
  expect(await goOn(whole)).toHaveProperty("size", RUNS);
  let told = 0;
  for (let round = 0; round < 8; round++) {
    const { path, done } = flippedCopy(choose, fieldsOf(round), whole);
    const script = links((node) => {
      throw new Error(`${node} was called again`);
    });
    const found = await goOn(path, script);
    told += toldOf(found, done);
  }
  expect(told).toBeGreaterThan(20);
});

test("a value of a finished run that has changed on the disk is told as damage, and its log can still be read", async () => {
  const path = copyOf(left, temporaryFolder());
  expect(await goOn(path)).toHaveProperty("size", RUNS);
  const other = loadDriver()(path);
  const change = (id: string, sql: string): void => {
    const which = `run = (SELECT key FROM runs WHERE id = '${id}')`;
    other.exec(`UPDATE events SET ${sql} WHERE ${which} AND type = 'succeeded' AND node = ''`);
  };
  // A bit of each: `1` becomes `3`, and a time, which is none, a time.
  change("r1", "value = '3'");
  change("r2", "due_at = 1");
  other.close();
  const found = (await goOn(path)) as Map<string, unknown>;
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
    const path = copyOf(left, temporaryFolder());
    loadDriver()(path).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    truncateSync(path, 1 + choose(readFileSync(path).length - 1));
    const found = await goOn(path);
    codes.add(typeof found === "string" ? found : "opened");
  }
  expect([...codes].some((code) => String(code).startsWith("store-"))).toBe(true);
});

test("another process that holds the file is told by a code, and what was acknowledged goes on after it", async () => {
  const path = join(temporaryFolder(), "a.db");
  const coordinator = await open(path, undefined, 50);
  await (await coordinator.start(saga, 1, { id: "before" })).result();
  const other = loadDriver()(path);
  other.exec("BEGIN IMMEDIATE");
  await expect(coordinator.start(saga, 2, { id: "refused" })).rejects.toMatchObject({
    code: "store-busy",
  });
  await expect(coordinator.start(saga, 2, { id: "lost" })).rejects.toMatchObject({
    code: "store-busy",
  });
  await coordinator.close();
  await expect(open(path, undefined, 50)).rejects.toMatchObject({ code: "store-busy" });
  other.exec("ROLLBACK");
  other.close();
  const next = await open(path);
  onTestFinished(() => next.close());
  expect(await (await next.run("before"))?.result()).toEqual(resultOf(1));
  expect(await next.run("refused")).toBeUndefined();
});

test("whoever holds the file for a moment is waited for, also at the first look at it", async () => {
  const folder = temporaryFolder();
  await (await open(join(folder, "a.db"))).close();
  // libsql may not have closed the first one yet.
  const path = copyOf(join(folder, "a.db"), folder);
  // As one does that is the last to close it: nobody else may even look.
  const holding = `
    const Database = require("libsql");
    const connection = new Database(process.argv[1]);
    connection.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE t (x); ROLLBACK");
    process.stdout.write("held");
    setTimeout(() => process.exit(), 300);`;
  const child = spawn(process.execPath, ["-e", holding, path], { cwd: import.meta.dirname });
  await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  expect(child.exitCode).toBeNull();
  const coordinator = await open(path);
  await coordinator.close();
  expect(child.exitCode ?? (await once(child, "exit"))[0]).toBe(0);
});

/** A small disk of its own, where that is allowed. */
function smallDisk(size: string): string | undefined {
  const folder = temporaryFolder();
  const mounted = join(folder, "disk");
  mkdirSync(mounted);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", mounted], {
      stdio: "ignore",
    });
  } catch {
    return undefined;
  }
  return mounted;
}

describe("a disk", () => {
  test("that is full is told by a code; all that was acknowledged goes on once there is room", async (context) => {
    const disk = smallDisk("512k");
    if (disk === undefined) return context.skip("only root may mount a small disk");
    try {
      const path = join(disk, "a.db");
      const first = await open(path);
      const started: string[] = [];
      const full = await startMany(first, started);
      expect(full).toBe("store-full");
      await first.close().catch(codeOf);
      execFileSync("mount", ["-o", "remount,size=20m", disk]);
      const second = await open(path);
      for (const id of started)
        expect(await (await second.run(id))?.result()).toEqual(resultOf(id));
      await second.close();
      expect(started.length).toBeGreaterThan(3);
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });

  test("that may only be read is told by a code; it goes on where it may be written", async (context) => {
    const disk = smallDisk("20m");
    if (disk === undefined) return context.skip("only root may mount a small disk");
    try {
      const path = copyOf(left, disk);
      execFileSync("mount", ["-o", "remount,ro", disk]);
      await expect(open(path)).rejects.toMatchObject({ code: "store-not-writable" });
      execFileSync("mount", ["-o", "remount,rw", disk]);
      expect(await goOn(path)).toEqual(
        new Map([...logs.keys()].map((id) => [id, resultOf(Number(id.slice(1)))])),
      );
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });
});

test.each([
  ["from the first", 40, 0],
  ["after some runs", 600, 3],
])(
  "a file that may not grow, %s, is told by a code; all that was acknowledged goes on where it may",
  async (_, blocks, atLeast) => {
    const worker = await bundleProcess("test/stores/filling-process.ts");
    onTestFinished(() => rmSync(worker, { force: true }));
    const path = join(temporaryFolder(), "a.db");
    // Blocks of half a kilobyte, and of a whole one in some shells.
    const command = `ulimit -f ${blocks}; exec "${process.execPath}" "${worker}" "${path}"`;
    const said = execFileSync("sh", ["-c", command], { encoding: "utf8" });
    const { code, started } = JSON.parse(said) as Filled;
    expect(code).toBe("store-io");
    expect(started.length).toBeGreaterThanOrEqual(atLeast);
    const sagas = [filling.on(scriptOf((node) => node))];
    const next = await Coordinator.open({ store: sqliteStore(path), sagas, logger: keptLog() });
    onTestFinished(() => next.close());
    for (const id of started) expect(await (await next.run(id))?.result()).toBe(id);
  },
);

/** Starts runs until that fails; gives the code. */
async function startMany(coordinator: Coordinator, started: string[]): Promise<string> {
  for (let run = 0; ; run++) {
    try {
      await coordinator.start(saga, `r${run}`, { id: `r${run}` });
      started.push(`r${run}`);
    } catch (error) {
      return codeOf(error);
    }
  }
}
