/**
 * A store that is slow, fails and tears: each call takes as long as the world lets it, a commit may
 * fail before it was applied or after, and one that is under way when the process ends is applied or
 * not. Where it has lanes, several are under way, and are applied in any order. It holds what it is given in a real store; all that was written is told to the {@link Truth}.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { memoryStore, sqliteStore, type Store, StoreError, type StoreOwner } from "steno-runtime";
import type { Write } from "../../runtime/stores/store.js";
import type { Choose } from "./random.js";
import type { Truth } from "./truth.js";
import type { World } from "./world.js";

export interface StoreFaults {
  /** Commits and reads fail, before anything is done. */
  readonly failing: boolean;
  /** Commits fail after they were applied. */
  readonly torn: boolean;
}

/** `lanes`: in memory, with several commits at a time. */
export const STORES = ["memory", "sqlite", "lanes"] as const;
export type StoreKind = (typeof STORES)[number];

const LANES = 3;

export class SimulatedStore implements Store {
  faults: StoreFaults;
  readonly #world: World;
  readonly #choose: Choose;
  readonly #truth: Truth;
  readonly #inner: Store;
  readonly #folder: string | undefined;
  readonly #lanes: number;
  #owner: StoreOwner | undefined;
  /** What is on its way to the disk. */
  readonly #pending = new Set<() => Promise<void>>();

  constructor(world: World, choose: Choose, truth: Truth, faults: StoreFaults, kind: StoreKind) {
    this.#folder = kind === "sqlite" ? mkdtempSync(join(tmpdir(), "steno-simulate-")) : undefined;
    this.#inner =
      this.#folder === undefined ? memoryStore() : sqliteStore(join(this.#folder, "store.db"));
    this.#lanes = kind === "lanes" ? LANES : 1;
    this.#world = world;
    this.#choose = choose;
    this.#truth = truth;
    this.faults = faults;
  }

  begin(): Promise<void> {
    return Promise.resolve();
  }

  /** There is one process. */
  of(): this {
    return this;
  }

  reader(): ReturnType<Store["reader"]> {
    return this.#inner.reader();
  }

  async open(): Promise<StoreOwner> {
    await this.#world.pause();
    const owner = await this.#inner.open();
    this.#owner = owner;
    const own = (name: string, args: readonly unknown[]): Promise<unknown> =>
      (owner as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>)[
        name
      ]?.(...args) as Promise<unknown>;
    return new Proxy(owner, {
      get: (_, name) => {
        if (name === "then" || typeof name === "symbol") return undefined;
        if (name === "epoch") return owner.epoch;
        if (name === "lanes") return this.#lanes;
        if (name === "close") return () => owner.close();
        if (name === "commit") return (writes: readonly Write[]) => this.#commit(owner, writes);
        // What it has no part in, such as a fleet.
        if (typeof Reflect.get(owner, name) !== "function") return Reflect.get(owner, name);
        return (...args: readonly unknown[]) => this.#read(() => own(name, args));
      },
    });
  }

  /** The process has ended. What was on its way has arrived, or not. */
  async crash(): Promise<void> {
    const pending = [...this.#pending];
    this.#pending.clear();
    while (pending.length > 0) {
      const [apply] = pending.splice(pending.length > 1 ? this.#choose(pending.length) : 0, 1);
      if (this.#choose(2) === 0) await apply?.().catch(() => undefined);
    }
    await this.#owner?.close();
  }

  /** What is read back is what was written. */
  async check(): Promise<void> {
    const reader = await this.#inner.reader();
    for (const [id, { row, events }] of this.#truth.runs) {
      const [found, log] = [await reader.run(id), await reader.events(id)];
      this.#truth.check(isDeepStrictEqual(found, row), `run ${id} is read back with another row`);
      this.#truth.check(isDeepStrictEqual(log, events), `run ${id} is read back with another log`);
    }
    await reader.close();
  }

  /** Nothing of it stays. */
  async remove(): Promise<void> {
    await this.#owner?.close();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
  }

  async #read(act: () => Promise<unknown>): Promise<unknown> {
    await this.#world.pause();
    if (this.faults.failing && this.#choose(300) === 0) {
      throw new StoreError("store-unreadable", "the disk could not be read");
    }
    return act();
  }

  async #commit(owner: StoreOwner, writes: readonly Write[]): Promise<void> {
    // Of its own: nobody can change what was written.
    const copy = freeze(structuredClone(writes));
    const apply = async (): Promise<void> => {
      await owner.commit(copy);
      this.#truth.apply(copy);
    };
    this.#truth.check(this.#pending.size < this.#lanes, "more commits are under way than lanes");
    this.#pending.add(apply);
    await this.#world.pause();
    this.#pending.delete(apply);
    if (this.faults.failing && this.#choose(80) === 0) throw full();
    await apply();
    await this.#world.pause();
    if (this.faults.torn && this.#choose(80) === 0) throw full();
  }
}

function full(): StoreError {
  return new StoreError("store-full", "no space is left: make room, and open it again");
}

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(freeze);
  return value;
}
