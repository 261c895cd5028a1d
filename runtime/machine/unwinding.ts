/**
 * Unwinding: a node is undone once everything after it is undone, never ran, or failed. All of it
 * is worklists, so that neither long chains nor deep nesting need stack.
 */
import {
  addFrame,
  endFree,
  endsOnAbort,
  type Failure,
  type Frame,
  type Inside,
  isHeld,
  makeFrame,
  nodeOf,
  pathOf,
  PHASE,
  type Place,
  troubleOf,
  undoesFailed,
  type Unwinding,
} from "../state.js";
import { holds } from "./conditions.js";
import { emit, type Turn } from "./effects.js";
import { openForward } from "./forward.js";
import { letGo } from "./holding.js";
import type { Plan } from "./plan.js";

/** Nodes that may have become ready to be undone. */
interface Work {
  readonly frames: Frame[];
  readonly indices: number[];
}

/** Keeps a failure with the scope that it ends; while that unwinds already, with all of what does. */
export function recordFailure(frame: Frame, index: number, error: string): void {
  const failure: Failure = {
    node: pathOf(frame, index),
    attempt: frame.attempt[index] as number,
    error,
  };
  let { scope } = frame;
  if (scope.unwinding !== undefined) {
    while (scope.parent?.unwinding !== undefined) ({ scope } = scope.parent);
  }
  scope.failures?.push(failure);
}

/**
 * Ends going forward in a scope: what never ran is abandoned, and what is at the end is undone.
 * `cause` is the node that failed, if it is a node.
 */
export function beginUnwinding(turn: Turn, scope: Frame, cause: Place | undefined): void {
  const { state } = turn;
  if (scope === state.root) state.unwinding = true;
  const frames = scope === state.root ? state.frames.filter(isForward) : framesWithin(scope);
  for (const frame of frames) {
    frame.unwinding = {
      waiting: waitingOf(frame),
      attempt: new Int32Array(frame.phase.length),
      unsettled: frame.phase.length,
      open: frame === scope,
    };
  }
  const work: Work = { frames: [], indices: [] };
  for (const frame of frames) {
    for (let index = frame.phase.length - 1; index >= 0; index--) {
      endForward(turn, work, frame, index);
    }
  }
  if (cause !== undefined) end(turn, work, cause.frame, cause.index);
  if (scope.phase.length === 0) state.finished = "undone";
  openFrame(work, scope);
  drain(turn, work);
}

function isForward({ unwinding }: Frame): boolean {
  return unwinding === undefined;
}

/** A scope's frames that do not unwind yet, those of scopes in it too. */
function framesWithin(scope: Frame): Frame[] {
  const found = [scope];
  for (let next = 0; next < found.length; next++) {
    for (const { frames, handler } of found[next]?.inside?.values() ?? []) {
      for (const frame of frames) if (isForward(frame)) found.push(frame);
      if (handler !== undefined && isForward(handler)) found.push(handler);
    }
  }
  return found;
}

/** How many nodes are after each: an edge whose conditions do not hold does not count. */
function waitingOf(frame: Frame): Int32Array {
  const { childCount, conditional } = frame.plan;
  const waiting = childCount.slice();
  for (const { parent, when } of conditional?.all ?? []) {
    if (!holds(frame, when)) waiting[parent] = (waiting[parent] as number) - 1;
  }
  return waiting;
}

function endForward(turn: Turn, work: Work, frame: Frame, index: number): void {
  const node = nodeOf(frame, index);
  switch (frame.phase[index]) {
    case PHASE.blocked:
    case PHASE.ready:
    case PHASE.waiting:
      frame.phase[index] = PHASE.abandoned;
      settle(turn, work, frame, index);
      break;
    case PHASE.held:
      letGo(turn.state);
      recordFailure(frame, index, troubleOf(frame).last[index] ?? "null");
      endFailed(turn, work, frame, index);
      break;
    case PHASE.backoff:
      recordFailure(frame, index, troubleOf(frame).last[index] ?? "null");
      endFailed(turn, work, frame, index);
      break;
    case PHASE.doubt:
      if (endsOnAbort(node)) endFailed(turn, work, frame, index);
      break;
    case PHASE.working:
      if (endsOnAbort(node)) emit(turn, "abort", frame, index);
      break;
    default:
    // Complete, or a graph that is open: its turn comes. Nothing else is possible before unwinding.
  }
}

/** A node has come to its end while its scope unwinds. */
export function endWhileUnwinding(turn: Turn, frame: Frame, index: number): void {
  const work: Work = { frames: [], indices: [] };
  end(turn, work, frame, index);
  drain(turn, work);
}

function end(turn: Turn, work: Work, frame: Frame, index: number): void {
  if (frame.phase[index] === PHASE.failed) endFailed(turn, work, frame, index);
  else if (frame.phase[index] === PHASE.undone) settle(turn, work, frame, index);
  else push(work, frame, index);
}

function endFailed(turn: Turn, work: Work, frame: Frame, index: number): void {
  endFree(turn.state, frame, index);
  frame.phase[index] = PHASE.failed;
  if (undoesFailed(nodeOf(frame, index)) && (frame.attempt[index] as number) > 0) {
    push(work, frame, index);
  } else {
    settle(turn, work, frame, index);
  }
}

function push(work: Work, frame: Frame, index: number): void {
  work.frames.push(frame);
  work.indices.push(index);
}

function drain(turn: Turn, work: Work): void {
  for (let frame = work.frames.pop(); frame !== undefined; frame = work.frames.pop()) {
    tryUndo(turn, work, frame, work.indices.pop() as number);
  }
}

/** Undoes a node if its turn has come. */
function tryUndo(turn: Turn, work: Work, frame: Frame, index: number): void {
  const { open, waiting } = frame.unwinding as Unwinding;
  if (!open || waiting[index] !== 0) return;
  const phase = frame.phase[index];
  const node = nodeOf(frame, index);
  const inside = frame.inside?.get(index);
  if ((phase === PHASE.done || phase === PHASE.open) && inside !== undefined) {
    if (!inside.undoing) undoInside(turn, work, frame, index, inside);
  } else if (phase === PHASE.skipped) {
    // It stays skipped, and must not be looked at twice.
    waiting[index] = -1;
    settle(turn, work, frame, index);
  } else if (phase === PHASE.done && (node.kind !== "action" || node.undo === "none")) {
    frame.phase[index] = PHASE.undone;
    settle(turn, work, frame, index);
  } else if (
    phase === PHASE.done ||
    (phase === PHASE.failed && undoesFailed(node) && (frame.attempt[index] as number) > 0)
  ) {
    frame.phase[index] = PHASE.undoReady;
    if (!isHeld(turn.state)) emit(turn, "undo", frame, index);
  }
}

/** The turn of a node that holds graphs has come: they are unwound, and those of a loop in reverse. */
function undoInside(turn: Turn, work: Work, frame: Frame, index: number, inside: Inside): void {
  inside.undoing = true;
  frame.phase[index] = PHASE.open;
  const { kind } = nodeOf(frame, index);
  if (kind === "loop") {
    inside.unsettled = inside.frames.length;
    if (openLast(work, inside)) return;
  } else {
    // What is before a handler is undone already.
    const frames = inside.handler === undefined ? inside.frames : [inside.handler];
    inside.unsettled = 0;
    for (const each of frames) {
      if (isSettled(each)) continue;
      inside.unsettled += 1;
      openFrame(work, each);
    }
    if (inside.unsettled > 0) return;
  }
  endInside(frame, index, inside);
  settle(turn, work, frame, index);
}

/** Opens the last item of a loop that is not settled; `false` if there is none. */
function openLast(work: Work, inside: Inside): boolean {
  for (; inside.unsettled > 0; inside.unsettled--) {
    const last = inside.frames[inside.unsettled - 1] as Frame;
    if (isSettled(last)) continue;
    openFrame(work, last);
    return true;
  }
  return false;
}

function isSettled({ unwinding }: Frame): boolean {
  return unwinding?.unsettled === 0;
}

function openFrame(work: Work, frame: Frame): void {
  const unwinding = frame.unwinding as Unwinding;
  unwinding.open = true;
  // In reverse, since the last that is pushed is the first that is looked at.
  for (let index = 0; index < frame.phase.length; index++) push(work, frame, index);
}

function endInside(frame: Frame, index: number, inside: Inside): void {
  const { frames, handler } = inside;
  const failed = handler === undefined ? frames.some(hasFailed) : hasFailed(handler);
  frame.phase[index] = inside.failed || failed ? PHASE.failed : PHASE.undone;
}

/** Whether a graph was not undone for the sake of others, but for its own. */
function hasFailed(frame: Frame): boolean {
  return frame.left > 0 && frame.phase.includes(PHASE.failed);
}

/**
 * Nothing is left to do for the node: those before it may have their turn. It may be the last of
 * its graph, which settles the node that holds the graph, and so on outwards.
 */
function settle(turn: Turn, work: Work, frame: Frame, index: number): void {
  for (;;) {
    settleBefore(work, frame, index);
    const unwinding = frame.unwinding as Unwinding;
    unwinding.unsettled -= 1;
    if (unwinding.unsettled > 0) return;
    const { parent } = frame;
    if (parent === undefined) {
      turn.state.finished = "undone";
      return;
    }
    if (parent.unwinding === undefined) {
      handle(turn, parent, frame.index);
      return;
    }
    index = frame.index;
    const inside = parent.inside?.get(index) as Inside;
    // Its turn has not come: when it does, this is seen to be settled.
    if (!inside.undoing) return;
    inside.unsettled -= 1;
    if (nodeOf(parent, index).kind === "loop" ? openLast(work, inside) : inside.unsettled > 0) {
      return;
    }
    endInside(parent, index, inside);
    frame = parent;
  }
}

function settleBefore(work: Work, frame: Frame, index: number): void {
  const { parents, conditional } = frame.plan;
  const { start, at } = parents;
  for (let edge = start[index] as number; edge < (start[index + 1] as number); edge++) {
    settleOne(work, frame, at[edge] as number);
  }
  for (const place of conditional?.before.get(index) ?? []) {
    const edge = conditional?.all[place];
    if (edge !== undefined && holds(frame, edge.when)) settleOne(work, frame, edge.parent);
  }
}

function settleOne(work: Work, frame: Frame, before: number): void {
  const { waiting } = frame.unwinding as Unwinding;
  const left = (waiting[before] as number) - 1;
  waiting[before] = left;
  if (left === 0) push(work, frame, before);
}

/** A scope is unwound and what is around it goes on: the failure is caught. */
function handle(turn: Turn, frame: Frame, index: number): void {
  const inside = frame.inside?.get(index) as Inside;
  inside.arms.push("caught");
  const plan = frame.plan.handlers.get(index) as Plan;
  inside.handler = makeFrame(plan, undefined, { frame, index, kind: "handler" });
  addFrame(turn.state, inside.handler);
  openForward(turn, inside.handler);
}
