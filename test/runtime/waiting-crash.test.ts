/**
 * A process is killed, with SIGKILL, at every commit of a run that mostly waits and is not in memory
 * meanwhile; the next process brings the run to its end.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "steno-runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleProcess } from "../kills/bundle.js";
import { open, type Orders, play } from "./waiting-worker.js";

let scratch: string;
let worker: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "steno-waiting-"));
  worker = await bundleProcess("test/runtime/waiting-worker.ts");
});
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  rmSync(worker, { force: true });
});

interface Outcome {
  readonly killed: boolean;
  readonly waited: boolean;
  readonly end: unknown;
  readonly journal: readonly string[];
}

async function crashAt(commits: number, fails: boolean): Promise<Outcome> {
  const folder = mkdtempSync(join(scratch, "run-"));
  const store = join(folder, "a.db");
  const journal = join(folder, "journal");
  const orders: Orders = { store, journal, commits, before: commits % 2 === 0 };
  const args = [worker, JSON.stringify(orders), ...(fails ? ["fails"] : [])];
  const ended = spawn(process.execPath, args, { stdio: "inherit" });
  const signal = await new Promise<string | null>((resolve) =>
    ended.once("exit", (code, by) => resolve(by ?? (code === 0 ? null : `exit ${code}`))),
  );
  expect([null, "SIGKILL"]).toContain(signal);
  const reader = await sqliteStore(store).reader();
  const waited = (await reader.run("run"))?.wakeAt !== 0;
  await reader.close();
  const coordinator = await open(sqliteStore(store), journal);
  const end: unknown = await play(coordinator, fails).catch((error: unknown) => error);
  await coordinator.drain();
  await coordinator.close();
  const noted = existsSync(journal) ? readFileSync(journal, "utf8").trimEnd().split("\n") : [];
  return { killed: signal !== null, waited, end, journal: noted };
}

test.each([
  ["ends", false],
  ["is undone", true],
] as const)("killed at every commit, it %s", { timeout: 300_000 }, async (_title, fails) => {
  const outcomes: Outcome[] = [];
  const atOnce = 4;
  for (let first = 1; outcomes.every(({ killed }) => killed); first += atOnce) {
    const commits = Array.from({ length: atOnce }, (_, i) => first + i);
    outcomes.push(...(await Promise.all(commits.map((commit) => crashAt(commit, fails)))));
  }
  for (const { end, journal } of outcomes) {
    // What one process called, and the next one called again, is said once here.
    const once = journal.filter((line, place) => line !== journal[place - 1]);
    if (fails) {
      expect(end).toMatchObject({ code: "saga-failed", node: "z" });
      expect(once.filter((line) => line !== "c")).toEqual(["a", "fails", "undo a"]);
    } else {
      expect(end).toBe("child");
      expect(once).toEqual(["a", "c", "z"]);
    }
  }
  const killed = outcomes.filter((outcome) => outcome.killed);
  // Two commits are one where what follows is there before the first is under way.
  expect(killed.length).toBeGreaterThan(5);
  expect(killed.filter(({ waited }) => waited).length).toBeGreaterThan(2);
});
