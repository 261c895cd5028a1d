/** The SQLite store beyond the contract of all stores: files, owners, processes, and its errors. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { storeContract } from "../../runtime/stores/contract.js";
import { driverFor, loadDriver } from "../../runtime/stores/sqlite-driver.js";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import type { StoreOwner, Write } from "../../runtime/stores/store.js";
import { sampleEvents, sampleManifest, sampleRun, temporaryFolder } from "./sample.js";

const hasNodeSqlite = process.getBuiltinModule("node:sqlite" as "node:fs") !== undefined;
const drivers = hasNodeSqlite ? (["libsql", "node:sqlite"] as const) : (["libsql"] as const);

async function openOwner(path: string): Promise<StoreOwner> {
  const owner = await sqliteStore(path).open();
  onTestFinished(() => owner.close());
  return owner;
}

const code = (expected: string): object => expect.objectContaining({ code: expected });

describe.each(drivers)("with %s", (driver) => {
  const makeStore = () => sqliteStore(join(temporaryFolder(), "a.db"), { driver });
  test.each(storeContract(makeStore))("$name", ({ run }) => run());

  test("a commit of many runs is read back as it was written", async () => {
    const path = join(temporaryFolder(), "a.db");
    const owner = await sqliteStore(path, { driver }).open();
    const ids = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    await owner.commit([
      { kind: "define", manifest: sampleManifest },
      ...ids.map((id): Write => ({ kind: "create", run: sampleRun(id) })),
      ...ids.map((id): Write => ({ kind: "append", run: id, events: sampleEvents(0, 3) })),
      ...ids.map((id): Write => ({ kind: "append", run: id, events: sampleEvents(3, 5) })),
    ]);
    const reader = await sqliteStore(path, { driver }).reader();
    for (const store of [owner, reader]) {
      expect(await store.run("run-7")).toEqual(sampleRun("run-7"));
      expect(await store.events("run-49")).toEqual(sampleEvents(0, 5));
      expect(await store.events("run-0", 3)).toEqual(sampleEvents(4, 5));
      expect(await store.definition("sha256-1")).toEqual(sampleManifest);
      expect((await store.runs({ after: "run-9", limit: 3 })).map(({ id }) => id)).toEqual([
        "run-10",
        "run-11",
        "run-12",
      ]);
    }
    await owner.close();
    // All of it is in the one file now, so that a copy of it is whole.
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    expect(await reader.owned()).toBe(false);
    expect(await reader.events("run-49")).toHaveLength(5);
    await reader.close();
  });

  test("a file that one driver wrote is one that the other reads", async () => {
    const path = join(temporaryFolder(), "a.db");
    const owner = await sqliteStore(path, { driver }).open();
    await owner.commit([{ kind: "create", run: sampleRun("run-1") }]);
    await owner.close();
    for (const other of drivers) {
      const reader = await sqliteStore(path, { driver: other }).reader();
      expect(await reader.run("run-1")).toEqual(sampleRun("run-1"));
      await reader.close();
    }
  });
});

describe("a commit is all or nothing", () => {
  test("when one of its writes is wrong", async () => {
    const owner = await openOwner(join(temporaryFolder(), "a.db"));
    await owner.commit([{ kind: "create", run: sampleRun("run-1") }]);
    const writes: readonly (readonly [string, Write])[] = [
      ["store-no-run", { kind: "append", run: "nobody", events: sampleEvents(0, 1) }],
      ["store-run-exists", { kind: "create", run: sampleRun("run-1") }],
    ];
    for (const [expected, wrong] of writes) {
      const created: Write = { kind: "create", run: sampleRun("run-2") };
      const appended: Write = { kind: "append", run: "run-1", events: sampleEvents(0, 20) };
      await expect(owner.commit([created, appended, wrong])).rejects.toThrow(code(expected));
      expect(await owner.run("run-2")).toBeUndefined();
      expect(await owner.events("run-1")).toEqual([]);
    }
    // What the failed commits had prepared does not appear later, and run-2 is not remembered.
    await expect(
      owner.commit([{ kind: "append", run: "run-2", events: sampleEvents(0, 1) }]),
    ).rejects.toThrow(code("store-no-run"));
    await owner.commit([{ kind: "append", run: "run-1", events: sampleEvents(0, 1) }]);
    expect(await owner.events("run-1")).toEqual(sampleEvents(0, 1));
  });

  test("when an event's number is taken", async () => {
    const owner = await openOwner(join(temporaryFolder(), "a.db"));
    await owner.commit([
      { kind: "create", run: sampleRun("run-1") },
      { kind: "append", run: "run-1", events: sampleEvents(0, 2) },
    ]);
    await expect(
      owner.commit([{ kind: "append", run: "run-1", events: sampleEvents(1, 3) }]),
    ).rejects.toThrow(code("store-conflict"));
    expect(await owner.events("run-1")).toEqual(sampleEvents(0, 2));
  });
});

describe("one owner", () => {
  test("a second one is refused, in the same process and by another name of the file", async () => {
    const folder = temporaryFolder();
    const owner = await openOwner(join(folder, "a.db"));
    await expect(sqliteStore(join(folder, "a.db")).open()).rejects.toThrow(code("store-owned"));
    await expect(sqliteStore(join(folder, ".", "x", "..", "a.db")).open()).rejects.toThrow(
      new RegExp(`process ${process.pid} .*end it first`),
    );
    expect(await owner.owned()).toBe(true);
    await owner.close();
    const next = await openOwner(join(folder, "a.db"));
    expect(next.epoch).toBe(owner.epoch + 1);
  });

  test("the writes of a stale owner fail, and write nothing", async () => {
    const path = join(temporaryFolder(), "a.db");
    const owner = await openOwner(path);
    await owner.commit([{ kind: "create", run: sampleRun("run-1") }]);
    const thief = loadDriver()(path);
    thief.exec("UPDATE owner SET epoch = epoch + 1");
    thief.close();
    await expect(
      owner.commit([{ kind: "append", run: "run-1", events: sampleEvents(0, 1) }]),
    ).rejects.toThrow(code("store-lost"));
    expect(await owner.events("run-1")).toEqual([]);
  });
});

describe("with processes", () => {
  function startOwner(path: string): { child: ChildProcess; committed: () => number } {
    const script = fileURLToPath(new URL("./owner-process.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", script, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let last = -1;
    createInterface({ input: child.stdout! }).on("line", (line) => (last = Number(line)));
    return { child, committed: () => last };
  }

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await sleep(5);
  }

  test("a reader sees the owner's runs, sends it requests, and sees when it is killed", async () => {
    const path = join(temporaryFolder(), "a.db");
    const { child, committed } = startOwner(path);
    await until(() => committed() >= 20);

    const reader = await sqliteStore(path).reader();
    onTestFinished(() => reader.close());
    expect(await reader.owned()).toBe(true);
    await expect(sqliteStore(path).open()).rejects.toThrow(`process ${child.pid} `);
    expect(await reader.run("run-20")).toMatchObject({ id: "run-20" });
    const request = await reader.request("pause", "run-1", "{}");
    await until(async () => (await reader.answer(request)) !== undefined);
    expect(await reader.answer(request)).toEqual({ ok: true, value: '"did pause"' });

    child.kill("SIGKILL");
    await once(child, "exit");
    const acknowledged = committed();
    expect(await reader.owned()).toBe(false);
    const next = await openOwner(path);
    const runs = await next.runs({ status: ["running"], limit: 100_000 });
    expect(runs.length).toBeGreaterThan(acknowledged);
    // All or nothing: each run that is there has its first event.
    for (const { id } of runs.slice(-3)) expect(await next.events(id)).toHaveLength(1);
    await next.commit([{ kind: "append", run: "run-0", events: sampleEvents(1, 2) }]);
  });
});

describe("what is no store", () => {
  test("is refused by owner and reader, and stays as it was", async () => {
    const folder = temporaryFolder();
    const text = join(folder, "notes.txt");
    writeFileSync(text, "These are notes and not a database. ".repeat(40));
    const foreign = join(folder, "foreign.db");
    const connection = loadDriver()(foreign);
    connection.exec("CREATE TABLE theirs (a INTEGER)");
    connection.close();
    const later = join(folder, "later.db");
    const owner = await sqliteStore(later).open();
    await owner.close();
    const update = loadDriver()(later);
    update.exec("PRAGMA user_version = 99");
    update.close();
    mkdirSync(join(folder, "folder"));
    symlinkSync("loop", join(folder, "loop"));

    const cases: readonly (readonly [string, string])[] = [
      [text, "store-not-a-database"],
      [foreign, "store-not-a-store"],
      [later, "store-version"],
      [join(folder, "folder"), "store-is-a-directory"],
      [join(folder, "nowhere", "a.db"), "store-no-directory"],
      [join(text, "below", "a.db"), "store-no-directory"],
      [join(folder, "loop"), "store-not-reachable"],
    ];
    for (const [path, expected] of cases) {
      const before = [text, foreign, later].includes(path) ? readFileSync(path) : undefined;
      await expect(sqliteStore(path).open(), path).rejects.toThrow(code(expected));
      await expect(sqliteStore(path).reader(), path).rejects.toThrow(code(expected));
      if (before) expect(readFileSync(path).equals(before), path).toBe(true);
    }
    expect(existsSync(`${text}-owner`)).toBe(false);
    expect(existsSync(`${foreign}-owner`)).toBe(false);
  });

  test("a reader makes no file, and says what is missing", async () => {
    const path = join(temporaryFolder(), "a.db");
    await expect(sqliteStore(path).reader()).rejects.toThrow(code("store-missing"));
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, "");
    await expect(sqliteStore(path).reader()).rejects.toThrow(code("store-empty"));
  });

  test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "a folder that is not writable",
    async () => {
      const folder = temporaryFolder();
      chmodSync(folder, 0o500);
      onTestFinished(() => chmodSync(folder, 0o700));
      await expect(sqliteStore(join(folder, "a.db")).open()).rejects.toThrow(
        code("store-not-writable"),
      );
    },
  );
});

test("a row that something else damaged is an error that names the table", async () => {
  const path = join(temporaryFolder(), "a.db");
  const owner = await openOwner(path);
  await owner.commit([{ kind: "define", manifest: sampleManifest }]);
  const vandal = loadDriver()(path);
  vandal.exec("UPDATE definitions SET manifest = '{'");
  vandal.close();
  await expect(owner.definition("sha256-1")).rejects.toThrow(code("store-corrupt-row"));
});

test("a store that is closed says so to whoever still reads it", async () => {
  const owner = await sqliteStore(join(temporaryFolder(), "a.db")).open();
  await owner.run("r");
  await owner.close();
  await expect(owner.run("r")).rejects.toMatchObject({ code: "store-closed" });
});

test("a file that cannot be made is an error that says so", async () => {
  const path = join(temporaryFolder(), "a.db");
  // Holds for the superuser too, to whom every folder is writable.
  mkdirSync(`${path}-owner`);
  await expect(sqliteStore(path).open()).rejects.toThrow(code("store-not-writable"));
  expect(existsSync(path)).toBe(false);
});

test("the driver is the one that suits the version of Node", () => {
  const chosen = ["20.19.0", "22.13.0", "24.14.0", "24.15.0", "25.6.0", "25.7.0", "26.0.0"];
  expect(chosen.map(driverFor)).toEqual([
    ...["libsql", "libsql", "libsql", "node:sqlite"],
    ...["libsql", "node:sqlite", "node:sqlite"],
  ]);
});

test("opening a store prints no warning", () => {
  const path = join(temporaryFolder(), "a.db");
  const module = new URL("../../runtime/stores/sqlite.ts", import.meta.url).href;
  const script = `import { sqliteStore } from ${JSON.stringify(module)};
    await (await sqliteStore(${JSON.stringify(path)}).open()).close();
    console.log("opened");`;
  const out = execFileSync(
    "sh",
    ["-c", '"$0" --import tsx --input-type=module -e "$1" 2>&1', process.execPath, script],
    { encoding: "utf8" },
  );
  expect(out).toBe("opened\n");
});
