/**
 * Kills real processes with SIGKILL, with several runs of different sagas in flight on one SQLite file,
 * also while they recover. `npm run simulate -- --kills` does it at every moment, for as long as wanted.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleProcess } from "./bundle.js";
import { killAndRecover, type Outcome } from "./loop.js";

let worker: string;
beforeAll(async () => {
  worker = await bundleProcess("test/kills/kill-worker.ts");
});
afterAll(() => rmSync(worker, { force: true }));

test("the generated module is current", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const args = ["compiler/bin/steno-compile.js", "test/kills", "--check"];
  execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
});

test("processes that are killed, also while they recover, leave a store and a world that fit, and nothing promised is lost", async () => {
  const outcomes: Outcome[] = [];
  const first = [3, 16, 39, 70];
  for (let place = 0; place < first.length; place += 2) {
    const some = first.slice(place, place + 2);
    outcomes.push(
      ...(await Promise.all(
        some.map((dies, index) => killAndRecover(worker, place + index, [dies, 1 + (dies % 11)])),
      )),
    );
  }
  expect(outcomes.flatMap(({ wrong }) => wrong)).toEqual([]);
  // It looked at something.
  expect(outcomes.flatMap(({ killed }) => killed).filter(Boolean).length).toBeGreaterThan(5);
  expect(outcomes.reduce((sum, { again }) => sum + again, 0)).toBeGreaterThan(2);
});
