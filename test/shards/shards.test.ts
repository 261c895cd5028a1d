/** The simulation of the sharding plan, with costs that are given: `npm run shards` measures them. */
import { expect, test } from "vitest";
import { type Load, makespan, moved, placed, shardOf, throughput } from "./shards.js";

const COSTS = { commitMs: 3, rowMs: 0.02 };
const LOAD: Load = { runs: 4000, actions: 10, bodyMs: 5 };
const ids = Array.from({ length: LOAD.runs }, (_, index) => `run-${index}`);

test("an id leads to one database, and they have as many runs each", () => {
  expect(shardOf("trip-42", 8)).toBe(shardOf("trip-42", 8));
  const found = placed(ids, 8);
  expect(found.reduce((sum, runs) => sum + runs, 0)).toBe(ids.length);
  for (const runs of found) expect(Math.abs(runs * 8 - ids.length) / ids.length).toBeLessThan(0.2);
});

test("one more database takes its share, and nothing moves between the others", () => {
  for (const shards of [1, 4, 9]) {
    expect(moved(ids, shards)).toBeGreaterThan(0.7 / (shards + 1));
    expect(moved(ids, shards)).toBeLessThan(1.3 / (shards + 1));
    const wrong = ids.filter((id) => {
      const [before, after] = [shardOf(id, shards), shardOf(id, shards + 1)];
      return before !== after && after !== shards;
    });
    expect(wrong).toEqual([]);
  }
});

test("a chain alone takes its commits and bodies, and many share commits", () => {
  expect(makespan(1, LOAD, COSTS)).toBeCloseTo(11 * (3 + 0.04) + 10 * 5);
  expect(makespan(1000, LOAD, COSTS)).toBeLessThan(100 * makespan(1, LOAD, COSTS));
});

test("databases that are full work side by side, unless one has most of the runs", () => {
  const one = throughput([LOAD.runs], LOAD, COSTS);
  expect(throughput(placed(ids, 4), LOAD, COSTS) / one).toBeGreaterThan(2.5);
  expect(throughput([LOAD.runs - 3, 1, 1, 1], LOAD, COSTS) / one).toBeLessThan(1.1);
});
