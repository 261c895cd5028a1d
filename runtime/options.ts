/** What a coordinator and a start are told. What they do with it is in `coordinator.ts`. */
import type { Clock } from "./clock.js";
import type { BoundSaga } from "./definition.js";
import type { Store } from "./stores/store.js";

/** Where a coordinator says what nobody asked for. `console` is one. */
export interface Logger {
  warn(message: string): void;
}

export interface CoordinatorOptions {
  readonly store: Store;
  /** The sagas that can be run. Of several of one name, the first gets the new runs. */
  readonly sagas: readonly BoundSaga[];
  readonly clock?: Clock;
  /** From 0 up to 1; for jitter. */
  readonly random?: () => number;
  /** Default: `console`. */
  readonly logger?: Logger;
  /** A run is paused when a node's attempts have ended with the process this often. Default 3. */
  readonly crashLimit?: number;
}

export interface StartOptions {
  /** Starting with the same id again gives the same run. Default: a random one. */
  readonly id?: string;
  /** It starts nothing until `run.resume()`: so that something can be injected at its first nodes. */
  readonly paused?: boolean;
}
