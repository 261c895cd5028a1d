/**
 * The public face of the runtime: opens a store, goes on with what is unfinished, starts runs, and
 * finds them again. How a run proceeds is in `executor.ts` and `machine.ts`.
 */
import { randomUUID } from "node:crypto";
import { ActiveRun } from "./active-run.js";
import { type Clock, systemClock } from "./clock.js";
import { encode } from "./codec.js";
import { type CommandArguments, eventOf } from "./control.js";
import type { AnySagaDefinition, BoundSaga, SagaDefinition } from "./definition.js";
import { StenoError } from "./errors.js";
import { Executor, isMoving } from "./executor.js";
import { type LoadedSaga, loadSaga } from "./loaded-saga.js";
import { crashesIfRecovered } from "./machine/outstanding.js";
import { crashLimitOf, restore, unfinishedRuns, type UnrecoveredRun } from "./recovery.js";
import { REQUEST_POLL_MS, Requests } from "./requests.js";
import { checkSpawns, Spawns } from "./spawns.js";
import { Run, type RunHost } from "./run.js";
import { checkId, checkSame, idTaken, type JsonText, newRun } from "./starting.js";
import { statusOf } from "./state.js";
import type { RunRow, RunStatus, Store, StoreOwner } from "./stores/store.js";

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
}

/** When `close()` says what it waits for. */
const CLOSE_WARNING_MS = 10_000;

/** Runs sagas on a store, as its only owner. */
export class Coordinator {
  readonly #owner: StoreOwner;
  readonly #sagas: readonly LoadedSaga[];
  readonly #executor: Executor;
  readonly #spawns: Spawns;
  readonly #requests: Requests;
  readonly #logger: Logger;
  readonly #crashLimit: number;
  readonly #active = new Map<string, ActiveRun>();
  readonly #starting = new Map<string, Promise<Run<never>>>();
  readonly #defined = new Set<string>();
  readonly #unrecovered = new Map<string, UnrecoveredRun>();
  /** Who waits for the next run to rest. */
  #rested: (() => void)[] = [];
  #closed: Promise<void> | undefined;
  #lost: Error | undefined;

  private constructor(
    owner: StoreOwner,
    sagas: readonly LoadedSaga[],
    options: CoordinatorOptions,
  ) {
    this.#owner = owner;
    this.#sagas = sagas;
    this.#logger = options.logger ?? console;
    this.#crashLimit = crashLimitOf(options);
    const spawns = new Spawns(
      {
        start: async (saga, params, id) => this.#startById(this.#latest(saga), params, id),
        isFinished: async (id) => isFinal((await this.#owner.run(id))?.status),
        result: async (id) => (await this.run(id))?.result(),
      },
      () => this.#executor,
    );
    this.#spawns = spawns;
    this.#executor = new Executor({
      owner,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      onRest: (run) => this.#rest(run),
      spawn: (run, frame, index) => void spawns.begin(run, frame, index),
      watch: (run, frame, index) => spawns.watch(run, frame, index),
      onLost: (error) => this.#lose(error),
    });
    this.#requests = new Requests({
      owner,
      executor: this.#executor,
      act: (run, command, args) => this.#command(run, command, args),
      warn: (message) => this.#warn(message),
    });
  }

  /**
   * Opens the store, and goes on with every run in it that is not finished.
   * @throws StoreError if the store cannot be opened, or another coordinator owns it
   * @throws StenoError if a saga cannot be run
   */
  static async open(options: CoordinatorOptions): Promise<Coordinator> {
    // Before the store is opened: a wrong call must leave nothing behind.
    const sagas = options.sagas.map(loadSaga);
    checkSpawns(sagas);
    crashLimitOf(options);
    const owner = await options.store.open();
    const coordinator = new Coordinator(owner, sagas, options);
    try {
      await coordinator.#recover();
      // What operators asked for while nobody had the store.
      while ((await coordinator.#requests.answerAll()) > 0);
    } catch (error) {
      await coordinator.close();
      throw error;
    }
    coordinator.#requests.start();
    return coordinator;
  }

  /** Unfinished runs that cannot go on here, and why. */
  get unrecovered(): readonly UnrecoveredRun[] {
    return [...this.#unrecovered.values()];
  }

  /**
   * Starts a run; resolves when it is durable.
   * @throws StenoError `value-not-json` for params that cannot be stored, `run-exists` when the id
   * belongs to a run of another saga or with other params
   */
  async start<Instance extends object, Params, Result>(
    definition: SagaDefinition<Instance, Params, Result>,
    params: Params,
    { id }: StartOptions = {},
  ): Promise<Run<Result>> {
    this.#checkOpen();
    const saga = this.#loaded(definition as unknown as AnySagaDefinition);
    const text = encode(params, "params");
    if (id === undefined) return this.#create(saga, text, randomUUID());
    return this.#startById(saga, text, id);
  }

  /** Two calls at the same time with one id are one run. */
  async #startById<Result>(saga: LoadedSaga, text: JsonText, id: string): Promise<Run<Result>> {
    this.#checkOpen();
    checkId(id);
    const before = this.#starting.get(id) ?? Promise.resolve();
    const starting = before.then(
      () => this.#createOrFind<Result>(saga, text, id),
      () => this.#createOrFind<Result>(saga, text, id),
    );
    this.#starting.set(id, starting as Promise<Run<never>>);
    try {
      return await starting;
    } finally {
      if (this.#starting.get(id) === (starting as Promise<Run<never>>)) this.#starting.delete(id);
    }
  }

  /** The handle of a run, finished or not; `undefined` if there is none. */
  async run(id: string): Promise<Run | undefined> {
    this.#checkOpen();
    const active = this.#active.get(id);
    if (active === undefined && (await this.#owner.run(id)) === undefined) return undefined;
    return this.#handle(id, active);
  }

  /**
   * Waits until no run can move without an operator, what operators have asked for is done, and all
   * of that is durable.
   * @throws StenoError if the coordinator is closed, or loses its store
   */
  async drain(): Promise<void> {
    this.#checkOpen();
    while (this.#isMoving() || (await this.#requests.answerAll()) > 0 || this.#isMoving()) {
      if (!this.#isMoving()) continue;
      await new Promise<void>((resolve) => {
        // A run that is paused never rests: it is looked at again now and then.
        const again = setTimeout(resolve, REQUEST_POLL_MS);
        this.#rested.push(() => {
          clearTimeout(again);
          resolve();
        });
      });
      this.#checkOpen();
    }
    await this.#executor.durable();
  }

  #isMoving(): boolean {
    for (const run of this.#active.values()) if (isMoving(run)) return true;
    return false;
  }

  #rest(run: ActiveRun): void {
    if (run.state.finished !== undefined) {
      this.#active.delete(run.id);
      this.#spawns.finished(run.id);
    }
    this.#wakeDrains();
  }

  #wakeDrains(): void {
    for (const wake of this.#rested.splice(0)) wake();
  }

  /**
   * Starts nothing more, waits for the bodies that run, and releases the store. Runs that are not
   * finished go on when it is opened again.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const answered = this.#requests.stop();
    const waiting = setTimeout(() => this.#tellWhatRuns(), CLOSE_WARNING_MS);
    await this.#executor.close();
    clearTimeout(waiting);
    await answered;
    const closed = new StenoError(
      "coordinator-closed",
      "the coordinator was closed before the run came to rest: it goes on when the store is opened again",
    );
    for (const run of this.#active.values()) run.giveUp(closed);
    this.#wakeDrains();
    await this.#owner.close();
  }

  #tellWhatRuns(): void {
    const bodies = [...this.#active.values()].flatMap(({ id, attempts }) =>
      Array.from(attempts.keys(), (node) => `\`${node}\` of run \`${id}\``),
    );
    this.#warn(
      `close() still waits for ${bodies.slice(0, 10).join(", ")}: give an action that may hang a timeout`,
    );
  }

  #loaded({ manifest: { name, hash } }: AnySagaDefinition): LoadedSaga {
    const saga = this.#latest(name);
    if (saga.manifest.hash === hash) return saga;
    throw new StenoError(
      "definition-not-open",
      `\`${name}\` is in \`sagas\` first with another definition: new runs take the first`,
    );
  }

  #latest(name: string): LoadedSaga {
    const saga = this.#sagas.find(({ manifest }) => manifest.name === name);
    if (saga !== undefined) return saga;
    throw new StenoError(
      "definition-not-open",
      `\`${name}\` is not in \`sagas\`: open the coordinator with \`definition.on(instance)\` in it`,
    );
  }

  async #createOrFind<Result>(
    saga: LoadedSaga,
    params: JsonText,
    id: string,
  ): Promise<Run<Result>> {
    const row = await this.#owner.run(id);
    if (row === undefined) return this.#create(saga, params, id);
    checkSame(row, saga, params);
    return this.#handle(id, this.#active.get(id));
  }

  async #create<Result>(saga: LoadedSaga, params: JsonText, id: string): Promise<Run<Result>> {
    this.#checkOpen();
    const { manifest } = saga;
    if (!this.#defined.has(manifest.hash)) {
      this.#defined.add(manifest.hash);
      this.#executor.define(manifest);
    }
    const { run, created, effects } = newRun(saga, params, id, this.#executor.clock.now());
    this.#active.set(id, run);
    this.#executor.add(run, effects, created);
    await this.#executor.durable();
    if (run.refused) {
      this.#active.delete(id);
      throw idTaken(id);
    }
    return this.#handle(id, run);
  }

  async #recover(): Promise<void> {
    const at = this.#executor.clock.now();
    for await (const row of unfinishedRuns(this.#owner)) {
      const found = await restore(this.#owner, row, this.#sagas);
      if (!(found instanceof ActiveRun)) {
        this.#leaveAlone(row, found, at);
        continue;
      }
      this.#active.set(row.id, found);
      if (crashesIfRecovered(found.state) >= this.#crashLimit && found.state.paused === undefined) {
        const message = `run \`${row.id}\` is paused: its attempts ended with the process ${this.#crashLimit} times`;
        this.#warn(message);
        this.#executor.record(found, { type: "paused", at, value: '"crash-loop"' });
      }
      this.#executor.record(found, { type: "recovered", at });
      found.atRest = found.status === "stuck" && statusOf(found.state) === "stuck";
    }
    await this.#executor.durable();
  }

  #leaveAlone(row: RunRow, found: UnrecoveredRun, updatedAt: number): void {
    this.#unrecovered.set(row.id, found);
    this.#warn(found.message);
    if (row.reason === found.reason) return;
    const { id: run, status, output, error } = row;
    this.#executor.write({
      kind: "update",
      run,
      status,
      reason: found.reason,
      output,
      error,
      updatedAt,
    });
  }

  #handle<Result>(id: string, active: ActiveRun | undefined): Run<Result> {
    const host: RunHost = {
      reader: () => {
        this.#checkOpen();
        return this.#owner;
      },
      active: (run) => this.#active.get(run),
      control: (run, command, node, reason) =>
        this.#control(run, command, { reason, ...(node !== undefined && { node }) }),
      send: (run, event, payload) =>
        this.#control(run, "send", { event, ...(payload !== undefined && { payload }) }),
      checkAlive: (run) => {
        const found = this.#unrecovered.get(run);
        if (found !== undefined) throw new StenoError(found.reason, found.message);
        this.#checkOpen();
      },
    };
    return new Run<Result>(host, id, active);
  }

  async #control(id: string, command: string, args: CommandArguments): Promise<void> {
    await this.#command(id, command, args);
    await this.#executor.durable();
  }

  async #command(id: string, command: string, args: CommandArguments): Promise<void> {
    this.#checkOpen();
    const run = this.#active.get(id);
    if (run === undefined) throw await this.#notActive(id);
    const event = eventOf(run, command, args, this.#executor.clock.now());
    if (event === undefined) return;
    this.#executor.record(run, event);
    // A stuck run may still be stuck after it: then nobody will say again that it rests.
    run.atRest = run.atRest && statusOf(run.state) === "stuck";
  }

  async #notActive(id: string): Promise<StenoError> {
    const found = this.#unrecovered.get(id);
    if (found !== undefined) return new StenoError(found.reason, found.message);
    const row = await this.#owner.run(id);
    if (row === undefined) return new StenoError("no-such-run", `there is no run \`${id}\``);
    return new StenoError(
      "run-finished",
      `run \`${id}\` is finished (${row.status}): nothing is left to do to it`,
    );
  }

  #lose(error: Error): void {
    this.#lost = error;
    void this.#requests.stop();
    for (const run of this.#active.values()) run.giveUp(error);
    this.#wakeDrains();
    this.#warn(
      `the store cannot be written, and nothing goes on here (${error.message}): ` +
        "mend the cause, close this coordinator and open another",
    );
  }

  #warn(message: string): void {
    try {
      this.#logger.warn(message);
    } catch {
      // What a logger throws must not end a run, nor the process.
    }
  }

  #checkOpen(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#closed === undefined) return;
    throw new StenoError("coordinator-closed", "the coordinator is closed: open another");
  }
}

function isFinal(status: RunStatus | undefined): boolean {
  return status === "succeeded" || status === "undone";
}
