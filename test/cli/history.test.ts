/** What reports read out of a saga log, and the states that `show` prints, from sample logs. */
import { expect, test } from "vitest";
import { historyOf, parseError } from "../../runtime/cli/history.js";
import { nodeStates } from "../../runtime/cli/node-states.js";
import { treeLines } from "../../runtime/cli/show.js";
import type { LoggedEvent, SagaEvent } from "../../runtime/events.js";
import type { Graph, Node } from "../../runtime/manifest.js";

const logged = (...events: SagaEvent[]): LoggedEvent[] =>
  events.map((event, seq) => ({ ...event, seq }));

const action = (name: string, ...after: string[]): Node => ({
  ...{ name, kind: "action", action: name, undo: "none", after },
});

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

test("a waiting node says when it goes on, and a repeated one how often it ran", () => {
  const graph: Graph = { nodes: [action("a"), action("b", "a")] };
  const of = { at: 1, node: "a" };
  const views = nodeStates(
    graph,
    logged(
      { ...of, attempt: 1, type: "started", value: "[]" },
      { ...of, attempt: 1, type: "attempt-failed", value: "{}", dueAt: 1_700_000_000_000 },
      { ...of, attempt: 2, type: "started", value: "[]" },
      { ...of, attempt: 2, type: "attempt-failed", value: "{}", dueAt: 1_700_000_000_000 },
    ),
    "running",
  );
  expect(views).toMatchObject([
    { state: "waiting", attempts: 2, dueAt: 1_700_000_000_000 },
    { state: "blocked", attempts: 0 },
  ]);
  expect(treeLines(views)[0]).toMatch(
    /^\+-- waiting: a \(produces "a"\) \(attempt 2\) \(due 20\d\d-.*\)$/,
  );
});

test("a subsaga is as its nodes are, and before and after them as its own events say", () => {
  const inner: Graph = { nodes: [action("pick")] };
  const graph: Graph = {
    nodes: [{ name: "s", kind: "subsaga", saga: "S.s", after: [], graph: inner }],
  };
  const own = { at: 1, node: "s", attempt: 1 };
  const pick = { ...own, node: "s/pick" };
  const history: SagaEvent[] = [
    { ...own, type: "started", value: "[]" },
    { ...pick, type: "started", value: "[]" },
    { ...pick, type: "succeeded" },
    { ...own, type: "succeeded" },
    { ...pick, type: "undo-started" },
    { ...pick, type: "undone" },
  ];
  const states = history.map((_, index) => {
    const [view] = nodeStates(graph, logged(...history.slice(0, index + 1)), "unwinding");
    return view?.state;
  });
  expect(states).toEqual(["abandoned", "working", "working", "done", "undo-working", "undone"]);
});

test("a chain and a nesting of any length are printed", () => {
  let graph: Graph = { nodes: [action("innermost")] };
  for (let level = 0; level < 1000; level += 1) {
    graph = { nodes: [{ name: "s", kind: "subsaga", saga: "S.s", after: [], graph }] };
  }
  const nested = treeLines(nodeStates({ nodes: graph.nodes }, [], "running").slice(0, 1));
  expect(nested).toHaveLength(2001);
  const names = Array.from({ length: 10_000 }, (_, index) => `n${index}`);
  const chain = names.map((name, index) =>
    action(name, ...names.slice(Math.max(index - 1, 0), index)),
  );
  expect(treeLines(nodeStates({ nodes: chain }, [], "running"))).toHaveLength(10_000);
});
