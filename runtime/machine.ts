/**
 * `advance(state, event)`: the whole semantics of a saga, as a pure function. It has no clock, does
 * no I/O, and calls no body: what must be done is in the effects. Recovery folds the saga log
 * through the same function and drops the effects.
 */
import type { SagaEvent } from "./events.js";
import { advanceAttempt, advanceOwn } from "./machine/attempts.js";
import { changeBreakpoint, goBy, resume, step } from "./machine/breakpoints.js";
import { type Effect, emit, type Turn } from "./machine/effects.js";
import { openForward } from "./machine/forward.js";
import { inject, useInjected } from "./machine/injections.js";
import { expect, misplaced } from "./machine/misplaced.js";
import { deliver, emitOutstanding, loseAttempt, recover } from "./machine/outstanding.js";
import type { Plan } from "./machine/plan.js";
import { hold, letGo } from "./machine/holding.js";
import { byOperator } from "./machine/by-operator.js";
import { advanceUndo } from "./machine/undoing.js";
import { beginUnwinding } from "./machine/unwinding.js";
import { type Failure, makeFrame, type Place, placeOf, type RunState, statusOf } from "./state.js";

export interface Advanced {
  readonly state: RunState;
  readonly effects: readonly Effect[];
}

/**
 * The state after an event, and what the host must do then. The state that it is given may be
 * changed, and must not be used again. `created` is the first event and takes a plan for a state.
 * `place`: where the event's node is, from a host that knows; by a path it is found at a cost that
 * grows with the path.
 */
export function advance(from: RunState | Plan, event: SagaEvent, place?: Place): Advanced {
  if ("nodes" in from) return create(from, event);
  const turn: Turn = { state: from, effects: [], begun: [] };
  if (from.finished !== undefined) throw misplaced(event, "the run is finished");
  const before = from.stuck > 0 ? statusOf(from) : undefined;
  const wasStuck = from.stuck > 0;
  goBy(from, event);
  switch (event.type) {
    case "recovered":
      recover(turn);
      break;
    case "paused":
      from.paused = event.value;
      break;
    case "resumed":
      resume(from);
      from.paused = undefined;
      // An operator has looked at it: a run paused as `crash-loop` gets a fresh count.
      for (const frame of from.frames) frame.trouble?.crashes.fill(0);
      emitOutstanding(turn);
      break;
    case "unwind-requested":
      if (from.unwinding) throw misplaced(event, "the run unwinds already");
      from.failures.push({ node: "", attempt: 1, error: event.value });
      beginUnwinding(turn, from.root, undefined);
      break;
    case "stepped":
      step(turn, event);
      break;
    case "breakpoint-set":
    case "breakpoint-cleared":
      changeBreakpoint(from, event);
      break;
    default:
      advanceNode(turn, event, place);
  }
  // What was held back for the sake of a node that needs no operator any more.
  if (wasStuck && from.stuck === 0 && from.paused === undefined) emitOutstanding(turn);
  const after = statusOf(from);
  if (from.finished !== undefined || (after === "stuck" && before !== "stuck")) {
    emit(turn, "rest", from.root, -1);
  }
  return turn;
}

function create(plan: Plan, event: SagaEvent): Advanced {
  if (event.type !== "created") throw misplaced(event, "the run is not created yet");
  const root = makeFrame(plan, event.value);
  const state: RunState = {
    root,
    frames: [root],
    byPrefix: undefined,
    failures: root.failures as Failure[],
    unwinding: false,
    mailbox: undefined,
    waiters: undefined,
    paused: undefined,
    debugging: undefined,
    inFlight: 0,
    stuck: 0,
    held: 0,
    heldResult: undefined,
    freed: 0,
    finished: undefined,
    output: undefined,
    injections: undefined,
  };
  const turn: Turn = { state, effects: [], begun: [] };
  openForward(turn, root);
  return turn;
}

type NodeEvent = Extract<SagaEvent, { readonly node: string }>;

function advanceNode(turn: Turn, event: NodeEvent | SagaEvent, known: Place | undefined): void {
  if (!("node" in event)) throw misplaced(event, "it is the first event of a run only");
  if (event.node === "") {
    advanceRun(turn, event);
    return;
  }
  if (event.type === "event-received") {
    receive(turn, event);
    return;
  }
  if (event.type === "injected") {
    inject(turn.state, event);
    return;
  }
  useInjected(turn.state, event);
  const place = known ?? placeOf(turn.state, event.node);
  switch (event.type) {
    case "started":
    case "succeeded":
    case "attempt-failed":
    case "failed":
    case "in-doubt":
    case "failure-held":
      advanceAttempt(turn, event, place);
      break;
    case "decided":
    case "skipped":
    case "expanded":
    case "timer-set":
    case "timer-fired":
    case "spawned":
      advanceOwn(turn, event, place);
      break;
    case "lost":
      loseAttempt(turn, event, place);
      break;
    case "undo-started":
    case "undone":
    case "undo-attempt-failed":
    case "undo-failed":
      advanceUndo(turn, event, place);
      break;
    case "undo-settled":
    case "output-settled":
    case "retry-requested":
      byOperator(turn, event, place);
      break;
    default:
      throw misplaced(event, "this version of steno-runtime does not know it");
  }
}

/** An event is kept until a node takes it. */
function receive(
  turn: Turn,
  { node, value }: Extract<SagaEvent, { readonly type: "event-received" }>,
): void {
  const mailbox = (turn.state.mailbox ??= new Map<string, (string | undefined)[]>());
  const mail = mailbox.get(node);
  if (mail === undefined) mailbox.set(node, [value]);
  else mail.push(value);
  deliver(turn, node);
}

/** The end of the run itself, which is the node `""`. */
function advanceRun(turn: Turn, event: NodeEvent): void {
  const { state } = turn;
  expect(event, state.root.left === 0 && !state.unwinding);
  if (event.type === "succeeded") {
    state.finished = "succeeded";
    state.output = event.value;
  } else if (event.type === "failure-held") {
    expect(event, state.heldResult === undefined);
    state.heldResult = event.value;
    hold(state);
  } else if (event.type === "retry-requested") {
    expect(event, state.heldResult !== undefined);
    state.heldResult = undefined;
    letGo(state);
    emitOutstanding(turn);
  } else if (event.type === "failed") {
    state.failures.push({ node: "", attempt: event.attempt, error: event.value });
    beginUnwinding(turn, state.root, undefined);
  } else {
    throw misplaced(event, "it is for nodes");
  }
}
