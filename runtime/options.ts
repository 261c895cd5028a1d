/** What a coordinator and a start are told. What they do with it is in `coordinator.ts`. */
import type { Observer } from "./observing/observing.js";
import type { Clock } from "./clock.js";
import type { BoundSaga } from "./definition.js";
import type { RetentionOptions } from "./operating/retention.js";
import type { Limit } from "./execution/limits.js";
import type { Store, Transaction } from "./stores/store.js";

/** What a message is about: `run`, `saga`, and where it applies `node`, `attempt`, `reason`, `err`. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where a coordinator says what nobody asked for: `console`, winston, pino (which is recognised, and
 * given the fields first), or anything like them.
 */
export interface Logger {
  /** Runs that start and end. */
  info?(message: string, fields: LogFields): void;
  /** What is not as it should be, and steno has dealt with. */
  warn(message: string, fields: LogFields): void;
  /** Runs that need an operator. */
  error?(message: string, fields: LogFields): void;
}

/**
 * Why a run needs an operator: an action failed that pauses then, or behind a pivot; a node is in
 * doubt after its attempts; an undo failed for good; attempts ended with the process too often.
 */
export type PauseReason = "action-failed" | "in-doubt" | "undo-failed" | "crash-loop";

/** What `onPaused` is told. */
export interface PausedRun {
  readonly id: string;
  readonly saga: string;
  readonly reason: PauseReason;
  /** The node that needs an operator; `""` if it is the run itself. */
  readonly node: string;
  readonly attempt: number;
  /** The error as it was recorded; none for `crash-loop`. */
  readonly error: Error | undefined;
  /** It was so already when this coordinator was opened. */
  readonly recovered: boolean;
}

export interface CoordinatorOptions {
  readonly store: Store;
  /** The sagas that can be run. Of several of one name, the first gets the new runs. */
  readonly sagas: readonly BoundSaga[];
  readonly clock?: Clock;
  /** From 0 up to 1; for jitter. */
  readonly random?: () => number;
  /** Default: `console`, for warnings and errors only. */
  readonly logger?: Logger;
  /**
   * Called when a run has come to need an operator and that is durable: once for each node, and again
   * for each when a coordinator is opened. What it throws is logged.
   */
  readonly onPaused?: (run: PausedRun) => unknown;
  /** Those who look on, such as `openTelemetry()` of `steno-runtime/opentelemetry`. */
  readonly observers?: readonly Observer[];
  /** A run is paused when a node's attempts have ended with the process this often. Default 3. */
  readonly crashLimit?: number;
  /**
   * How many attempts of actions and undos may run at the same time, over all runs: per saga, per
   * action, per key. Those that wait begin in the order in which they came, undos before others.
   */
  readonly limits?: readonly Limit[];
  /**
   * A run that only waits, and for longer than this, is not kept in memory meanwhile, in
   * milliseconds. Default 10,000; `Infinity` keeps all.
   */
  readonly shortWaitMs?: number;
  /** Which finished runs are removed by and by. Default: none. */
  readonly retention?: RetentionOptions;
}

export interface StartOptions {
  /** Starting with the same id again gives the same run. Default: a random one. */
  readonly id?: string;
  /**
   * The run is there exactly if this transaction of the caller's is committed: a client of `pg` on the
   * database of the store, after its `BEGIN`. Only with `postgresStore()`.
   */
  readonly transaction?: Transaction;
  /** It starts nothing until `run.resume()`: so that something can be injected at its first nodes. */
  readonly paused?: boolean;
}
