/** The bodies of a simulation: slow, failing, repeated, deaf to their signal; each call is checked. */
import { actionContext } from "steno-runtime";
import type { Choose } from "./random.js";
import type { Actor } from "./sagas.js";
import type { Truth } from "./truth.js";
import type { World } from "./world.js";

export class RandomActor implements Actor {
  /** Whether bodies fail. */
  faults: boolean;
  readonly #world: World;
  readonly #choose: Choose;
  readonly #truth: Truth;

  constructor(world: World, choose: Choose, truth: Truth, faults: boolean) {
    this.#world = world;
    this.#choose = choose;
    this.#truth = truth;
    this.faults = faults;
  }

  async act(...args: readonly unknown[]): Promise<unknown> {
    const { node, attempt } = await this.#call(args, false);
    return `${node}#${attempt}`;
  }

  async u(...args: readonly unknown[]): Promise<void> {
    await this.#call(args, true);
  }

  async #call(
    args: readonly unknown[],
    undo: boolean,
  ): Promise<{ readonly node: string; readonly attempt: number }> {
    const { sagaId: run, idempotencyKey: key, node, attempt, signal } = actionContext();
    this.#truth.called({ run, key, node, attempt, undo, args });
    const fate = this.faults ? this.#choose(12) : 11;
    if (fate === 0) throw new Error(`${node} fails at once`);
    // With a timeout this is one that has its effect late.
    for (let turns = this.#choose(fate === 1 ? 30 : 4); turns > 0; turns--) {
      await this.#world.pause();
      if (signal.aborted && fate > 5) throw signal.reason;
    }
    if (fate === 2) throw new Error(`${node} fails`);
    if (fate === 3 && this.#choose(4) === 0) return (() => undefined) as never;
    return { node, attempt };
  }
}
