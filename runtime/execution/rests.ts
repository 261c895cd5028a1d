/** Who waits for a run to rest, by the run's id: the run itself need not be in memory meanwhile. */
import type { RunState } from "../state.js";

interface Waiter {
  readonly resolve: (state: RunState) => void;
  readonly reject: (error: Error) => void;
}

export class Rests {
  readonly #waiters = new Map<string, Set<Waiter>>();

  /** Resolves to the state in which the run rests; `forget` says that it is waited for no more. */
  wait(id: string): { readonly rest: Promise<RunState>; readonly forget: () => void } {
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters);
    let forget = (): void => {};
    const rest = new Promise<RunState>((resolve, reject) => {
      const waiter = { resolve, reject };
      waiters.add(waiter);
      forget = () => {
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
      };
    });
    return { rest, forget };
  }

  settle(id: string, state: RunState): void {
    for (const { resolve } of this.#take(id)) resolve(state);
  }

  /** Tells whoever waits for a run, or for any run, that it cannot be known here. */
  giveUp(error: Error, id?: string): void {
    const ids = id === undefined ? [...this.#waiters.keys()] : [id];
    for (const each of ids) for (const { reject } of this.#take(each)) reject(error);
  }

  #take(id: string): Iterable<Waiter> {
    const waiters = this.#waiters.get(id) ?? [];
    this.#waiters.delete(id);
    return waiters;
  }
}
