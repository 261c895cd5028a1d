/**
 * What must hold of a run of any graph, from its log and its last state: what came after what, what
 * was undone before what, and that all of it is done or all of it undone.
 */
import assert from "node:assert/strict";
import type { SagaEvent } from "../../runtime/events.js";
import { holds } from "../../runtime/machine/conditions.js";
import type { Node } from "../../runtime/manifest.js";
import { type Frame, pathOf, PHASE_NAMES, placeOf, type RunState } from "../../runtime/state.js";

/** Pairs of actions that have begun: the first is before the second in the partial order. */
interface Order {
  readonly before: Map<string, Set<string>>;
  readonly after: Map<string, Set<string>>;
}

export function checkLog(state: RunState, log: readonly SagaEvent[]): void {
  checkPivots(state, log);
  const { before, after } = orderOf(state);
  const begun = new Set<string>();
  /** Between a start and an end. */
  const running = new Set<string>();
  /** Something to undo is there, or may be. */
  const active = new Set<string>();
  for (const event of log) {
    if (!("node" in event) || event.node === "") continue;
    const { type, node } = event;
    switch (type) {
      case "started":
        for (const each of before.get(node) ?? []) {
          if (running.has(each)) throw new Error(`${node} started while ${each} ran`);
        }
        if (!begun.has(node)) {
          for (const each of after.get(node) ?? []) {
            if (begun.has(each)) throw new Error(`${node} started after ${each}`);
          }
        }
        begun.add(node);
        running.add(node);
        active.add(node);
        break;
      case "succeeded":
        running.delete(node);
        break;
      case "output-settled":
        running.delete(node);
        active.add(node);
        break;
      case "failed":
      case "failure-held":
      case "attempt-failed":
        running.delete(node);
        active.delete(node);
        break;
      case "undo-started":
        for (const each of after.get(node) ?? []) {
          if (active.has(each)) throw new Error(`${node} undone before ${each}`);
        }
        break;
      case "undone":
      case "undo-settled":
        running.delete(node);
        active.delete(node);
        break;
      default:
    }
  }
}

/** What is behind a point of no return goes forward: a pivot that has succeeded stays done. */
function checkPivots(state: RunState, log: readonly SagaEvent[]): void {
  for (const event of log) {
    if (event.type !== "succeeded" || event.node === "") continue;
    const { frame, index } = placeOf(state, event.node);
    const node = frame.plan.nodes[index] as Node;
    if (node.kind !== "action" || node.pivot !== true) continue;
    assert.equal(PHASE_NAMES[frame.phase[index] as 0], "done");
  }
}

/** The order of actions with an undo, in the lists and arms that the run took. */
function orderOf(state: RunState): Order {
  const order: Order = { before: new Map(), after: new Map() };
  const actions = new Map<Frame, string[]>();
  // Frames come after those that they are in.
  for (const frame of [...state.frames].reverse()) {
    const within = frame.plan.nodes.map((node, index) => actionsIn(frame, node, index, actions));
    actions.set(frame, within.flat());
    const reach = frame.plan.nodes.map(() => new Set<number>());
    for (let index = reach.length - 1; index >= 0; index--) {
      frame.plan.nodes.forEach((child, place) => {
        if (!isAfter(frame, child, index)) return;
        reach[index]?.add(place);
        for (const further of reach[place] ?? []) reach[index]?.add(further);
      });
      for (const place of reach[index] ?? []) {
        pair(order, within[index] ?? [], within[place] ?? []);
      }
      orderWithin(order, frame, index, actions);
    }
  }
  return order;
}

function actionsIn(
  frame: Frame,
  node: Node,
  index: number,
  actions: ReadonlyMap<Frame, string[]>,
): string[] {
  if (node.kind === "action") return node.undo === "none" ? [] : [pathOf(frame, index)];
  const inside = frame.inside?.get(index);
  const frames = [...(inside?.frames ?? []), ...(inside?.handler ? [inside.handler] : [])];
  return frames.flatMap((each) => actions.get(each) ?? []);
}

function isAfter(frame: Frame, child: Node, index: number): boolean {
  const { name } = frame.plan.nodes[index] as Node;
  return child.after.some((each) =>
    typeof each === "string" ? each === name : each.node === name && holds(frame, each.when),
  );
}

/** Items of a loop are one after another; a handler is after what it handles. */
function orderWithin(
  order: Order,
  frame: Frame,
  index: number,
  actions: ReadonlyMap<Frame, string[]>,
): void {
  const inside = frame.inside?.get(index);
  if (inside === undefined) return;
  const of = (each: Frame | undefined): string[] => (each && actions.get(each)) ?? [];
  if (frame.plan.nodes[index]?.kind === "loop") {
    inside.frames.forEach((later, place) => {
      for (const earlier of inside.frames.slice(0, place)) pair(order, of(earlier), of(later));
    });
  }
  pair(order, of(inside.frames[0]), of(inside.handler));
}

function pair({ before, after }: Order, first: readonly string[], second: readonly string[]): void {
  for (const one of first) {
    for (const other of second) {
      add(after, one, other);
      add(before, other, one);
    }
  }
}

function add(to: Map<string, Set<string>>, key: string, value: string): void {
  const set = to.get(key);
  if (set === undefined) to.set(key, new Set([value]));
  else set.add(value);
}

/** A finished run is done but for what its scopes caught, or undone. */
export function checkEnd({ root, finished }: RunState): void {
  assert.deepEqual(wrongStates(root, finished === "succeeded"), []);
}

function wrongStates(frame: Frame, done: boolean): string[] {
  const fine = done ? ["done", "skipped"] : ["undone", "abandoned", "failed", "skipped"];
  return frame.plan.nodes.flatMap((_, index) => {
    const state = PHASE_NAMES[frame.phase[index] as 0];
    const wrong = fine.includes(state) ? [] : [`${pathOf(frame, index)} ${state}`];
    const { frames = [], handler, arms = [] } = frame.inside?.get(index) ?? {};
    const isDone = done && !arms.includes("caught");
    const inside = frames.flatMap((each) => wrongStates(each, isDone));
    return [...wrong, ...inside, ...(handler === undefined ? [] : wrongStates(handler, done))];
  });
}
