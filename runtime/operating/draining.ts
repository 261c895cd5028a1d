/**
 * Draining: nothing new is started, and what is under way comes to rest. A call of `drain()` does so
 * until it resolves; an operator, until told otherwise or the coordinator is closed. Where several share
 * a store, an operator drains them all, and those that come: the store keeps it until told otherwise.
 */
import type { ActiveRuns } from "../execution/active-runs.js";
import { StenoError } from "../errors.js";
import type { Executor } from "../executor.js";
import { REQUEST_POLL_MS, type Requests } from "./requests.js";
import { DRAINING } from "../stores/store.js";

export interface DrainingOptions {
  readonly runs: ActiveRuns;
  readonly requests: Requests;
  readonly executor: Executor;
  /** Whether others share the store. */
  readonly isShared: boolean;
  /** @throws StenoError when the coordinator is closed, or has lost its store */
  readonly checkOpen: () => void;
}

/** Whether an operator drains all that share a store. */
export function isDrained(kept: ReadonlyMap<string, string>): boolean {
  return kept.has(DRAINING);
}

export function draining(who: string): StenoError {
  return new StenoError(
    "coordinator-draining",
    `${who} starts nothing new, since it is being drained: start it elsewhere, or later ` +
      "(after `drain()` has resolved; if an operator did it, after `steno drain --end`)",
  );
}

export class Draining {
  readonly #options: () => DrainingOptions;
  /** Calls that wait now. */
  #waiting = 0;
  /** An operator wants nothing new to be started. */
  #byOperator = false;
  /** Who waits for the next run to rest. */
  #rested: (() => void)[] = [];

  constructor(options: () => DrainingOptions) {
    this.#options = options;
  }

  /** @throws StenoError `coordinator-draining` */
  checkStart(): void {
    if (this.#waiting > 0 || this.#byOperator) throw draining("the coordinator");
  }

  /** An operator wants nothing new to be started, or that it is again; not durably yet. */
  change(isOn: boolean): void {
    this.#byOperator = isOn;
    const { executor, isShared } = this.#options();
    if (!isShared) return;
    executor.write({ kind: "keep", name: DRAINING, value: isOn ? "true" : undefined });
  }

  /** Takes what the store has kept. */
  load(kept: ReadonlyMap<string, string>): void {
    if (this.#options().isShared) this.#byOperator = isDrained(kept);
  }

  /** Waits until no run can move without an operator, and what they asked for is done and durable. */
  async wait(): Promise<void> {
    const { runs, requests, executor, checkOpen } = this.#options();
    checkOpen();
    this.#waiting += 1;
    try {
      for (;;) {
        if (await runs.areMoving()) await this.#untilRested();
        else if ((await requests.answerAll()) === 0 && !(await runs.areMoving())) break;
        checkOpen();
      }
      await executor.durable();
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Until a run rests; one that is paused, or waits, never does: it is looked at again now and then. */
  #untilRested(): Promise<void> {
    return new Promise<void>((resolve) => {
      const again = setTimeout(resolve, REQUEST_POLL_MS);
      this.#rested.push(() => {
        clearTimeout(again);
        resolve();
      });
    });
  }

  /** Something may be at rest now. */
  wake(): void {
    for (const wake of this.#rested.splice(0)) wake();
  }
}
