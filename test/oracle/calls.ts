/**
 * What the reference keeps of a run: its calls, what it waits for, its scopes. What becomes of them
 * is in `reference.ts`.
 */
import type { Scope as TryScope } from "./expressions.js";

export interface Policy {
  readonly attempts: number;
  readonly delayMs: number;
  readonly factor: number;
}

export interface ActionText {
  readonly undo: "none" | "done" | "started";
  readonly retry: Policy;
  readonly undoRetry: Policy;
}

export type State =
  | ("queued-todo" | "working" | "waiting-to-retry" | "in-doubt" | "stuck-in-doubt" | "done")
  | ("failed" | "abandoned" | "queued-undo" | "undo-working" | "waiting-to-retry-undo")
  | ("undone" | "undo-failed");

/** One call of an action. */
export interface Call {
  /** Names the call: unique in a run. */
  readonly key: string;
  readonly method: string;
  readonly inputs: readonly unknown[];
  readonly scope: Scope;
  /** What had ended, to the knowledge of who started it. */
  readonly past: ReadonlySet<Call>;
  state: State;
  /** Attempts so far, and those of them that do not count: a crash or an operator ended them. */
  attempts: number;
  free: number;
  undos: number;
  undoFree: number;
  dueAt: number;
  /** It may go on while others are stuck. */
  freed: boolean;
  output: unknown;
  readonly succeed: (output: unknown) => void;
}

/** A sleep, or an event that is waited for: no longer than that. */
export interface Wait {
  readonly scope: Scope;
  readonly event: string | undefined;
  dueAt: number | undefined;
  readonly durationMs: number;
  over: boolean;
  readonly succeed: (payload?: unknown) => void;
}

/** A run that is started by another; it begins when nothing holds up the one that starts it. */
export interface Spawn {
  readonly scope: Scope;
  readonly begin: () => SpawnedRun;
  run: SpawnedRun | undefined;
  /** Absent: its result is waited for. */
  readonly id: { readonly value: unknown } | undefined;
  over: boolean;
  readonly succeed: (value: unknown) => void;
}

export interface SpawnedRun {
  readonly finished: "succeeded" | "undone" | undefined;
  readonly output: unknown;
  readonly root: { readonly failures: readonly string[] };
}

export class Scope implements TryScope {
  /** Messages of the failures, in the order in which they were recorded. */
  readonly failures: string[] = [];
  failed = false;
  handled = false;
  catch = (_: Error): void => {};

  constructor(readonly outer: Scope | undefined) {}

  /** Whether it has failed, or one around it. */
  get over(): boolean {
    return this.failed || (this.outer?.over ?? false);
  }

  within(scope: Scope): boolean {
    return this === scope || (this.outer?.within(scope) ?? false);
  }
}

/** How an attempt ended. */
export type End =
  | { readonly as: "succeeded"; readonly output: unknown }
  | { readonly as: "failed" | "timeout"; readonly message: string };

/** A call that has just been made. */
export function newCall(
  made: Pick<Call, "key" | "method" | "inputs" | "scope" | "past" | "succeed">,
): Call {
  const state: State = made.scope.over ? "abandoned" : "queued-todo";
  const counts = { attempts: 0, free: 0, undos: 0, undoFree: 0, dueAt: 0, freed: false };
  return { ...made, ...counts, state, output: undefined };
}

/** How long is waited before the next attempt, in milliseconds. */
export function pause({ delayMs, factor }: Policy, attempts: number): number {
  return delayMs * factor ** (attempts - 1);
}
