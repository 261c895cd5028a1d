/**
 * What happens to a node going forward: it starts, decides, expands, waits, and comes to an end of
 * one kind or another. Its undo is in `undoing.ts`.
 */
import type { SagaEvent } from "../events.js";
import {
  addFrame,
  endFree,
  endsOnAbort,
  type Frame,
  isHeld,
  makeFrame,
  makeInside,
  mayGoOn,
  nodeOf,
  PHASE,
  type Place,
  troubleOf,
} from "../state.js";
import { mayRun } from "./conditions.js";
import { emit, type Turn } from "./effects.js";
import { complete, openForward, openItems } from "./forward.js";
import { splitItems } from "./items.js";
import { hold } from "./holding.js";
import { expect } from "./misplaced.js";
import { canLeave, deliver, emitWaiting, hasMail } from "./outstanding.js";
import { beginUnwinding, endWhileUnwinding, recordFailure } from "./unwinding.js";

/** Of the attempts of a body, or of a node that ends without one. */
export type AttemptEvent = Extract<
  SagaEvent,
  {
    readonly type:
      "started" | "succeeded" | "attempt-failed" | "failed" | "in-doubt" | "failure-held";
  }
>;
/** Of a node that has no attempts. */
export type OwnEvent = Extract<
  SagaEvent,
  { readonly type: "decided" | "skipped" | "expanded" | "timer-set" | "timer-fired" | "spawned" }
>;

export function advanceAttempt(turn: Turn, event: AttemptEvent, { frame, index }: Place): void {
  const phase = frame.phase[index] as number;
  if (event.type === "started") {
    start(turn, event, frame, index);
    return;
  }
  if (phase === PHASE.working) {
    expect(event, event.attempt === frame.attempt[index]);
    turn.state.inFlight -= 1;
  }
  switch (event.type) {
    case "succeeded":
      expect(event, phase === PHASE.working || isAnswered(turn, frame, index, phase));
      takeMail(turn, frame, index);
      succeed(turn, frame, index, event.value);
      break;
    case "failed":
      expect(event, canFail(frame, index, phase));
      fail(turn, frame, index, event.value);
      break;
    case "failure-held":
      expect(event, canFail(frame, index, phase) && frame.unwinding === undefined);
      endFree(turn.state, frame, index);
      troubleOf(frame).last[index] = event.value;
      frame.phase[index] = PHASE.held;
      hold(turn.state);
      break;
    case "attempt-failed":
      expect(event, phase === PHASE.working);
      waitUntil(turn, frame, index, PHASE.backoff, event.value, event.dueAt);
      break;
    case "in-doubt":
      expect(event, phase === PHASE.working);
      doubt(turn, frame, index, event);
      break;
  }
}

function canFail(frame: Frame, index: number, phase: number): boolean {
  // Ready: its inputs could not be made, or an operator had it tried again, as with a backoff.
  // Waiting: it waited too long, or for what failed.
  const began: readonly number[] = [PHASE.working, PHASE.ready, PHASE.backoff, PHASE.waiting];
  return began.includes(phase) || canLeave(frame, index);
}

/** Whether the node may succeed without a body: a value is computed, a list is complete, … */
function isAnswered(turn: Turn, frame: Frame, index: number, phase: number): boolean {
  const { kind } = nodeOf(frame, index);
  if (kind === "event") {
    return (phase === PHASE.ready || phase === PHASE.waiting) && hasMail(turn.state, frame, index);
  }
  if (phase === PHASE.waiting) return kind === "spawn";
  return phase === PHASE.ready ? kind === "compute" : canLeave(frame, index);
}

/** The node has taken an event; if there is another, the next that waits may have it. */
function takeMail(turn: Turn, frame: Frame, index: number): void {
  const node = nodeOf(frame, index);
  if (node.kind !== "event") return;
  frame.phase[index] = PHASE.done;
  turn.state.mailbox?.get(node.target ?? "")?.shift();
  deliver(turn, node.target ?? "");
}

export function succeed(turn: Turn, frame: Frame, index: number, value: string | undefined): void {
  endFree(turn.state, frame, index);
  frame.phase[index] = PHASE.done;
  frame.outputs[index] = value;
  if (frame.unwinding !== undefined) endWhileUnwinding(turn, frame, index);
  else complete(turn, frame, index);
}

/** What becomes of a node that has no attempts. */
export function advanceOwn(turn: Turn, event: OwnEvent, { frame, index }: Place): void {
  const phase = frame.phase[index] as number;
  const { kind } = nodeOf(frame, index);
  switch (event.type) {
    case "decided":
      expect(event, phase === PHASE.ready && kind === "decision");
      succeed(turn, frame, index, event.value);
      break;
    case "skipped":
      expect(event, phase === PHASE.ready && !mayRun(frame, index));
      frame.phase[index] = PHASE.skipped;
      complete(turn, frame, index);
      break;
    case "expanded": {
      expect(event, phase === PHASE.ready && (kind === "map" || kind === "loop"));
      frame.phase[index] = PHASE.open;
      const { items, keys } = splitItems(event);
      openItems(turn, frame, index, makeInside(frame, index, items, keys));
      break;
    }
    case "timer-set":
      expect(event, phase === PHASE.ready && (kind === "sleep" || kind === "event"));
      troubleOf(frame).dueAt[index] = event.dueAt;
      beginToWait(turn, frame, index);
      break;
    case "timer-fired":
      expect(event, phase === PHASE.waiting && kind === "sleep");
      succeed(turn, frame, index, undefined);
      break;
    case "spawned":
      spawned(turn, event, frame, index);
      break;
  }
}

function beginToWait(turn: Turn, frame: Frame, index: number): void {
  const node = nodeOf(frame, index);
  frame.phase[index] = PHASE.waiting;
  if (node.kind === "event") {
    const waiters = (turn.state.waiters ??= new Map<string, Place[]>());
    const name = node.target ?? "";
    const list = waiters.get(name);
    if (list === undefined) waiters.set(name, [{ frame, index }]);
    else list.push({ frame, index });
  }
  if (!isHeld(turn.state)) emitWaiting(turn, frame, index);
}

function spawned(turn: Turn, event: OwnEvent, frame: Frame, index: number): void {
  const node = nodeOf(frame, index);
  expect(event, frame.phase[index] === PHASE.working && node.kind === "spawn");
  turn.state.inFlight -= 1;
  endFree(turn.state, frame, index);
  const waits = node.kind === "spawn" && node.wait === true;
  if (!waits) succeed(turn, frame, index, "value" in event ? event.value : undefined);
  else if (frame.unwinding === undefined) beginToWait(turn, frame, index);
  else {
    // Nobody wants its result any more.
    frame.phase[index] = PHASE.done;
    endWhileUnwinding(turn, frame, index);
  }
}

function start(
  turn: Turn,
  event: Extract<SagaEvent, { readonly type: "started" }>,
  frame: Frame,
  index: number,
): void {
  const phase = frame.phase[index] as number;
  expect(event, phase === PHASE.ready || phase === PHASE.backoff || phase === PHASE.doubt);
  expect(event, event.attempt === (frame.attempt[index] as number) + 1);
  frame.attempt[index] = event.attempt;
  const node = nodeOf(frame, index);
  const plan = frame.plan.plans.get(index);
  if (node.kind === "action" || node.kind === "spawn") {
    frame.inputs[index] = event.value;
    frame.phase[index] = PHASE.working;
    turn.state.inFlight += 1;
    emit(turn, "call", frame, index);
  } else if (node.kind === "event") {
    beginToWait(turn, frame, index);
  } else {
    expect(event, node.kind === "subsaga");
    if (plan === undefined) return;
    frame.inputs[index] = event.value;
    frame.phase[index] = PHASE.open;
    const inner = makeFrame(plan, event.value, { frame, index, kind: "subsaga" });
    makeInside(frame, index, [undefined]).frames.push(inner);
    addFrame(turn.state, inner);
    openForward(turn, inner);
  }
}

/** The node waits for a time at which it is attempted again. */
export function waitUntil(
  turn: Turn,
  frame: Frame,
  index: number,
  phase: number,
  why: string,
  dueAt: number,
): void {
  const trouble = troubleOf(frame);
  frame.phase[index] = phase;
  trouble.last[index] = why;
  trouble.dueAt[index] = dueAt;
  if (mayGoOn(turn.state, frame, index)) emit(turn, "timer", frame, index, dueAt);
}

export function fail(turn: Turn, frame: Frame, index: number, error: string): void {
  endFree(turn.state, frame, index);
  recordFailure(frame, index, error);
  // A graph that cannot return has nodes that are done: it is undone as a graph.
  const inside = frame.phase[index] === PHASE.open ? frame.inside?.get(index) : undefined;
  if (inside === undefined) frame.phase[index] = PHASE.failed;
  else inside.failed = true;
  if (frame.unwinding !== undefined) endWhileUnwinding(turn, frame, index);
  else beginUnwinding(turn, frame.scope, { frame, index });
}

function doubt(
  turn: Turn,
  frame: Frame,
  index: number,
  event: Extract<SagaEvent, { readonly type: "in-doubt" }>,
): void {
  const ends = endsOnAbort(nodeOf(frame, index));
  if (ends && (frame.unwinding !== undefined || event.dueAt === undefined)) {
    fail(turn, frame, index, event.value);
  } else if (event.dueAt !== undefined) {
    waitUntil(turn, frame, index, PHASE.doubt, event.value, event.dueAt);
  } else {
    troubleOf(frame).last[index] = event.value;
    frame.phase[index] = PHASE.doubtStuck;
    endFree(turn.state, frame, index);
    turn.state.stuck += 1;
  }
}
