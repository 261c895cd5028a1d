/** What is known of decisions: which of several values are left, and what is still tested for each. */
import { expect, test } from "vitest";
import { narrow, type Facts } from "../../compiler/emit/conditions.js";
import type { Code, ConditionModel } from "../../compiler/model.js";

const is = (decision: string, arm: string): ConditionModel => ({ decision, arm });
const isNot = (decision: string, arm: string): ConditionModel => ({ decision, arm, not: true });
const code = (text: string): Code => ({ parts: [text], span: { file: "", start: 0, end: 1 } });

/** The texts that are left, each with what is tested for it; `try` is a scope. */
function left(facts: Facts, ...given: readonly (readonly [string, ...ConditionModel[]])[]) {
  const alternatives = given.map(([text, ...when]) => ({ when, code: code(text) }));
  return narrow(alternatives, facts, (node) => node !== "try").map(({ when, code: found }) => [
    found?.parts[0],
    ...when.map(({ decision, arm, not }) => `${decision} ${not ? "not " : ""}${arm}`),
  ]);
}

test("an arm that was taken excludes the others of its decision", () => {
  const given = [["a", is("d", "x")], ["b", is("d", "y")], ["c"]] as const;
  expect(left([], ...given)).toEqual([["a", "d x"], ["b", "d y"], ["c"]]);
  expect(left([is("d", "x")], ...given)).toEqual([["a"]]);
  expect(left([is("d", "y")], ...given)).toEqual([["b"]]);
  expect(left([isNot("d", "x")], ...given)).toEqual([["b", "d y"], ["c"]]);
});

test("the outcomes of a scope do not exclude each other", () => {
  const given = [["a", is("try", "caught")], ["b"]] as const;
  expect(left([is("try", "return")], ...given)).toEqual([["a", "try caught"], ["b"]]);
  expect(left([isNot("try", "caught")], ...given)).toEqual([["b"]]);
});

test("what did not hold is not tested again, and the last has no conditions", () => {
  const given = [
    ["a", is("d", "x")],
    ["b", isNot("d", "x"), is("e", "y")],
    ["c", is("e", "z")],
  ] as const;
  expect(left([], ...given)).toEqual([["a", "d x"], ["b", "e y"], ["c"]]);
});
