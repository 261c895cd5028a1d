/**
 * `advance(state, event)`: the whole semantics of a saga, as a pure function. It has no clock, does
 * no I/O, and calls no body: what must be done is in the effects. Recovery folds the saga log
 * through the same function and drops the effects.
 */
import { StenoError } from "./errors.js";
import type { SagaEvent } from "./events.js";
import type { Effect, Turn } from "./machine/effects.js";
import { emit } from "./machine/effects.js";
import { complete, openForward } from "./machine/forward.js";
import { emitNode, emitOutstanding, recover } from "./machine/outstanding.js";
import type { Plan } from "./machine/plan.js";
import { beginUnwinding, endWhileUnwinding } from "./machine/unwinding.js";
import {
  endsOnAbort,
  type Frame,
  isHeld,
  makeFrame,
  nodeOf,
  pathOf,
  PHASE,
  type Place,
  placeOf,
  type RunState,
  statusOf,
  troubleOf,
  type Unwinding,
} from "./state.js";

export interface Advanced {
  readonly state: RunState;
  readonly effects: readonly Effect[];
}

/**
 * The state after an event, and what the host must do then. The state that it is given may be
 * changed, and must not be used again. `created` is the first event and takes a plan for a state.
 */
export function advance(from: RunState | Plan, event: SagaEvent): Advanced {
  if ("nodes" in from) return create(from, event);
  const turn: Turn = { state: from, effects: [] };
  if (from.finished !== undefined) throw misplaced(event, "the run is finished");
  const before = from.stuck > 0 ? statusOf(from) : undefined;
  switch (event.type) {
    case "recovered":
      recover(turn);
      break;
    case "paused":
      from.paused = event.value;
      break;
    case "resumed":
      from.paused = undefined;
      // An operator has looked at it: a run paused as `crash-loop` gets a fresh count.
      for (const frame of from.frames) frame.trouble?.crashes.fill(0);
      emitOutstanding(turn);
      break;
    case "unwind-requested":
      if (from.unwinding) throw misplaced(event, "the run unwinds already");
      from.failures.push({ node: "", attempt: 1, error: event.value });
      beginUnwinding(turn, undefined);
      break;
    default:
      advanceNode(turn, event);
  }
  const after = statusOf(from);
  if (from.finished !== undefined || (after === "stuck" && before !== "stuck")) {
    emit(turn, "rest", from.root, -1);
  }
  return turn;
}

function create(plan: Plan, event: SagaEvent): Advanced {
  if (event.type !== "created") throw misplaced(event, "the run is not created yet");
  const root = makeFrame(plan, event.value, undefined, -1);
  const state: RunState = {
    root,
    frames: [root],
    byPrefix: new Map(),
    failures: [],
    unwinding: false,
    paused: undefined,
    inFlight: 0,
    stuck: 0,
    finished: undefined,
    output: undefined,
  };
  const turn: Turn = { state, effects: [] };
  openForward(turn, root);
  return turn;
}

type NodeEvent = Extract<SagaEvent, { readonly node: string }>;

function advanceNode(turn: Turn, event: NodeEvent | SagaEvent): void {
  if (!("node" in event)) throw misplaced(event, "it is the first event of a run only");
  if (event.node === "") {
    advanceRun(turn, event);
    return;
  }
  const place = placeOf(turn.state, event.node);
  switch (event.type) {
    case "started":
    case "succeeded":
    case "attempt-failed":
    case "failed":
    case "in-doubt":
      advanceForward(turn, event, place);
      break;
    case "undo-started":
    case "undone":
    case "undo-attempt-failed":
    case "undo-failed":
    case "undo-settled":
    case "retry-requested":
      advanceUndo(turn, event, place);
      break;
    default:
      throw misplaced(event, "this version of steno-runtime does not know it");
  }
}

/** The end of the run itself, which is the node `""`. */
function advanceRun(turn: Turn, event: NodeEvent): void {
  const { state } = turn;
  expect(event, state.root.left === 0 && !state.unwinding);
  if (event.type === "succeeded") {
    state.finished = "succeeded";
    state.output = event.value;
  } else if (event.type === "failed") {
    state.failures.push({ node: "", attempt: event.attempt, error: event.value });
    beginUnwinding(turn, undefined);
  } else {
    throw misplaced(event, "it is for nodes");
  }
}

type ForwardEvent = Extract<
  SagaEvent,
  { readonly type: "started" | "succeeded" | "attempt-failed" | "failed" | "in-doubt" }
>;

function advanceForward(turn: Turn, event: ForwardEvent, { frame, index }: Place): void {
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
      expect(event, phase === PHASE.working || isAnswered(frame, index, phase));
      frame.phase[index] = PHASE.done;
      frame.outputs[index] = event.value;
      if (turn.state.unwinding) endWhileUnwinding(turn, frame, index);
      else complete(turn, frame, index);
      break;
    case "failed":
      // Ready: its inputs could not be made.
      expect(
        event,
        phase === PHASE.working || phase === PHASE.ready || isAnswered(frame, index, phase),
      );
      fail(turn, frame, index, event.value);
      break;
    case "attempt-failed":
      expect(event, phase === PHASE.working);
      wait(turn, frame, index, PHASE.backoff, event.value, event.dueAt);
      break;
    case "in-doubt":
      expect(event, phase === PHASE.working);
      doubt(turn, frame, index, event);
      break;
  }
}

/** Whether the node is one that ends without a body: a compute node, or a graph that is complete. */
function isAnswered(frame: Frame, index: number, phase: number): boolean {
  if (phase === PHASE.ready) return nodeOf(frame, index).kind === "compute";
  return phase === PHASE.open && frame.frames.get(index)?.left === 0;
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
  frame.inputs[index] = event.value;
  const plan = frame.plan.plans.get(index);
  if (plan === undefined) {
    frame.phase[index] = PHASE.working;
    turn.state.inFlight += 1;
    emit(turn, "call", frame, index);
    return;
  }
  frame.phase[index] = PHASE.open;
  const inner = makeFrame(plan, event.value, frame, index);
  frame.frames.set(index, inner);
  turn.state.frames.push(inner);
  turn.state.byPrefix.set(inner.prefix, inner);
  openForward(turn, inner);
}

function wait(
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
  if (!isHeld(turn.state)) emit(turn, "timer", frame, index, dueAt);
}

function fail(turn: Turn, frame: Frame, index: number, error: string): void {
  const attempt = frame.attempt[index] as number;
  turn.state.failures.push({ node: pathOf(frame, index), attempt, error });
  // A graph that cannot return has nodes that are done: it is undone as a graph.
  if (frame.phase[index] !== PHASE.open) frame.phase[index] = PHASE.failed;
  if (turn.state.unwinding) endWhileUnwinding(turn, frame, index);
  else beginUnwinding(turn, { frame, index });
}

function doubt(
  turn: Turn,
  frame: Frame,
  index: number,
  event: Extract<SagaEvent, { readonly type: "in-doubt" }>,
): void {
  const ends = endsOnAbort(nodeOf(frame, index));
  if (ends && (turn.state.unwinding || event.dueAt === undefined)) {
    fail(turn, frame, index, event.value);
  } else if (event.dueAt !== undefined) {
    wait(turn, frame, index, PHASE.doubt, event.value, event.dueAt);
  } else {
    troubleOf(frame).last[index] = event.value;
    frame.phase[index] = PHASE.doubtStuck;
    turn.state.stuck += 1;
  }
}

type UndoEvent = Extract<
  SagaEvent,
  {
    readonly type:
      | "undo-started"
      | "undone"
      | "undo-attempt-failed"
      | "undo-failed"
      | "undo-settled"
      | "retry-requested";
  }
>;

function advanceUndo(turn: Turn, event: UndoEvent, { frame, index }: Place): void {
  if (event.type === "undo-settled" || event.type === "retry-requested") {
    byOperator(turn, event, frame, index);
    return;
  }
  const phase = frame.phase[index] as number;
  const unwinding = frame.unwinding as Unwinding;
  if (event.type === "undo-started") {
    expect(event, phase === PHASE.undoReady || phase === PHASE.undoBackoff);
    expect(event, event.attempt === (unwinding.attempt[index] as number) + 1);
    unwinding.attempt[index] = event.attempt;
    frame.phase[index] = PHASE.undoWorking;
    turn.state.inFlight += 1;
    emit(turn, "call-undo", frame, index);
    return;
  }
  expect(event, phase === PHASE.undoWorking && event.attempt === unwinding.attempt[index]);
  turn.state.inFlight -= 1;
  if (event.type === "undone") {
    frame.phase[index] = PHASE.undone;
    endWhileUnwinding(turn, frame, index);
  } else if (event.type === "undo-attempt-failed") {
    wait(turn, frame, index, PHASE.undoBackoff, event.value, event.dueAt);
  } else {
    troubleOf(frame).last[index] = event.value;
    frame.phase[index] = PHASE.undoFailed;
    turn.state.stuck += 1;
  }
}

/** An operator frees a node that is stuck; the run goes on when none is. */
function byOperator(turn: Turn, event: UndoEvent, frame: Frame, index: number): void {
  const { state } = turn;
  const phase = frame.phase[index];
  const inDoubt = phase === PHASE.doubtStuck;
  expect(event, inDoubt || phase === PHASE.undoFailed);
  const trouble = troubleOf(frame);
  state.stuck -= 1;
  if (event.type === "undo-settled") {
    frame.phase[index] = PHASE.undone;
    if (!inDoubt) {
      endWhileUnwinding(turn, frame, index);
    } else {
      const error = trouble.last[index] ?? "null";
      const attempt = frame.attempt[index] as number;
      state.failures.push({ node: pathOf(frame, index), attempt, error });
      if (state.unwinding) endWhileUnwinding(turn, frame, index);
      else beginUnwinding(turn, { frame, index });
    }
  } else if (inDoubt) {
    frame.phase[index] = PHASE.doubt;
    trouble.dueAt[index] = 0;
    trouble.free[index] = frame.attempt[index] as number;
  } else {
    frame.phase[index] = PHASE.undoReady;
    trouble.undoFree[index] = frame.unwinding?.attempt[index] as number;
  }
  if (state.finished !== undefined || state.paused !== undefined) return;
  // A node that is asked for starts even if others are still stuck.
  if (isHeld(state)) emitNode(turn, frame, index);
  else emitOutstanding(turn);
}

function expect(event: SagaEvent, fits: boolean): void {
  if (!fits) throw misplaced(event, "the node is not where this could happen");
}

function misplaced(event: SagaEvent, why: string): StenoError {
  const node = "node" in event ? ` of \`${event.node}\`` : "";
  return new StenoError(
    "corrupt-log",
    `the event \`${event.type}\`${node} does not fit the state of the run (${why}): ` +
      "the saga log was changed by something else than a coordinator, or for another definition",
  );
}
