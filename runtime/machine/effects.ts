/**
 * What the machine asks of its host. A host answers each effect with an event, sooner or later.
 * Nothing here acts.
 */
import type { Frame, RunState } from "../state.js";

/**
 * Answered at once, in the same commit as the event that caused them:
 * - `start`: what the node's kind asks for. Action, subsaga, `spawn`: `started` with the inputs.
 *   Compute: `succeeded`. Decision: `decided`. Map and loop: `expanded`. `sleep`: `timer-set`.
 *   `event`: `succeeded` if one was received; else `timer-set` if it has a timeout, and else
 *   `started`. `fail`: `failed`. And `failed`, whatever the kind, if the answer cannot be made.
 * - `skip`: `skipped`
 * - `leave`: `succeeded` with what the graph, or the list of graphs, returns; or `failed`
 * - `undo`: `undo-started`
 *
 * Done only after the events so far are durable:
 * - `call`, `call-undo`: call the body; of a `spawn`, start the run
 * - `watch`: of a `spawn`, tell how the run that it started ends
 * - `abort`: abort the signal of the attempt that runs
 * - `timer`: at `dueAt`, and not while the run is held, do as for `start` or `undo`; for `sleep`,
 *   `timer-fired`; for `event`, `failed`
 * - `rest`: the run is finished, or stuck
 */
export type EffectKind =
  "start" | "skip" | "leave" | "undo" | "call" | "call-undo" | "watch" | "abort" | "timer" | "rest";

export interface Effect {
  readonly kind: EffectKind;
  readonly frame: Frame;
  /** The node's place; -1 where the effect is about the run. */
  readonly index: number;
  /** `timer` only: milliseconds since the epoch; 0 is at once. */
  readonly dueAt: number;
}

/** The context of one `advance`: the state, and the effects so far. */
export interface Turn {
  readonly state: RunState;
  readonly effects: Effect[];
  /** Frames that have begun and whose first nodes are still to be made ready. */
  readonly begun: Frame[];
}

export function emit(turn: Turn, kind: EffectKind, frame: Frame, index: number, dueAt = 0): void {
  turn.effects.push({ kind, frame, index, dueAt });
}
