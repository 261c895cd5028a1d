/**
 * What is outstanding in a run: what a recovery or a resumption asks for again, and whether an effect
 * that was asked for is still wanted. Going on from there is in `forward.ts` and `unwinding.ts`.
 */
import {
  endsOnAbort,
  type Frame,
  isHeld,
  isStepping,
  mayGoOn,
  nodeOf,
  PHASE,
  type Place,
  type RunState,
  setFree,
  troubleOf,
} from "../state.js";
import type { SagaEvent } from "../events.js";
import { type Effect, emit, type Turn } from "./effects.js";
import { emitReady } from "./forward.js";
import { expect } from "./misplaced.js";
import { endWhileUnwinding } from "./unwinding.js";

/** Whatever ran when the last coordinator ended is in doubt, and is run again. */
export function recover(turn: Turn): void {
  const { state } = turn;
  state.inFlight = 0;
  for (const frame of [...state.frames]) {
    for (let index = 0; index < frame.phase.length; index++) {
      if (isRunning(frame, index)) lose(turn, frame, index);
    }
  }
  emitOutstanding(turn);
}

/** One attempt has ended with its process, and is in doubt; all others go on. */
export function loseAttempt(turn: Turn, event: LostEvent, { frame, index }: Place): void {
  const { state } = turn;
  const undo = frame.phase[index] === PHASE.undoWorking;
  const attempt = undo ? frame.unwinding?.attempt[index] : frame.attempt[index];
  expect(event, isRunning(frame, index) && event.attempt === attempt);
  state.inFlight -= 1;
  lose(turn, frame, index);
  if (mayGoOn(state, frame, index)) emitNode(turn, frame, index);
}

type LostEvent = Extract<SagaEvent, { readonly type: "lost" }>;

function isRunning(frame: Frame, index: number): boolean {
  const phase = frame.phase[index];
  return phase === PHASE.working || phase === PHASE.undoWorking;
}

/** What ran is in doubt, and is run again. */
function lose(turn: Turn, frame: Frame, index: number): void {
  const { state } = turn;
  const phase = frame.phase[index];
  const trouble = troubleOf(frame);
  trouble.crashes[index] = (trouble.crashes[index] as number) + 1;
  const free = phase === PHASE.working ? trouble.free : trouble.undoFree;
  free[index] = (free[index] as number) + 1;
  if (phase === PHASE.undoWorking) {
    frame.phase[index] = PHASE.undoReady;
    if (state.stuck > 0) setFree(state, frame, index);
  } else if (frame.unwinding !== undefined && endsOnAbort(nodeOf(frame, index))) {
    frame.phase[index] = PHASE.failed;
    endWhileUnwinding(turn, frame, index);
  } else {
    frame.phase[index] = PHASE.doubt;
    trouble.dueAt[index] = 0;
    trouble.last[index] = '"process"';
    // Without the crash it would have come to its end beside what is stuck.
    if (state.stuck > 0) setFree(state, frame, index);
  }
}

/**
 * Asks for all that is due to be asked for: nothing while the run is paused, and while a node is
 * stuck only what goes on beside it. What was asked for in this turn is asked for here again; not
 * so the abortion of a signal, which nothing in the state tells.
 */
export function emitOutstanding(turn: Turn): void {
  const { state, effects } = turn;
  const aborts = effects.filter(({ kind }) => kind === "abort");
  effects.length = 0;
  for (const abort of aborts) effects.push(abort);
  if (state.finished !== undefined) return;
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      if (mayGoOn(state, frame, index)) emitNode(turn, frame, index);
    }
  }
  const mayLeave = !isHeld(state) || (isStepping(state, state.root, -1) && state.stuck === 0);
  if (mayLeave && canLeave(state.root, -1)) emit(turn, "leave", state.root, -1);
}

/** Whether a graph, or a list of graphs, is complete and what it returns is not recorded yet. */
export function canLeave(frame: Frame, index: number): boolean {
  if (frame.unwinding !== undefined) return false;
  if (index < 0) return frame.left === 0;
  return frame.phase[index] === PHASE.open && frame.inside?.get(index)?.left === 0;
}

export function emitNode(turn: Turn, frame: Frame, index: number): void {
  switch (frame.phase[index]) {
    case PHASE.ready:
      emitReady(turn, frame, index);
      break;
    case PHASE.backoff:
    case PHASE.doubt:
    case PHASE.undoBackoff:
      emit(turn, "timer", frame, index, frame.trouble?.dueAt[index]);
      break;
    case PHASE.undoReady:
      emit(turn, "undo", frame, index);
      break;
    case PHASE.open:
      if (canLeave(frame, index)) emit(turn, "leave", frame, index);
      break;
    case PHASE.waiting:
      emitWaiting(turn, frame, index);
      break;
    default:
  }
}

/** Asks again for what a node waits for. */
export function emitWaiting(turn: Turn, frame: Frame, index: number): void {
  if (nodeOf(frame, index).kind === "spawn") {
    emit(turn, "watch", frame, index);
    return;
  }
  const dueAt = frame.trouble?.dueAt[index] ?? 0;
  if (hasMail(turn.state, frame, index)) emit(turn, "start", frame, index);
  else if (dueAt > 0) emit(turn, "timer", frame, index, dueAt);
}

/** Whether an event that the node waits for was received, and was taken by no other. */
export function hasMail({ mailbox }: RunState, frame: Frame, index: number): boolean {
  const node = nodeOf(frame, index);
  return node.kind === "event" && (mailbox?.get(node.target ?? "")?.length ?? 0) > 0;
}

/** Asks the node that has waited longest for an event to take one, if there is one to take. */
export function deliver(turn: Turn, name: string): void {
  const { state } = turn;
  const waiters = state.waiters?.get(name) ?? [];
  for (let first = waiters[0]; first !== undefined; first = waiters[0]) {
    const { frame, index } = first;
    if (frame.phase[index] === PHASE.waiting) {
      if (hasMail(state, frame, index) && !isHeld(state)) emit(turn, "start", frame, index);
      return;
    }
    // It has had its event, or waits no more.
    waiters.shift();
  }
}

/** How often the worst node's attempts have ended with the process, if they end so now. */
export function crashesIfRecovered(state: RunState): number {
  let worst = 0;
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      if (!isRunning(frame, index)) continue;
      worst = Math.max(worst, crashesOfNode({ frame, index }) + 1);
    }
  }
  return worst;
}

/** How often the attempts of a node have ended with the process. */
export function crashesOfNode({ frame, index }: Place): number {
  return frame.trouble?.crashes[index] ?? 0;
}

/** Whether an effect is still wanted when its turn has come: other events may have intervened. */
export function isWanted(state: RunState, { kind, frame, index }: Effect): boolean {
  if (state.finished !== undefined) return false;
  if (state.paused !== undefined && !isStepping(state, frame, index)) return false;
  const phase = frame.phase[index];
  switch (kind) {
    case "start":
      if (state.stuck > 0) return false;
      return phase === PHASE.ready || (phase === PHASE.waiting && hasMail(state, frame, index));
    case "skip":
      return phase === PHASE.ready && state.stuck === 0;
    case "leave":
      return canLeave(frame, index) && state.stuck === 0;
    case "undo":
      return phase === PHASE.undoReady;
    case "timer":
      // While another node is stuck, only what an operator asked for is tried again.
      if (!mayGoOn(state, frame, index)) return false;
      if (phase === PHASE.waiting) return true;
      return phase === PHASE.backoff || phase === PHASE.doubt || phase === PHASE.undoBackoff;
    default:
      return true;
  }
}
