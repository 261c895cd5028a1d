/**
 * Takes runs that are due from a store that several coordinators share, as many at a time as there is
 * room for here: those that acted when their coordinator ended, those that others started, and those
 * that waited for their time. How a run goes on is in `active-runs.ts`.
 */
import type { Clock } from "../clock.js";

export interface ClaimingOptions {
  readonly clock: Clock;
  /** Goes on with what is due by then, `limit` runs at most; resolves to how many there were. */
  readonly takeDue: (until: number, limit: number) => Promise<number>;
  /** Resolves when there is room for more runs, or now and then. */
  readonly room: () => Promise<void>;
  /** For how many there is room now. */
  readonly free: () => number;
  /** Resolves when all that has happened so far is durable. */
  readonly durable: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * Runs that are taken at a time: so few at first that others have their share, and twice as many each
 * time that there were more, since each time takes as long as the database is away.
 */
const BATCH = { least: 50, most: 400 } as const;

/** A store that could not be read is asked again after this long, in milliseconds. */
const AGAIN_MS = 1000;

export class Claiming {
  readonly #options: ClaimingOptions;
  #search: Promise<void> | undefined;
  #again = false;
  #batch: number = BATCH.least;
  #armed: { readonly at: number; readonly cancel: () => void } | undefined;
  #closed = false;

  constructor(options: ClaimingOptions) {
    this.#options = options;
  }

  get isSearching(): boolean {
    return this.#search !== undefined;
  }

  /** Takes what is due; resolves when the first batch is under way. */
  async start(): Promise<void> {
    const taken = await this.#takeBatch();
    if (taken > 0) this.look();
  }

  /** A run that was here is due then. */
  note(at: number): void {
    this.#arm(at);
  }

  /** Something is due, or will be at this time. */
  due(at: number): void {
    if (at <= this.#options.clock.now()) this.look();
    else this.#arm(at);
  }

  look(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#search ??= this.#takeAll()
      .catch((error: unknown) => {
        this.#options.onError(error);
        this.#arm(this.#options.clock.now() + AGAIN_MS);
      })
      .finally(() => {
        this.#search = undefined;
        // It came while the last look ended.
        if (this.#again) this.look();
      });
  }

  /** Takes nothing more; resolves when nothing is being taken. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#armed?.cancel();
    await this.#search;
  }

  async #takeAll(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      while (!this.#closed) {
        await this.#options.room();
        if ((await this.#takeBatch()) === 0 && this.#options.free() > 0) break;
        // Meanwhile, others take theirs.
        await this.#options.durable();
      }
    }
    this.#again = false;
  }

  async #takeBatch(): Promise<number> {
    const { clock, takeDue, free } = this.#options;
    const limit = Math.min(this.#batch, free());
    if (this.#closed || limit <= 0) return 0;
    const taken = await takeDue(clock.now(), limit);
    this.#batch = taken < limit ? BATCH.least : Math.min(2 * this.#batch, BATCH.most);
    return taken;
  }

  #arm(at: number): void {
    if (this.#closed || (this.#armed !== undefined && this.#armed.at <= at)) return;
    this.#armed?.cancel();
    const cancel = this.#options.clock.setTimer(at, () => {
      this.#armed = undefined;
      this.look();
    });
    this.#armed = { at, cancel };
  }
}
