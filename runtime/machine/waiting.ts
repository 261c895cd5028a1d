/**
 * Whether a run only waits: then its state need not be kept, since its log gives it back. It changes
 * nothing; what is outstanding is in `outstanding.ts`.
 */
import { PHASE, type Place, type RunState, nodeOf } from "../state.js";
import type { Effect, Turn } from "./effects.js";
import { emitOutstanding } from "./outstanding.js";

/** What a run waits for. */
export interface Wait {
  /** When the first of its timers is due; `undefined` if something else has to come. */
  readonly dueAt: number | undefined;
}

/** What a state asks its host for, as if nobody had been asked before. */
export function outstandingOf(state: RunState): readonly Effect[] {
  const turn: Turn = { state, effects: [], begun: [] };
  emitOutstanding(turn);
  return turn.effects;
}

/** What the run waits for; `undefined` if it is finished, or its host has something to do for it now. */
export function waitOf(state: RunState): Wait | undefined {
  if (state.finished !== undefined || state.inFlight > 0) return undefined;
  let first = Infinity;
  for (const { kind, dueAt } of outstandingOf(state)) {
    if (kind === "watch") continue;
    if (kind !== "timer" || dueAt <= 0) return undefined;
    first = Math.min(first, dueAt);
  }
  return { dueAt: first === Infinity ? undefined : first };
}

/** The nodes that start another run, or wait for it. */
export function spawningNodes(state: RunState): Place[] {
  const found: Place[] = [];
  if (state.finished !== undefined) return found;
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      if (nodeOf(frame, index).kind === "spawn" && SPAWNING.has(frame.phase[index] as number)) {
        found.push({ frame, index });
      }
    }
  }
  return found;
}

const SPAWNING: ReadonlySet<number> = new Set([
  PHASE.working,
  PHASE.backoff,
  PHASE.doubt,
  PHASE.doubtStuck,
  PHASE.held,
  PHASE.waiting,
]);

/** The id of the run that a node starts or waits for. */
export function awaitedAt({ frame, index }: Place): string {
  const [id] = JSON.parse(frame.inputs[index] ?? "[]") as unknown[];
  return String(id);
}
