/** What happens to the undo of a node. What an operator does about one that is stuck is in `by-operator.ts`. */
import type { SagaEvent } from "../events.js";
import { endFree, PHASE, type Place, troubleOf, type Unwinding } from "../state.js";
import { waitUntil } from "./attempts.js";
import { emit, type Turn } from "./effects.js";
import { expect } from "./misplaced.js";
import { endWhileUnwinding } from "./unwinding.js";

export type UndoEvent = Extract<
  SagaEvent,
  {
    readonly type: "undo-started" | "undone" | "undo-attempt-failed" | "undo-failed";
  }
>;

export function advanceUndo(turn: Turn, event: UndoEvent, { frame, index }: Place): void {
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
