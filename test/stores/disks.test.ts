/**
 * Disks that do not take what is written to a SQLite store, and others that hold its file. Each ends in
 * an error with a code, and what was acknowledged is there. Of damage see `damage.test.ts`.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Coordinator, sqliteStore } from "steno-runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadDriver } from "../../runtime/stores/sqlite-driver.js";
import { bundleProcess } from "../kills/bundle.js";
import { scriptOf } from "../runtime/sagas.js";
import { keptLog } from "../runtime/watched-store.js";
import { type Filled, filling } from "./filling-process.js";
import { codeOf, copyOf, goOn, leaveStore, open, resultOf, saga } from "./links.js";
import { temporaryFolder } from "./sample.js";

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
      const left = await leaveStore();
      const path = copyOf(left.path, disk);
      execFileSync("mount", ["-o", "remount,ro", disk]);
      await expect(open(path)).rejects.toMatchObject({ code: "store-not-writable" });
      execFileSync("mount", ["-o", "remount,rw", disk]);
      expect(await goOn(path, left.logs.keys())).toEqual(
        new Map([...left.logs.keys()].map((id) => [id, resultOf(Number(id.slice(1)))])),
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
