/**
 * What conditions say in a frame: which arms were taken, which nodes run, which edges count. It
 * reads what is recorded and nothing else, so that it says the same while the frame unwinds.
 */
import type { Condition, Exit } from "../manifest.js";
import { type Frame, nodeOf, PHASE } from "../state.js";
import type { ConditionalEdge } from "./plan.js";

/** Whether all of the conditions hold. Those on a node that did not run hold if they say `not`. */
export function holds(frame: Frame, when: readonly Condition[]): boolean {
  return when.every((condition) => isMet(frame, condition));
}

function isMet(frame: Frame, { decision, arm, not }: Condition): boolean {
  const index = frame.plan.index.get(decision) as number;
  return isTaken(frame, index, arm) !== (not === true);
}

function isTaken(frame: Frame, index: number, arm: string): boolean {
  if (nodeOf(frame, index).kind === "decision") {
    return frame.outputs[index] === JSON.stringify(arm);
  }
  return frame.inside?.get(index)?.arms.includes(arm) ?? false;
}

/** Whether a node runs when its turn comes. */
export function mayRun(frame: Frame, index: number): boolean {
  const { when } = nodeOf(frame, index);
  return when === undefined || holds(frame, when);
}

/** Where a frame whose nodes are complete leaves to. */
export function exitOf(frame: Frame): Exit["to"] | undefined {
  return frame.plan.exits.find(({ when }) => holds(frame, when))?.to;
}

/** Whether an edge is waited for no more. */
export function isReleased(frame: Frame, { parent, when }: ConditionalEdge): boolean {
  if (isComplete(frame, parent)) return true;
  // One that is known not to hold is enough: others may be decided much later, or never.
  return when.some(
    (condition) =>
      isComplete(frame, frame.plan.index.get(condition.decision) as number) &&
      !isMet(frame, condition),
  );
}

function isComplete(frame: Frame, index: number): boolean {
  const phase = frame.phase[index];
  return phase === PHASE.done || phase === PHASE.skipped;
}
