/**
 * Gating on programs whose shape depends on values: on each path the compiled saga starts what the
 * plain method starts, in the same order, with the same inputs, and returns the same.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Batch, load } from "./compile.js";
import { compareByGating, type Params } from "./gating.js";
import { shapedPrograms } from "./shaped-programs.js";
import { lettingRejectionsPass } from "./unhandled.js";

const names = Object.keys(shapedPrograms);
const variants: readonly Params[] = [
  { tag: "m", n: 4, s: "some", on: true, nums: [3, 1, 2] },
  { tag: "m", n: 1, s: "b", on: false, nums: [0, 7] },
  { tag: "m", n: 9, s: "", on: false, nums: [] },
];

describe("the plain method is the specification of what is decided", () => {
  let batch: Batch;
  beforeAll(() => {
    batch = new Batch(Object.values(shapedPrograms));
  });
  afterAll(() => batch.close());

  test.each(names)("%s", async (name) => {
    const result = batch.results[names.indexOf(name)];
    if (result === undefined) throw new Error(`there is no program ${name}`);
    const loaded = await load(result);
    let holds = 0;
    for (const params of variants) {
      const verdict = await lettingRejectionsPass(() => compareByGating(loaded, params));
      expect(verdict.differences, JSON.stringify(params)).toEqual([]);
      holds += verdict.holds;
    }
    expect(holds).toBeGreaterThan(5);
  });

  test("what is generated for them has no type errors", () => {
    expect(batch.typeErrors()).toEqual([]);
  });
});
