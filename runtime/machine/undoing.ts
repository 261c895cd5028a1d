/** What happens to the undo of a node, and what an operator does about one that is stuck. */
import type { SagaEvent } from "../events.js";
import {
  endFree,
  type Frame,
  isHeld,
  PHASE,
  type Place,
  setFree,
  troubleOf,
  type Unwinding,
} from "../state.js";
import { waitUntil } from "./attempts.js";
import { emit, type Turn } from "./effects.js";
import { expect } from "./misplaced.js";
import { emitNode, emitOutstanding } from "./outstanding.js";
import { beginUnwinding, endWhileUnwinding, recordFailure } from "./unwinding.js";

export type UndoEvent = Extract<
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

export function advanceUndo(turn: Turn, event: UndoEvent, { frame, index }: Place): void {
  if (event.type === "undo-settled" || event.type === "retry-requested") {
    byOperator(turn, event, frame, index);
    return;
  }
  const phase = frame.phase[index] as number;
  expect(event, frame.unwinding !== undefined);
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
    endFree(turn.state, frame, index);
    frame.phase[index] = PHASE.undone;
    endWhileUnwinding(turn, frame, index);
  } else if (event.type === "undo-attempt-failed") {
    waitUntil(turn, frame, index, PHASE.undoBackoff, event.value, event.dueAt);
  } else {
    troubleOf(frame).last[index] = event.value;
    frame.phase[index] = PHASE.undoFailed;
    endFree(turn.state, frame, index);
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
      recordFailure(frame, index, trouble.last[index] ?? "null");
      if (frame.unwinding !== undefined) endWhileUnwinding(turn, frame, index);
      else beginUnwinding(turn, frame.scope, { frame, index });
    }
  } else if (inDoubt) {
    setFree(state, frame, index);
    frame.phase[index] = PHASE.doubt;
    trouble.dueAt[index] = 0;
    trouble.free[index] = frame.attempt[index] as number;
  } else {
    setFree(state, frame, index);
    frame.phase[index] = PHASE.undoReady;
    trouble.undoFree[index] = frame.unwinding?.attempt[index] as number;
  }
  if (state.finished !== undefined || state.paused !== undefined) return;
  // A node that is asked for starts even if others are still stuck.
  if (isHeld(state)) emitNode(turn, frame, index);
  else emitOutstanding(turn);
}
