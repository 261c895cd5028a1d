/**
 * Failures that are held: a node that would fail for good waits for an operator instead, because it
 * says so (`onFailure: "pause"`) or because a pivot is passed, which nothing may undo.
 */
import type { SagaEvent } from "../events.js";
import { endsOnAbort, type Frame, nodeOf, PHASE, type Place, type RunState } from "../state.js";

/** Whether a failure for good is held. It is asked once, by the host, and the event records the answer. */
function isFailureHeld(state: RunState, frame: Frame, index: number): boolean {
  // What unwinds already loses nothing by another failure.
  if (frame.unwinding !== undefined) return false;
  if (index < 0) return passedPivot(state, frame) !== undefined;
  const node = nodeOf(frame, index);
  if (node.kind === "action" && node.onFailure === "pause") return true;
  return passedPivot(state, frame.scope, { frame, index }) !== undefined;
}

interface Ended {
  readonly at: number;
  readonly node: string;
  readonly attempt: number;
  /** JSON text: the error, or the doubt that counts as one. */
  readonly value: string;
}

/** The event for a node that has failed for good: it fails, or its failure is held. */
export function failureOf(state: RunState, frame: Frame, index: number, ended: Ended): SagaEvent {
  const held = isFailureHeld(state, frame, index);
  return { type: held ? "failure-held" : "failed", ...ended };
}

/** The event for an attempt whose outcome is not known and that is not repeated. */
export function doubtOf(state: RunState, frame: Frame, index: number, ended: Ended): SagaEvent {
  // Of most nodes the doubt stays, and the run is stuck on it; here it would count as a failure.
  const counts = endsOnAbort(nodeOf(frame, index));
  const held = counts && isFailureHeld(state, frame, index);
  return { type: held ? "failure-held" : "in-doubt", ...ended };
}

/**
 * A pivot in a scope that has succeeded, or may have: what would have to be undone if the scope ended
 * now. `but`: one that is not looked at.
 */
export function passedPivot(state: RunState, scope: Frame, but?: Place): Place | undefined {
  if (!state.root.plan.hasPivot) return undefined;
  for (const frame of state.frames) {
    for (const index of frame.plan.pivots) {
      if (!MAY_HAVE_PASSED.has(frame.phase[index] as number)) continue;
      if (frame === but?.frame && index === but.index) continue;
      if (isWithin(frame, scope)) return { frame, index };
    }
  }
  return undefined;
}

const MAY_HAVE_PASSED: ReadonlySet<number> = new Set([
  PHASE.working,
  PHASE.doubt,
  PHASE.doubtStuck,
  PHASE.done,
]);

function isWithin(frame: Frame, scope: Frame): boolean {
  for (let each: Frame | undefined = frame; each !== undefined; each = each.parent) {
    if (each === scope) return true;
  }
  return false;
}

/** One more node waits for an operator, with a failure that is held. */
export function hold(state: RunState): void {
  state.stuck += 1;
  state.held += 1;
}

export function letGo(state: RunState): void {
  state.stuck -= 1;
  state.held -= 1;
}
