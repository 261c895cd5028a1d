/**
 * Simulations by seed. That they find what is broken on purpose is in `sabotage.test.ts`; long ones are
 * `npm run simulate`.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Database } from "./fleet-store.js";
import { commandOf, shrink } from "./shrink.js";
import { defaultSetting, simulate } from "./simulate.js";

const SEEDS = 200;
/**
 * Each is as long as forty of the others. They are samples: what a seed does changes with what the runtime
 * says to its database. What such seeds have found is tested where the stores are (`test/stores`).
 */
const FLEETS = [9, 52_700_048];

let database: Database;
beforeAll(async () => {
  database = await Database.start();
});
afterAll(() => database.stop());

test("whatever fails at whatever moment, no run is wrong, half undone or forgotten", async () => {
  const endings = new Map<string, number>();
  let crashes = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const outcome = await simulate(defaultSetting(seed));
    if (outcome.violation !== undefined) {
      const { setting, violation } = await shrink(defaultSetting(seed), outcome.violation);
      expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
    }
    crashes += outcome.crashes;
    for (const [end, times] of outcome.endings) endings.set(end, (endings.get(end) ?? 0) + times);
  }
  // It looked at something.
  expect(crashes).toBeGreaterThan(SEEDS * 3);
  expect(endings.get("succeeded")).toBeGreaterThan(SEEDS / 4);
  expect(endings.get("undone")).toBeGreaterThan(SEEDS / 4);
  expect([...endings.keys()].sort()).toEqual(["succeeded", "undone"]);
});

test("on SQLite, too, no run is wrong, half undone or forgotten", async () => {
  for (let seed = SEEDS; seed < SEEDS + 20; seed++) {
    const setting = { ...defaultSetting(seed), store: "sqlite" } as const;
    const { violation } = await simulate(setting);
    if (violation !== undefined) expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
  }
});

test("with several commits under way, which end in any order, no run is wrong or forgotten", async () => {
  for (let seed = SEEDS + 20; seed < SEEDS + 60; seed++) {
    // More runs than the others have: a run is in one commit at a time.
    const setting = { ...defaultSetting(seed), store: "lanes", runs: 2 + (seed % 5) } as const;
    const { violation } = await simulate(setting);
    if (violation !== undefined) expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
  }
});

test("two coordinators on one PostgreSQL leave no run wrong, half undone, forgotten or written to by both", async () => {
  const seen = { crashes: 0, commits: 0 };
  for (const seed of FLEETS) {
    const setting = defaultSetting(seed, "postgres");
    const { violation, crashes, commits } = await simulate(setting, undefined, database);
    if (violation !== undefined) expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
    seen.crashes += crashes;
    seen.commits += commits;
  }
  expect(seen.crashes).toBeGreaterThan(FLEETS.length);
  expect(seen.commits).toBeGreaterThan(10 * FLEETS.length);
});

test("a run that goes on while its result is read does not tell an end that is not durable", async () => {
  const faults = ["bodies", "commands", "clock", "upgrades"] as const;
  const { violation } = await simulate({ ...defaultSetting(902_262), runs: 3, steps: 55, faults });
  expect(violation).toBeUndefined();
});

test("a seed is one simulation", async () => {
  const seen = async (): Promise<unknown> => {
    const { violation, commits, crashes, endings } = await simulate(defaultSetting(7));
    return [violation, commits, crashes, [...endings]];
  };
  expect(await seen()).toEqual(await seen());
});
