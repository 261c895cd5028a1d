/**
 * Who waits here for runs that are executed elsewhere: they are looked for in the store when a notice
 * comes, and now and then, since one may be lost. All of them are one query.
 */
import type { RunRow, SharedReader } from "../stores/store.js";

/** How often runs that are waited for are looked for without a notice, in milliseconds. */
const POLL_MS = 500;

export class Elsewhere {
  readonly #store: Pick<SharedReader, "resting">;
  readonly #isHere: (id: string) => boolean;
  readonly #waiting = new Map<string, Set<(row: RunRow | undefined) => void>>();
  #new: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  /** Of runs that are `isHere`, somebody else tells. */
  constructor(store: Pick<SharedReader, "resting">, isHere: (id: string) => boolean = () => false) {
    this.#store = store;
    this.#isHere = isHere;
  }

  /**
   * Resolves when the run rests as far as the store knows, to its row, if it is there; `forget` says
   * that it is waited for no more.
   */
  wait(id: string): {
    readonly rest: Promise<RunRow | undefined>;
    readonly forget: () => void;
  } {
    const waiters = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiters);
    let forget = (): void => {};
    const rest = new Promise<RunRow | undefined>((resolve) => {
      waiters.add(resolve);
      forget = () => {
        waiters.delete(resolve);
        if (waiters.size === 0 && this.#waiting.get(id) === waiters) this.#waiting.delete(id);
      };
    });
    this.#new.push(id);
    // It may rest already. Those that are waited for from one moment on are looked for together.
    if (this.#new.length === 1) setImmediate(() => this.rested(this.#new.splice(0)));
    this.#arm();
    return { rest, forget };
  }

  /** These runs may rest; without ids, any may. */
  rested(ids: readonly string[] = [...this.#waiting.keys()]): void {
    const found = ids.filter((id) => this.#waiting.has(id));
    if (found.length > 0) void this.#look(found);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Whoever waits finds that nothing can be known here any more. */
  giveUp(): void {
    for (const waiters of this.#waiting.values()) for (const resolve of waiters) resolve(undefined);
    this.#waiting.clear();
  }

  #arm(): void {
    if (this.#closed || this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const looked = this.#looking ? Promise.resolve() : this.#look([...this.#waiting.keys()]);
      void looked.finally(() => this.#arm());
    }, POLL_MS);
  }

  async #look(ids: readonly string[]): Promise<void> {
    const others = ids.filter((id) => !this.#isHere(id));
    if (others.length === 0 || this.#closed) return;
    this.#looking = true;
    try {
      for (const [id, row] of await this.#store.resting(others)) {
        if (this.#isHere(id)) continue;
        const waiters = this.#waiting.get(id) ?? [];
        this.#waiting.delete(id);
        for (const resolve of waiters) resolve(row);
      }
    } catch {
      // The store cannot be read now: the next look is soon.
    } finally {
      this.#looking = false;
    }
  }
}
