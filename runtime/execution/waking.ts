/**
 * Brings runs back when they are due: all that acted when the last coordinator ended, a batch at a
 * time, and later each that waited for its time. It finds them in the store, and has one timer for
 * the first of them. How a run is brought back is in `active-runs.ts`.
 */
import type { Clock } from "../clock.js";
import type { DueFilter, StoreOwner } from "../stores/store.js";

export interface WakingOptions {
  readonly owner: StoreOwner;
  readonly clock: Clock;
  /** Brings a run back, if it is not in memory. */
  readonly bring: (id: string) => Promise<unknown>;
  /** Resolves when there is room for more runs. */
  readonly room: () => Promise<void>;
  /** Resolves when all that has happened so far is durable. */
  readonly durable: () => Promise<void>;
  /** The store cannot be read now. */
  readonly onError: (error: unknown) => void;
}

/** Runs that are brought back in one commit. */
const BATCH = 200;

/** Nothing is 0 there: runs that act are brought back once, when the store is opened. */
const WAITING = { wakeAt: 1, id: "" };

const SOON_MS = 20;

/** A store that could not be read is asked again after this long, in milliseconds. */
const AGAIN_MS = 1000;

export class Waking {
  readonly #options: WakingOptions;
  #armed: { readonly at: number; readonly cancel: () => void } | undefined;
  /** The search that is under way. */
  #search: Promise<void> | undefined;
  #closed = false;

  constructor(options: WakingOptions) {
    this.#options = options;
  }

  /** Whether runs that are due may not be in memory yet. */
  get isSearching(): boolean {
    return this.#search !== undefined;
  }

  /**
   * Brings back what acted, and what is due by now. Resolves when the first batch is under way; the
   * others follow as there is room for them.
   */
  async start(): Promise<void> {
    const from = await this.#bringBatch(undefined);
    this.#begin(from);
  }

  /** A run has left memory, to be woken at a time. */
  note(at: number): void {
    // A search that is under way ends with a look at what comes next.
    if (this.#search === undefined) this.#arm(at);
  }

  /** Brings back nothing more; resolves when nothing is being brought back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#armed?.cancel();
    await this.#search;
  }

  #begin(from: DueFilter["after"]): void {
    this.#search = this.#bringDue(from)
      .catch((error: unknown) => {
        this.#options.onError(error);
        return this.#options.clock.now() + AGAIN_MS;
      })
      .then((next) => {
        this.#search = undefined;
        if (next !== undefined) this.#arm(next);
      });
  }

  /** Brings back all that is due; resolves to when there is more to do. */
  async #bringDue(from: DueFilter["after"]): Promise<number | undefined> {
    for (let after = from; after !== undefined && !this.#closed;) {
      await this.#options.room();
      after = await this.#bringBatch(after);
    }
    const [next] = await this.#options.owner.due({ until: Infinity, after: WAITING, limit: 1 });
    const now = this.#options.clock.now();
    // It became due just now, or is in memory and has not been written yet: not at once, in case.
    return next?.wakeAt !== undefined && next.wakeAt <= now ? now + SOON_MS : next?.wakeAt;
  }

  /** Gives where to go on; `undefined` after the last batch. */
  async #bringBatch(after: DueFilter["after"]): Promise<DueFilter["after"]> {
    const { owner, clock, bring, durable } = this.#options;
    const rows = await owner.due({
      until: clock.now(),
      limit: BATCH,
      ...(after !== undefined && { after }),
    });
    for (const { id } of rows) {
      if (this.#closed) return undefined;
      await bring(id);
    }
    await durable();
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return undefined;
    return { wakeAt: last.wakeAt ?? 0, id: last.id };
  }

  #arm(at: number): void {
    if (this.#closed || (this.#armed !== undefined && this.#armed.at <= at)) return;
    this.#armed?.cancel();
    const cancel = this.#options.clock.setTimer(at, () => {
      this.#armed = undefined;
      if (this.#search === undefined && !this.#closed) this.#begin(WAITING);
    });
    this.#armed = { at, cancel };
  }
}
