/**
 * Which of the machine's effects are answered by the user's code, or by the clock. Their answers are
 * journaled; those of all others are pure functions of what is recorded. It answers none.
 */
import { type Effect, nodeOf, PHASE } from "steno-runtime/host";

/** Kinds of nodes whose start reads the object, may throw, or takes the time. */
const IMPURE: ReadonlySet<string> = new Set([
  "compute",
  "decision",
  "map",
  "loop",
  "fail",
  "sleep",
  "event",
]);

/** Whether the answer to an effect has to be journaled. */
export function isImpure({ kind, frame, index }: Effect): boolean {
  if (index < 0 || (kind !== "start" && kind !== "timer")) return false;
  if (frame.phase[index] !== PHASE.ready) return false;
  return IMPURE.has(nodeOf(frame, index).kind);
}
