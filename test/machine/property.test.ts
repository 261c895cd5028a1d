/**
 * The machine on random graphs with random faults: the state is the fold of the log, undos come in
 * the right order, a run ends all done or all undone, and from every prefix of the log too.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SagaEvent } from "../../runtime/events.js";
import { makePlan, type Plan } from "../../runtime/machine/plan.js";
import { type Manifest, type Node, parseManifest } from "../../runtime/manifest.js";
import { pathOf } from "../../runtime/state.js";
import { foldLog } from "../../runtime/history.js";
import { describeState, Host } from "./host.js";

type Choose = (below: number) => number;

/** A random graph: each node after some of those before it; some are subsagas, two deep at most. */
function makeGraph(choose: Choose, depth = 2): Node[] {
  return [...Array(1 + choose(5)).keys()].map((i): Node => {
    const name = `n${i}`;
    const after = [...Array(i).keys()].filter(() => choose(3) === 0).map((before) => `n${before}`);
    const kind = choose(8);
    if (kind === 0 && depth > 0) {
      return {
        name,
        kind: "subsaga",
        saga: name,
        after,
        graph: { nodes: makeGraph(choose, depth - 1) },
      };
    }
    if (kind === 1) return { name, kind: "compute", after };
    return {
      name,
      kind: "action",
      action: name,
      undo: kind === 2 ? "none" : "u",
      after,
      ...(kind === 3 && { undoWhen: "started" as const }),
    };
  });
}

/** Lets a run go on until it rests; each end of a body is chosen. */
function finish(host: Host, choose: Choose, faults: boolean): void {
  let left = 500;
  while (host.state.finished === undefined) {
    if (left-- === 0) throw new Error("the run does not end");
    const acts = host.acts;
    if (acts.length === 0) throw new Error(`nothing to do: ${[...describeState(host.state)]}`);
    const [effect] = acts.splice(choose(acts.length), 1);
    if (effect !== undefined) act(host, effect, choose, faults);
  }
}

function act(host: Host, effect: Host["acts"][number], choose: Choose, faults: boolean): void {
  const { kind, frame, index } = effect;
  if (kind === "timer") host.fire(effect);
  if (kind === "rest" && host.state.finished === undefined) free(host);
  if (kind !== "call" && kind !== "call-undo") return;
  const node = pathOf(frame, index);
  const undo = kind === "call-undo";
  const attempt = (undo ? frame.unwinding?.attempt : frame.attempt)?.[index] as number;
  const fate = faults ? choose(10) : 9;
  const base = { at: 0, node, attempt };
  if (undo) {
    if (fate === 0) host.tell({ ...base, type: "undo-attempt-failed", value: "{}", dueAt: 5 });
    else if (fate === 1) host.tell({ ...base, type: "undo-failed", value: "{}" });
    else host.tell({ ...base, type: "undone" });
  } else if (fate === 0) host.tell({ ...base, type: "failed", value: "{}" });
  else if (fate === 1) host.tell({ ...base, type: "attempt-failed", value: "{}", dueAt: 5 });
  else if (fate === 2) host.tell({ ...base, type: "in-doubt", value: '"timeout"', dueAt: 5 });
  else if (fate === 3) host.tell({ ...base, type: "in-doubt", value: '"timeout"' });
  else host.tell({ ...base, type: "succeeded" });
}

/** What an operator does about a stuck run: tries everything again. */
function free(host: Host): void {
  for (const [node, state] of describeState(host.state)) {
    if (state !== "undo-failed" && state !== "stuck-in-doubt") continue;
    host.tell({ type: "retry-requested", at: 0, node, value: '""' });
  }
}

/** What must hold of a log, whoever wrote it. */
function checkLog(plan: Plan, log: readonly SagaEvent[]): void {
  const follow = followers(plan);
  const active = new Set<string>();
  const complete = new Set<string>();
  let failed = false;
  for (const event of log) {
    if (!("node" in event)) continue;
    const { type, node } = event;
    if (type === "started") {
      for (const [before, after] of follow) {
        // What is after a node starts only when that node is complete.
        if (after.has(node) && !complete.has(before)) throw new Error(`${node} before ${before}`);
      }
      active.add(node);
    }
    if (type === "succeeded") complete.add(node);
    if (type === "failed") {
      failed = true;
      active.delete(node);
    }
    // If the run begins to unwind before the next attempt, it counts as failed.
    if (type === "attempt-failed") active.delete(node);
    if (type === "undo-started") {
      for (const after of follow.get(node) ?? []) {
        if (active.has(after)) throw new Error(`${node} undone before ${after}`);
      }
    }
    if (type === "undone") active.delete(node);
    if (type === "in-doubt" && event.dueAt === undefined) failed = true;
  }
  if (!failed) expect(foldLog(plan, log).finished).toBe("succeeded");
}

/** All actions after each action, through subsagas. */
function followers(plan: Plan): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const actionsOf = (inner: Plan, prefix: string): string[] =>
    inner.nodes.flatMap((node, index) => {
      const sub = inner.plans.get(index);
      if (sub !== undefined) return actionsOf(sub, `${prefix}${node.name}/`);
      return node.kind === "action" && node.undo !== "none" ? [prefix + node.name] : [];
    });
  const visit = (inner: Plan, prefix: string): void => {
    const under = inner.nodes.map((node, index) => {
      const sub = inner.plans.get(index);
      if (sub !== undefined) visit(sub, `${prefix}${node.name}/`);
      if (sub !== undefined) return actionsOf(sub, `${prefix}${node.name}/`);
      return node.kind === "action" && node.undo !== "none" ? [prefix + node.name] : [];
    });
    const reach = inner.nodes.map(() => new Set<number>());
    for (let index = inner.nodes.length - 1; index >= 0; index--) {
      for (const after of inner.nodes.slice(index + 1)) {
        if (!after.after.includes((inner.nodes[index] as Node).name)) continue;
        const child = inner.index.get(after.name) as number;
        reach[index]?.add(child);
        for (const further of reach[child] ?? []) reach[index]?.add(further);
      }
      for (const action of under[index] ?? []) {
        const set = found.get(action) ?? new Set();
        for (const child of reach[index] ?? [])
          for (const each of under[child] ?? []) set.add(each);
        found.set(action, set);
      }
    }
  };
  visit(plan, "");
  return found;
}

function checkEnd(host: Host): void {
  const states = new Set(describeState(host.state).values());
  const fine = host.state.finished === "succeeded" ? ["done"] : ["undone", "abandoned", "failed"];
  expect([...states].filter((state) => !fine.includes(state))).toEqual([]);
}

test("random graphs with random faults end all done or all undone, from every prefix too", () => {
  const seen = { succeeded: 0, undone: 0, prefixes: 0 };
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat({ max: 1 << 20 })), (numbers) => {
      const choose: Choose = (below) => (numbers.next().value as number) % below;
      const manifest: Manifest = {
        steno: 1,
        name: "t",
        hash: "sha256-t",
        nodes: makeGraph(choose),
      };
      const plan = makePlan(parseManifest(manifest));
      const decide = (): never => undefined as never;
      const host = new Host(plan, decide);
      finish(host, choose, true);
      checkEnd(host);
      checkLog(plan, host.log);
      expect(foldLog(plan, host.log)).toEqual(host.state);
      seen[host.state.finished as "undone"] += 1;
      for (let length = 1; length < host.log.length; length++) {
        const again = new Host(plan, decide, host.log.slice(0, length));
        again.tell({ type: "recovered", at: 0 });
        // A log that ended while it was stuck.
        if (again.acts.length === 0 && again.state.finished === undefined) free(again);
        finish(again, choose, choose(2) === 0);
        checkEnd(again);
        checkLog(plan, again.log);
        seen.prefixes += 1;
      }
    }),
    { numRuns: 300 },
  );
  // It looked at something.
  expect(seen.succeeded).toBeGreaterThan(10);
  expect(seen.undone).toBeGreaterThan(10);
  expect(seen.prefixes).toBeGreaterThan(1000);
}, 60_000);
