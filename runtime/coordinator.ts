/**
 * The public face of the runtime: opens a store, goes on with what is unfinished, starts runs, and
 * finds them again. How a run proceeds is in `executor.ts` and `machine.ts`.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { ActiveRun } from "./active-run.js";
import { type Clock, systemClock } from "./clock.js";
import { encode } from "./codec.js";
import { type CommandArguments, eventOf, parseArguments } from "./control.js";
import type { AnySagaDefinition, BoundSaga, SagaDefinition } from "./definition.js";
import { StenoError } from "./errors.js";
import type { SagaEvent } from "./events.js";
import { Executor, isMoving } from "./executor.js";
import { type LoadedSaga, loadSaga } from "./loaded-saga.js";
import { advance } from "./machine.js";
import { crashesIfRecovered } from "./machine/outstanding.js";
import { restore, unfinishedRuns, type UnrecoveredRun } from "./recovery.js";
import { Run } from "./run.js";
import type { RequestAnswer, RunRow, Store, StoreOwner, StoreRequest } from "./stores/store.js";

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
  readonly logger?: Logger;
  /** A run is paused when a node's attempts have ended with the process this often. Default 3. */
  readonly crashLimit?: number;
}

export interface StartOptions {
  /** Starting with the same id again gives the same run. Default: a random one. */
  readonly id?: string;
}

const DEFAULT_CRASH_LIMIT = 3;
/** How soon a command from another process is seen. */
const REQUEST_POLL_MS = 200;
/** Ids are keys and file names and parts of commands. */
const ID_LIMIT = 200;

/** Runs sagas on a store, as its only owner. */
export class Coordinator {
  readonly #owner: StoreOwner;
  readonly #sagas: readonly LoadedSaga[];
  readonly #executor: Executor;
  readonly #logger: Logger | undefined;
  readonly #crashLimit: number;
  readonly #active = new Map<string, ActiveRun>();
  readonly #starting = new Map<string, Promise<Run<never>>>();
  readonly #defined = new Set<string>();
  readonly #unrecovered = new Map<string, UnrecoveredRun>();
  #poll: NodeJS.Timeout | undefined;
  #polling: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;
  #lost: Error | undefined;

  private constructor(
    owner: StoreOwner,
    sagas: readonly LoadedSaga[],
    options: CoordinatorOptions,
  ) {
    this.#owner = owner;
    this.#sagas = sagas;
    this.#logger = options.logger;
    this.#crashLimit = options.crashLimit ?? DEFAULT_CRASH_LIMIT;
    this.#executor = new Executor({
      owner,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      onFinished: (run) => void this.#active.delete(run.id),
      onLost: (error) => this.#lose(error),
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
    const owner = await options.store.open();
    const coordinator = new Coordinator(owner, sagas, options);
    try {
      await coordinator.#recover();
    } catch (error) {
      await coordinator.close();
      throw error;
    }
    coordinator.#pollRequests();
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
    const text = encode(params, "params") ?? "null";
    if (id === undefined) return this.#create(saga, text, randomUUID());
    if (typeof id !== "string" || id.length === 0 || id.length > ID_LIMIT) {
      throw new StenoError("bad-id", `the id of a run is a text of 1 to ${ID_LIMIT} characters`);
    }
    // Two calls at the same time with one id are one run.
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

  /** Waits until no run can move without an operator. */
  async drain(): Promise<void> {
    for (;;) {
      const moving = [...this.#active.values()].filter(isMoving);
      if (moving.length === 0) return;
      await Promise.race([
        Promise.all(moving.map((run) => run.rest())),
        // Paused runs never rest: they are looked at again now and then.
        new Promise((resolve) => setTimeout(resolve, REQUEST_POLL_MS)),
      ]);
    }
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
    clearInterval(this.#poll);
    await this.#executor.close();
    await this.#polling;
    const closed = new StenoError(
      "coordinator-closed",
      "the coordinator was closed before the run came to rest: it goes on when the store is opened again",
    );
    for (const run of this.#active.values()) run.giveUp(closed);
    await this.#owner.close();
  }

  #loaded(definition: AnySagaDefinition): LoadedSaga {
    const { name, hash } = definition.manifest;
    const saga = this.#sagas.find(({ manifest }) => manifest.name === name);
    if (saga?.manifest.hash === hash) return saga;
    throw new StenoError(
      "definition-not-open",
      saga === undefined
        ? `\`${name}\` is not in \`sagas\`: open the coordinator with \`definition.on(instance)\` in it`
        : `\`${name}\` is in \`sagas\` first with another definition: new runs take the first`,
    );
  }

  async #createOrFind<Result>(saga: LoadedSaga, params: string, id: string): Promise<Run<Result>> {
    const row = await this.#owner.run(id);
    if (row === undefined) return this.#create(saga, params, id);
    if (row.saga !== saga.manifest.name || row.params !== params) {
      const what = row.saga === saga.manifest.name ? "other params" : `saga \`${row.saga}\``;
      throw new StenoError(
        "run-exists",
        `there is a run \`${id}\` already, with ${what}: use another id, or the same call as before`,
      );
    }
    return this.#handle(id, this.#active.get(id));
  }

  async #create<Result>(saga: LoadedSaga, params: string, id: string): Promise<Run<Result>> {
    this.#checkOpen();
    const { manifest, plan } = saga;
    if (!this.#defined.has(manifest.hash)) {
      this.#defined.add(manifest.hash);
      this.#executor.define(manifest);
    }
    const at = this.#executor.clock.now();
    const row: RunRow = {
      id,
      saga: manifest.name,
      hash: manifest.hash,
      nonce: randomBytes(9).toString("base64url"),
      params,
      status: "running",
      reason: undefined,
      output: undefined,
      error: undefined,
      createdAt: at,
      updatedAt: at,
    };
    const created: SagaEvent = { type: "created", at, value: params };
    const { state, effects } = advance(plan, created);
    const run = new ActiveRun(saga, row, state, 0);
    run.created = row;
    this.#active.set(id, run);
    this.#executor.add(run, effects, created);
    await this.#executor.durable();
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
        this.#logger?.warn(message);
        this.#executor.record(found, { type: "paused", at, value: '"crash-loop"' });
      }
      this.#executor.record(found, { type: "recovered", at });
      found.atRest = found.status === "stuck";
    }
    await this.#executor.durable();
  }

  #leaveAlone(row: RunRow, found: UnrecoveredRun, updatedAt: number): void {
    this.#unrecovered.set(row.id, found);
    this.#logger?.warn(found.message);
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
    const host = {
      reader: this.#owner,
      active: (run: string) => this.#active.get(run),
      control: (run: string, command: string, node: string | undefined, reason: string) =>
        this.#control(run, command, { reason, ...(node !== undefined && { node }) }),
      checkAlive: (run: string) => {
        const found = this.#unrecovered.get(run);
        if (found !== undefined) throw new StenoError(found.reason, found.message);
        this.#checkOpen();
      },
    };
    return new Run<Result>(host, id, active);
  }

  async #control(id: string, command: string, args: CommandArguments): Promise<void> {
    this.#checkOpen();
    const run = this.#active.get(id);
    if (run === undefined) throw await this.#notActive(id);
    const event = eventOf(run, command, args, this.#executor.clock.now());
    if (event !== undefined) {
      run.atRest = false;
      this.#executor.record(run, event);
    }
    await this.#executor.durable();
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

  #pollRequests(): void {
    let busy = false;
    this.#poll = setInterval(() => {
      if (busy) return;
      busy = true;
      this.#polling = this.#answerRequests()
        .catch((error: unknown) => this.#logger?.warn(`requests cannot be read: ${String(error)}`))
        .finally(() => (busy = false));
    }, REQUEST_POLL_MS);
    this.#poll.unref();
  }

  async #answerRequests(): Promise<void> {
    for (const request of await this.#owner.requests()) {
      this.#executor.answer(request, await this.#answerTo(request));
      // One after another: each sees what the one before has done.
      await this.#executor.durable();
    }
  }

  async #answerTo({ run, command, args }: StoreRequest): Promise<RequestAnswer> {
    try {
      await this.#control(run ?? "", command, parseArguments(args));
      return { ok: true };
    } catch (error) {
      if (error instanceof StenoError)
        return { ok: false, code: error.code, message: error.message };
      return { ok: false, code: "internal", message: String(error) };
    }
  }

  #lose(error: Error): void {
    this.#lost = error;
    clearInterval(this.#poll);
    this.#logger?.warn(`the store cannot be written, nothing goes on: ${error.message}`);
    for (const run of this.#active.values()) run.giveUp(error);
  }

  #checkOpen(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#closed === undefined) return;
    throw new StenoError("coordinator-closed", "the coordinator is closed: open another");
  }
}
