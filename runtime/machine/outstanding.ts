/**
 * What is outstanding in a run: what a recovery or a resumption asks for again, and whether an effect
 * that was asked for is still wanted. Going on from there is in `forward.ts` and `unwinding.ts`.
 */
import {
  endsOnAbort,
  type Frame,
  isHeld,
  nodeOf,
  PHASE,
  type RunState,
  troubleOf,
} from "../state.js";
import { type Effect, emit, type Turn } from "./effects.js";
import { emitReady } from "./forward.js";
import { endWhileUnwinding } from "./unwinding.js";

/** Whatever ran when the last coordinator ended is in doubt, and is run again. */
export function recover(turn: Turn): void {
  const { state } = turn;
  state.inFlight = 0;
  for (const frame of [...state.frames]) {
    for (let index = 0; index < frame.phase.length; index++) {
      const phase = frame.phase[index];
      if (phase !== PHASE.working && phase !== PHASE.undoWorking) continue;
      const trouble = troubleOf(frame);
      trouble.crashes[index] = (trouble.crashes[index] as number) + 1;
      const free = phase === PHASE.working ? trouble.free : trouble.undoFree;
      free[index] = (free[index] as number) + 1;
      if (phase === PHASE.undoWorking) {
        frame.phase[index] = PHASE.undoReady;
      } else if (state.unwinding && endsOnAbort(nodeOf(frame, index))) {
        frame.phase[index] = PHASE.failed;
        endWhileUnwinding(turn, frame, index);
      } else {
        frame.phase[index] = PHASE.doubt;
        trouble.dueAt[index] = 0;
        trouble.last[index] = '"process"';
      }
    }
  }
  turn.effects.length = 0;
  emitOutstanding(turn);
}

/** Asks for all that is due to be asked for, unless the run is held. */
export function emitOutstanding(turn: Turn): void {
  const { state } = turn;
  turn.effects.length = 0;
  if (state.finished !== undefined || isHeld(state)) return;
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) emitNode(turn, frame, index);
    const begun = frame.parent?.phase[frame.index] ?? PHASE.open;
    if (frame.left === 0 && !state.unwinding && begun === PHASE.open) {
      emit(turn, "leave", frame, -1);
    }
  }
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
    default:
  }
}

/** How often the worst node's attempts have ended with the process, if they end so now. */
export function crashesIfRecovered(state: RunState): number {
  let worst = 0;
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      const phase = frame.phase[index];
      if (phase !== PHASE.working && phase !== PHASE.undoWorking) continue;
      worst = Math.max(worst, (frame.trouble?.crashes[index] ?? 0) + 1);
    }
  }
  return worst;
}

/** Whether an effect is still wanted when its turn has come: other events may have intervened. */
export function isWanted(state: RunState, { kind, frame, index, dueAt }: Effect): boolean {
  if (state.finished !== undefined || state.paused !== undefined) return false;
  const phase = frame.phase[index];
  switch (kind) {
    case "start":
    case "compute":
    case "enter":
      return phase === PHASE.ready && !isHeld(state);
    case "leave":
      return frame.left === 0 && !state.unwinding && !isHeld(state);
    case "undo":
      return phase === PHASE.undoReady;
    case "timer":
      // While another node is stuck, only what an operator asked for is tried again.
      if (state.stuck > 0 && dueAt > 0) return false;
      return phase === PHASE.backoff || phase === PHASE.doubt || phase === PHASE.undoBackoff;
    default:
      return true;
  }
}
