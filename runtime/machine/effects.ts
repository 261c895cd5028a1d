/**
 * What the machine asks of its host. A host answers each effect with an event, sooner or later.
 * Nothing here acts.
 */
import type { Frame, RunState } from "../state.js";

/**
 * Answered at once, in the same commit as the event that caused them:
 * - `start`: `started` with the inputs, or `failed` if they cannot be made
 * - `compute`: `succeeded` with the value, or `failed`
 * - `enter`: `started` with the params of the subsaga, or `failed`
 * - `leave`: `succeeded` with what the graph returns, or `failed`
 * - `undo`: `undo-started`
 *
 * Done only after the events so far are durable:
 * - `call`, `call-undo`: call the body
 * - `abort`: abort the signal of the attempt that runs
 * - `timer`: at `dueAt`, and not while the run is held, do as for `start` or `undo`
 * - `rest`: the run is finished, or stuck
 */
export type EffectKind =
  | "start"
  | "compute"
  | "enter"
  | "leave"
  | "undo"
  | "call"
  | "call-undo"
  | "abort"
  | "timer"
  | "rest";

export interface Effect {
  readonly kind: EffectKind;
  readonly frame: Frame;
  /** The node's place; -1 where the effect is about the graph. */
  readonly index: number;
  /** `timer` only: milliseconds since the epoch; 0 is at once. */
  readonly dueAt: number;
}

/** The context of one `advance`: the state, and the effects so far. */
export interface Turn {
  readonly state: RunState;
  readonly effects: Effect[];
}

export function emit(turn: Turn, kind: EffectKind, frame: Frame, index: number, dueAt = 0): void {
  turn.effects.push({ kind, frame, index, dueAt });
}
