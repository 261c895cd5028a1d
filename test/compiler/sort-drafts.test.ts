/** The order of what was read: each after those before it; a circle is an error, and no endless search. */
import { expect, test } from "vitest";
import { sortDrafts, type Draft } from "../../compiler/frontend/methods/graph.js";

/** Drafts of which each knows nothing but those that it is after, by their numbers. */
function drafts(after: readonly (readonly number[])[]): Draft[] {
  const made = after.map((_, index) => ({ fallback: `d${index}`, after: new Map(), when: [] }));
  for (const [index, before] of after.entries()) {
    for (const each of before) made[index]?.after.set(made[each], [[]]);
  }
  return made as unknown as Draft[];
}

const sorted = (after: readonly (readonly number[])[]): string[] =>
  sortDrafts(drafts(after)).map(({ fallback }) => fallback);

test("each comes after those before it, also where two lead to one", () => {
  expect(sorted([[1, 2], [3], [3, 1], []])).toEqual(["d3", "d1", "d2", "d0"]);
  expect(sorted([[], [], [0]])).toEqual(["d0", "d1", "d2"]);
});

test("a long line takes no stack, and many ways to one no time", () => {
  const length = 5_000;
  const line = Array.from({ length }, (_, index) => (index + 1 < length ? [index + 1] : []));
  expect(sorted(line)[0]).toBe(`d${length - 1}`);
  const ladder = Array.from({ length: 300 }, (_, index) =>
    [index + 1, index + 2].filter((each) => each < 300),
  );
  expect(sorted(ladder).length).toBe(300);
});

test.each([[[[0]]], [[[1], [0]]], [[[], [0, 3], [1], [2]]]])("a circle is told: %j", (after) => {
  expect(() => sorted(after)).toThrow(/is after itself/);
});
