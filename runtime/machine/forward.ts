/** Going forward: what may start when something is complete. Unwinding is in `unwinding.ts`. */
import { type Frame, isHeld, nodeOf, PHASE } from "../state.js";
import { emit, type Turn } from "./effects.js";

/** Starts a graph: everything that waits for nothing. */
export function openForward(turn: Turn, frame: Frame): void {
  for (let index = 0; index < frame.phase.length; index++) {
    if (frame.waiting[index] === 0) makeReady(turn, frame, index);
  }
  if (frame.left === 0) leave(turn, frame);
}

/** A node is complete: whatever waited for it alone may start. */
export function complete(turn: Turn, frame: Frame, index: number): void {
  const { start, at } = frame.plan.children;
  for (let edge = start[index] as number; edge < (start[index + 1] as number); edge++) {
    const child = at[edge] as number;
    if ((frame.waiting[child] = (frame.waiting[child] as number) - 1) === 0) {
      makeReady(turn, frame, child);
    }
  }
  frame.left -= 1;
  if (frame.left === 0) leave(turn, frame);
}

function makeReady(turn: Turn, frame: Frame, index: number): void {
  frame.phase[index] = PHASE.ready;
  if (!isHeld(turn.state)) emitReady(turn, frame, index);
}

/** Asks for what a ready node needs. */
export function emitReady(turn: Turn, frame: Frame, index: number): void {
  const { kind } = nodeOf(frame, index);
  emit(turn, kind === "subsaga" ? "enter" : kind === "compute" ? "compute" : "start", frame, index);
}

function leave(turn: Turn, frame: Frame): void {
  if (!isHeld(turn.state)) emit(turn, "leave", frame, -1);
}
