/**
 * What becomes of an attempt that did not succeed. The verdict is taken once, by the host, and
 * recorded in the event; replay follows the event, so policies may change between two versions.
 */
import { DEFAULT_UNDO_RETRY, type RetryPolicy } from "../manifest.js";
import { endsOnAbort, type Frame, nodeOf } from "../state.js";

export interface Chance {
  readonly now: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** When a failed attempt is repeated; `undefined`: the node has failed. */
export function retryAt(frame: Frame, index: number, chance: Chance): number | undefined {
  const node = nodeOf(frame, index);
  // While its scope unwinds, a definite failure is the best that can happen to a node.
  if (frame.unwinding !== undefined || node.kind !== "action" || node.retry === undefined)
    return undefined;
  return dueAt(node.retry, counted(frame, index), chance);
}

/** When an attempt without an answer is repeated; `undefined`: its attempts are used up. */
export function retryDoubtAt(frame: Frame, index: number, chance: Chance): number | undefined {
  const node = nodeOf(frame, index);
  if (node.kind !== "action" || node.retry === undefined) return undefined;
  if (frame.unwinding !== undefined && endsOnAbort(node)) return undefined;
  return dueAt(node.retry, counted(frame, index), chance);
}

/** When a failed undo is repeated; `undefined`: the run is stuck on it. */
export function retryUndoAt(frame: Frame, index: number, chance: Chance): number | undefined {
  const node = nodeOf(frame, index);
  const policy = (node.kind === "action" ? node.undoRetry : undefined) ?? DEFAULT_UNDO_RETRY;
  const attempts = frame.unwinding?.attempt[index] ?? 0;
  return dueAt(policy, attempts - (frame.trouble?.undoFree[index] ?? 0), chance);
}

/** Attempts that count: not those that a crash ended, or that came before an operator's retry. */
function counted(frame: Frame, index: number): number {
  return (frame.attempt[index] as number) - (frame.trouble?.free[index] ?? 0);
}

function dueAt(policy: RetryPolicy, attempts: number, chance: Chance): number | undefined {
  if (policy.attempts !== "forever" && attempts >= policy.attempts) return undefined;
  // After a thousand attempts the power is infinite, and no pause times that is no number.
  const factor = Math.min(policy.factor ** (attempts - 1), Number.MAX_VALUE);
  const pause = Math.min(policy.delayMs * factor, policy.maxDelayMs);
  const shortened = policy.jitter ? pause * (1 - chance.random() / 2) : pause;
  return chance.now + Math.round(shortened);
}
