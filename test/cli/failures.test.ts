/** What reports read out of a saga log. */
import { expect, test } from "vitest";
import { historyOf, parseError } from "../../runtime/cli/failures.js";
import { recordError } from "../../runtime/codec/recorded-error.js";
import type { LoggedEvent, SagaEvent } from "../../runtime/events.js";

const logged = (...events: SagaEvent[]): LoggedEvent[] =>
  events.map((event, seq) => ({ ...event, seq }));

const timeout = { type: "in-doubt", value: '"timeout"' } as const;

test("a node counts as in doubt until something is known about it", () => {
  const of = { at: 1, node: "hotel", attempt: 1 };
  expect(historyOf(logged({ ...of, ...timeout })).inDoubt).toEqual([
    { node: "hotel", doubt: "timeout" },
  ]);
  expect(historyOf(logged({ ...of, ...timeout, dueAt: 9 })).inDoubt).toEqual([]);
  const answered = historyOf(logged({ ...of, ...timeout }, { ...of, type: "undone" }));
  expect(answered).toMatchObject({ inDoubt: [], undone: ["hotel"] });
});

test("an undo that was settled after it failed is no failure any more", () => {
  const of = { at: 1, node: "hotel", attempt: 5 };
  const value = '{"name":"E","message":"m"}';
  const failed: SagaEvent = { ...of, type: "undo-failed", value };
  expect(historyOf(logged(failed)).undoFailures).toMatchObject([{ node: "hotel", attempt: 5 }]);
  expect(historyOf(logged(failed, { ...of, type: "undo-settled", value }))).toMatchObject({
    ...{ undoFailures: [], undone: ["hotel"] },
  });
});

test("whatever is recorded as an error can be told", () => {
  expect(parseError('{"name":"A","message":"b","code":"C"}')).toEqual({
    ...{ name: "A", message: "b", code: "C" },
  });
  for (const odd of ["null", "7", '{"message":3}', "no json"]) {
    expect(parseError(odd)).toEqual({ name: "Error", message: odd });
  }
});

test("a cause is told as it is: data as data, an error as an error, and one of its own with it", () => {
  const causeOf = (cause: unknown): unknown =>
    parseError(recordError(new Error("no room", { cause }))).cause;
  for (const cause of [{ code: 7, tried: ["a", "b"] }, "full", 404, null, false, []]) {
    expect(causeOf(cause)).toEqual(cause);
  }
  const nested = causeOf(
    new TypeError("outer", { cause: new Error("inner", { cause: { at: 1 } }) }),
  );
  expect(nested).toMatchObject({
    name: "TypeError",
    message: "outer",
    cause: { name: "Error", message: "inner", cause: { at: 1 } },
  });
  expect(parseError(recordError(new Error("no room")))).not.toHaveProperty("cause");
});
