/**
 * Starts runs, or finds those that have the ids already, and makes them durable. What a new run is
 * made of is in `starting.ts`.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ActiveRuns } from "./active-runs.js";
import { encode } from "../codec.js";
import type { Executor } from "../executor.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { checkId, checkSame, idTaken, type JsonText, newRun } from "./starting.js";
import type { StartOptions } from "../options.js";
import type { StoreReader } from "../stores/store.js";

export interface StarterOptions {
  readonly reader: StoreReader;
  readonly executor: Executor;
  readonly runs: ActiveRuns;
  /** @throws StenoError when the coordinator starts nothing more. */
  readonly checkOpen: () => void;
  /** @throws StenoError when nothing new is started, but for runs that runs start */
  readonly checkStart: () => void;
}

/** A transaction that has started a run of the id is waited for so long, looked at each so often, in milliseconds. */
const LOCKED_MS = 60_000;
const LOCKED_PAUSE_MS = 500;

interface How {
  readonly paused?: boolean | undefined;
  /** Another run starts it. */
  readonly spawned?: boolean;
  /** When what others do under this id is waited for no longer, by `performance.now()`. */
  readonly until?: number;
}

/** Which run an id means: it may be used again when the run is pruned. */
export interface Started {
  readonly id: string;
  readonly nonce: string;
}

/** @throws StenoError `params-invalid` */
export function paramsText({ method }: LoadedSaga, params: unknown): string | undefined {
  return encode(method.params, params, "params", "params-invalid");
}

export class Starter {
  readonly #options: StarterOptions;
  /** The last start under each id, while it is under way. */
  readonly #starting = new Map<string, Promise<unknown>>();
  /** Hashes of the definitions that are in the store. */
  readonly #defined = new Set<string>();

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /** Starts a run; resolves when it is durable. Without an id it gets a random one. */
  async start(
    saga: LoadedSaga,
    params: JsonText,
    { id, paused }: StartOptions = {},
  ): Promise<Started> {
    if (id !== undefined) return this.startById(saga, params, id, { paused });
    return this.#create(saga, params, randomUUID(), { paused });
  }

  /** Two calls at the same time with one id are one run. */
  async startById(saga: LoadedSaga, params: JsonText, id: string, how: How): Promise<Started> {
    this.#options.checkOpen();
    checkId(id);
    const before = this.#starting.get(id) ?? Promise.resolve();
    const createOrFind = (): Promise<Started> => this.#createOrFind(saga, params, id, how);
    const starting = before.then(createOrFind, createOrFind);
    this.#starting.set(id, starting);
    try {
      return await starting;
    } finally {
      if (this.#starting.get(id) === starting) this.#starting.delete(id);
    }
  }

  async #createOrFind(saga: LoadedSaga, params: JsonText, id: string, how: How): Promise<Started> {
    const row = await this.#options.reader.run(id);
    if (row === undefined) return this.#create(saga, params, id, how);
    checkSame(row, saga, params);
    return row;
  }

  /** The new run is not there, since another has the id: one that somebody else started just now. */
  async #found(saga: LoadedSaga, params: JsonText, id: string, how: How): Promise<Started> {
    const row = await this.#options.reader.run(id);
    if (row === undefined) {
      const { until = performance.now() + LOCKED_MS } = how;
      if (performance.now() > until) throw idTaken(id, ", of a transaction that is still open");
      await sleep(LOCKED_PAUSE_MS);
      return this.#create(saga, params, id, { ...how, until });
    }
    checkSame(row, saga, params);
    return row;
  }

  async #create(saga: LoadedSaga, params: JsonText, id: string, how: How): Promise<Started> {
    const { executor, runs } = this.#options;
    const { paused = false, spawned = false } = how;
    this.#options.checkOpen();
    if (!spawned) this.#options.checkStart();
    const { manifest } = saga;
    if (!this.#defined.has(manifest.hash)) {
      this.#defined.add(manifest.hash);
      executor.define(manifest);
    }
    const { run, events, effects } = newRun(saga, params, id, executor.clock.now(), paused);
    runs.add(run);
    executor.add(run, effects, events);
    try {
      await executor.durable(run);
    } catch (error) {
      if (!run.lost) throw error;
    }
    if (!run.refused) return run;
    runs.forget(run);
    if (!run.lost) return this.#found(saga, params, id, how);
    return this.#create(saga, params, id, how);
  }
}
