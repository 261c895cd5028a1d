/**
 * Why a run is not moving, machine-readable: a word for its row, and all that holds it for whoever
 * looks closer. It reads a state and changes nothing.
 */
import { hitOf } from "../machine/breakpoints.js";
import { awaitedAt } from "../machine/waiting.js";
import { type Frame, nodeOf, pathOf, PHASE, type RunState, statusOf } from "../state.js";
import type { RunRow } from "../stores/store.js";

/** What holds a run, or a part of it. Times are milliseconds since the epoch. */
export type Hold =
  /** An operator paused it. `why`: what they said. */
  | { readonly reason: "paused"; readonly why: string }
  /** A breakpoint paused it, there. */
  | { readonly reason: "breakpoint"; readonly node: string; readonly at: "before" | "after" }
  /** Its attempts ended with the process again and again: it is paused. */
  | { readonly reason: "crash-loop" }
  /** An undo failed for good. */
  | { readonly reason: "undo-failed"; readonly node: string; readonly attempt: number }
  /** Whether it had its effect is not known, and its attempts are used up. */
  | { readonly reason: "in-doubt"; readonly node: string; readonly attempt: number }
  /** It failed, and an operator is to say what now; `""` is the run itself, which has no result. */
  | { readonly reason: "action-failed"; readonly node: string; readonly attempt: number }
  /** A `sleep` lasts until then. */
  | { readonly reason: "waiting-timer"; readonly node: string; readonly until: number }
  /** Its next attempt, or that of its undo, begins then. */
  | { readonly reason: "waiting-retry"; readonly node: string; readonly until: number }
  /** An event has to be sent; `until`: no longer than then. */
  | {
      readonly reason: "waiting-event";
      readonly node: string;
      readonly event: string;
      readonly until?: number;
    }
  /** The run that it started has to end. */
  | { readonly reason: "waiting-run"; readonly node: string; readonly run: string }
  /** As many attempts run as the limit allows. */
  | { readonly reason: "waiting-limit"; readonly node: string; readonly limit: string }
  /** It was started with a definition that the coordinator does not have. */
  | { readonly reason: "definition-missing"; readonly message: string }
  | { readonly reason: "corrupt-log"; readonly message: string }
  /** One coordinator after the other ended when it took the run: it is set aside. */
  | { readonly reason: "not-recoverable"; readonly message: string }
  /** Nobody has the store: it goes on when a coordinator opens it. */
  | { readonly reason: "no-coordinator" };

/** What to say of a run whose row says `definition-missing`, where nobody knows more. */
export function missingOf({ saga, hash }: Pick<RunRow, "saga" | "hash">): string {
  return (
    `it was started with the definition ${hash} of \`${saga}\`, which no coordinator has: open one ` +
    "with the bundle or module that it was started with, after the newer one"
  );
}

/** The word of a run's row: of all that holds it, what an operator should see first. */
export type HoldReason = Hold["reason"] | "stuck";

/** Whether a run that is not finished goes on without an operator, sooner or later. */
export function movesByItself({ status, reason }: Pick<RunRow, "status" | "reason">): boolean {
  if (status !== "running" && status !== "unwinding") return false;
  return reason === undefined || reason.startsWith("waiting-");
}

/** The word for a run's row; `undefined` while it moves, or is finished. */
export function reasonOf(state: RunState): HoldReason | undefined {
  const { paused, finished, stuck, held } = state;
  if (finished !== undefined) return undefined;
  if (paused !== undefined) return pauseOf(paused).reason;
  if (statusOf(state) === "stuck") return held === stuck ? "action-failed" : "stuck";
  if (state.inFlight > 0) return undefined;
  let first: Hold | undefined;
  for (const hold of waitsOf(state)) {
    if (hold === undefined) return undefined;
    if (first === undefined || rankOf(hold) < rankOf(first)) first = hold;
  }
  return first?.reason;
}

/** What somebody has to do comes first. */
const RANKS = ["waiting-event", "waiting-run", "waiting-timer", "waiting-retry"];

function rankOf({ reason }: Hold): number {
  return RANKS.indexOf(reason);
}

/** All that holds a run that is not finished, or parts of it while others move. */
export function holdsOf(state: RunState): readonly Hold[] {
  if (state.finished !== undefined) return [];
  const found: Hold[] = state.paused === undefined ? [] : [pauseOf(state.paused)];
  if (state.heldResult !== undefined) {
    found.push({ reason: "action-failed", node: "", attempt: 1 });
  }
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      const hold = stuckAt(frame, index) ?? waitAt(frame, index);
      if (hold !== undefined) found.push(hold);
    }
  }
  return found;
}

function pauseOf(
  paused: string,
): Extract<Hold, { reason: "paused" | "breakpoint" | "crash-loop" }> {
  const hit = hitOf(paused);
  if (hit !== undefined) return hit;
  return paused === '"crash-loop"'
    ? { reason: "crash-loop" }
    : { reason: "paused", why: String(JSON.parse(paused)) };
}

/** What each node that is not at its end waits for; `undefined` for one that could go on at once. */
function* waitsOf({ frames }: RunState): Generator<Hold | undefined> {
  for (const frame of frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      const phase = frame.phase[index];
      if (phase === PHASE.ready || phase === PHASE.undoReady) yield undefined;
      const hold = waitAt(frame, index);
      if (hold !== undefined) yield hold;
    }
  }
}

function waitAt(frame: Frame, index: number): Hold | undefined {
  const phase = frame.phase[index];
  const until = frame.trouble?.dueAt[index] ?? 0;
  if (phase === PHASE.backoff || phase === PHASE.doubt || phase === PHASE.undoBackoff) {
    return { reason: "waiting-retry", node: pathOf(frame, index), until };
  }
  if (phase !== PHASE.waiting) return undefined;
  const found = nodeOf(frame, index);
  const node = pathOf(frame, index);
  if (found.kind === "event") {
    const event = found.target ?? "";
    return { reason: "waiting-event", node, event, ...(until > 0 && { until }) };
  }
  if (found.kind === "spawn") {
    const run = awaitedAt({ frame, index });
    return { reason: "waiting-run", node, run };
  }
  return { reason: "waiting-timer", node, until };
}

function stuckAt(frame: Frame, index: number): Hold | undefined {
  const reason = STUCK[frame.phase[index] as number];
  if (reason === undefined) return undefined;
  const attempts = reason === "undo-failed" ? frame.unwinding?.attempt : frame.attempt;
  return { reason, node: pathOf(frame, index), attempt: attempts?.[index] ?? 0 };
}

const STUCK: Readonly<Record<number, "undo-failed" | "in-doubt" | "action-failed">> = {
  [PHASE.undoFailed]: "undo-failed",
  [PHASE.doubtStuck]: "in-doubt",
  [PHASE.held]: "action-failed",
};
