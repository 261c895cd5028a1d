/**
 * What an operator has injected at nodes, for tests of live systems: it is kept with the run's state,
 * by path, since the node may be in a graph that has not begun. What may be injected where, and in
 * which words it is asked for, is in `inject.ts`.
 */
import type { SagaEvent } from "../events.js";
import type { Node } from "../manifest.js";
import { type Frame, nodeOf, pathOf, type RunState } from "../state.js";

/** Each is used once: it is gone when the node, or its undo, has come to its end. */
export interface Injected {
  /** JSON text of the error with which the node fails; its body is not called. */
  readonly error?: string | undefined;
  /** The same for its undo, after which the run is stuck. */
  readonly undoError?: string | undefined;
  /** How often the body is called in one attempt; the last call counts. */
  readonly repeat?: number | undefined;
  /** How often the undo is called in one attempt, up to its first error. */
  readonly undoRepeat?: number | undefined;
}

/** Keeps what is injected: what was injected there before stays, unless it is of the same kind. */
export function inject(
  state: RunState,
  { node, value }: Extract<SagaEvent, { readonly type: "injected" }>,
): void {
  const { error, undoError, repeat, undoRepeat } = JSON.parse(value) as Injected;
  const before = state.injections?.get(node);
  (state.injections ??= new Map()).set(node, {
    error: error ?? before?.error,
    undoError: undoError ?? before?.undoError,
    repeat: repeat ?? before?.repeat,
    undoRepeat: undoRepeat ?? before?.undoRepeat,
  });
}

/** What is injected at a node and not used yet. */
export function injectedAt(state: RunState, frame: Frame, index: number): Injected | undefined {
  return state.injections?.get(pathOf(frame, index));
}

/** What is recorded as begun first: such a node fails when it calls its body, or is left. */
const BEGINS: ReadonlySet<Node["kind"]> = new Set(["action", "spawn", "subsaga", "map", "loop"]);

/**
 * The error with which a node that calls nothing fails, instead of the answer to an effect; JSON text.
 * A node that holds graphs fails when they are complete, so that all in them is undone.
 */
export function failsInstead(
  state: RunState,
  frame: Frame,
  index: number,
  leaves: boolean,
): string | undefined {
  if (state.injections === undefined || index < 0) return undefined;
  const { kind } = nodeOf(frame, index);
  const answers = !BEGINS.has(kind);
  return leaves || answers ? injectedAt(state, frame, index)?.error : undefined;
}

/** A node, or its undo, has come to its end: what was injected for it is used. */
export function useInjected({ injections }: RunState, event: SagaEvent): void {
  if (injections === undefined || !("node" in event)) return;
  const found = injections.get(event.node);
  if (found === undefined) return;
  switch (event.type) {
    case "succeeded":
    case "failed":
    case "failure-held":
    case "output-settled":
    case "decided":
    case "skipped":
    case "timer-fired":
    case "spawned":
      injections.set(event.node, { ...found, error: undefined, repeat: undefined });
      break;
    case "undone":
    case "undo-failed":
    case "undo-settled":
      injections.delete(event.node);
      break;
    default:
  }
}
