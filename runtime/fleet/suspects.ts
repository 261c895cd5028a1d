/**
 * Runs that may be what ended their last coordinators. They go on one at a time: so the one that does
 * it again is alone with it, and those that were only beside it get to where they are not suspected.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClaimedRun } from "../stores/store.js";

/** How long one is watched before the next goes on, in milliseconds. */
const WATCH_MS = 2000;
const LOOK_MS = 10;

export interface SuspectsOptions {
  /** Goes on with a run. */
  readonly goOn: (run: ClaimedRun) => Promise<unknown>;
  /** Whether what it was suspected for is behind it, or it is not here any more. */
  readonly isCleared: (id: string) => boolean;
  readonly onError: (error: unknown) => void;
}

export class Suspects {
  readonly #options: SuspectsOptions;
  readonly #waiting: ClaimedRun[] = [];
  #watching: Promise<void> | undefined;

  constructor(options: SuspectsOptions) {
    this.#options = options;
  }

  get areWaiting(): boolean {
    return this.#watching !== undefined;
  }

  add(run: ClaimedRun): void {
    this.drop(run.row.id);
    // At any place: with the same order each time, those behind the one that does it would never go on.
    this.#waiting.splice(Math.floor(Math.random() * (this.#waiting.length + 1)), 0, run);
    this.#watching ??= this.#watchAll().finally(() => (this.#watching = undefined));
  }

  /** What was read of a run is not so any more. */
  drop(id: string): void {
    const place = this.#waiting.findIndex(({ row }) => row.id === id);
    if (place >= 0) this.#waiting.splice(place, 1);
  }

  /** Forgets those that wait, and gives their ids. */
  clear(): readonly string[] {
    return this.#waiting.splice(0).map(({ row }) => row.id);
  }

  async #watchAll(): Promise<void> {
    // What else was taken with them is under way first.
    await sleep(LOOK_MS);
    for (let run = this.#waiting.shift(); run !== undefined; run = this.#waiting.shift()) {
      const end = performance.now() + WATCH_MS;
      const { id } = run.row;
      try {
        await this.#options.goOn(run);
      } catch (error) {
        this.#options.onError(error);
      }
      while (performance.now() < end && !this.#options.isCleared(id)) await sleep(LOOK_MS);
    }
  }
}
