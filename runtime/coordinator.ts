/**
 * The public face of the runtime: opens a store, goes on with what is unfinished, starts runs, and
 * finds them again. Of what it is put together is in `assembly.ts`; how a run proceeds, in
 * `executor.ts` and `machine.ts`.
 */
import { Assembly } from "./assembly.js";
import type { CommandArguments } from "./control.js";
import type { AnySagaDefinition, SagaDefinition } from "./definition.js";
import { StenoError } from "./errors.js";
import { checkLimits } from "./execution/limits.js";
import { type LoadedSaga, loadSaga } from "./execution/loaded-saga.js";
import { crashLimitOf, shortWaitOf, type UnrecoveredRun } from "./execution/recovery.js";
import { checkSpawns } from "./execution/spawns.js";
import { paramsText } from "./execution/starter.js";
import { hearOthers } from "./fleet/hearing.js";
import { startElsewhere } from "./fleet/starting-elsewhere.js";
import type { BreakpointPlace } from "./operating/debugging.js";
import { checkRetention, type PruneOptions } from "./operating/retention.js";
import type { CoordinatorOptions, StartOptions } from "./options.js";
import { type ExportQuery, type ExportRecord, exportRuns } from "./reading/export.js";
import { listRuns, type RunPage, type RunQuery } from "./reading/listing.js";
import { watchAll, type WatchOptions } from "./reading/watching.js";
import type { Run } from "./run.js";
import type { StoreOwner, WatchedEvent } from "./stores/store.js";

/** When `close()` says what it waits for. */
const CLOSE_WARNING_MS = 10_000;

/** Runs sagas on a store, as its only owner. */
export class Coordinator {
  readonly #owner: StoreOwner;
  readonly #parts: Assembly;
  /** Ends what hears of other coordinators of the store. */
  #deafen: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  #lost: Error | undefined;

  private constructor(
    owner: StoreOwner,
    sagas: readonly LoadedSaga[],
    options: CoordinatorOptions,
  ) {
    this.#owner = owner;
    this.#parts = new Assembly(owner, sagas, options, {
      checkOpen: () => this.#checkOpen(),
      lose: (error) => this.#lose(error),
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
    checkLimits(options.limits);
    shortWaitOf(options);
    if (options.retention !== undefined) checkRetention(options.retention);
    const definitions = sagas.map(({ manifest }) => manifest.hash);
    const owner = await options.store.open({ definitions });
    const coordinator = new Coordinator(owner, sagas, options);
    const parts = coordinator.#parts;
    try {
      const kept = await owner.kept();
      parts.breakpoints.load(kept);
      parts.draining.load(kept);
      coordinator.#hear();
      await parts.runs.recover();
      // What operators asked for while nobody had the store.
      while ((await parts.requests.answerAll()) > 0);
    } catch (error) {
      await coordinator.close();
      throw error;
    }
    parts.requests.start();
    if (options.retention !== undefined) parts.retention.start(options.retention);
    return coordinator;
  }

  #hear(): void {
    const { runs, requests, breakpoints, draining, spawns, log } = this.#parts;
    const kept = [breakpoints, draining];
    this.#deafen = hearOthers({ owner: this.#owner, runs, requests, kept, spawns, log });
  }

  /** Unfinished runs that cannot go on here, and why. */
  get unrecovered(): readonly UnrecoveredRun[] {
    return this.#parts.runs.unrecovered;
  }

  /**
   * Starts a run; resolves when it is durable.
   * @throws StenoError `params-invalid` for params that are not of their type, `run-exists` when the
   * id belongs to a run of another saga or with other params
   */
  async start<Instance extends object, Params, Result, Nodes, Errors extends Error>(
    definition: SagaDefinition<Instance, Params, Result, Nodes, Errors>,
    params: Params,
    options: StartOptions = {},
  ): Promise<Run<Result, Nodes, Errors>> {
    this.#checkOpen();
    const { definitions, draining, executor, starter } = this.#parts;
    const saga = definitions.loaded(definition as unknown as AnySagaDefinition);
    const text = paramsText(saga, params);
    if (options.transaction === undefined) {
      return this.#parts.handle(await starter.start(saga, text, options));
    }
    draining.checkStart();
    const now = executor.clock.now();
    return this.#parts.handle(await startElsewhere(this.#owner, saga, text, options, now));
  }

  /**
   * Lists runs, finished or not, oldest first: a page of them, and the cursor of the next.
   * @throws StenoError `bad-cursor`, `bad-limit`
   */
  async runs(query: RunQuery = {}): Promise<RunPage> {
    this.#checkOpen();
    return listRuns(this.#owner, query);
  }

  /**
   * Runs with their whole logs, oldest first, each read when it is asked for; those that are
   * finished, unless `status` says which.
   */
  export(query: ExportQuery = {}): AsyncIterable<ExportRecord> {
    this.#checkOpen();
    return exportRuns(this.#owner, query);
  }

  /**
   * Removes finished runs, with their logs, and gives how many. A run that an unfinished one starts
   * or waits for stays. The ids are free again, and a run that takes one has other idempotency keys.
   * @throws StenoError `bad-retention`
   */
  async prune(options: PruneOptions): Promise<number> {
    this.#checkOpen();
    return (await this.#parts.retention.prune(options)).removed;
  }

  /**
   * The events of all runs that become durable from now on, or after the cursor of one that is known
   * (0: before the first), in the order in which they did: none is left out or told twice. Ends when
   * the coordinator is closed. It reads the store as fast as it is iterated.
   */
  events(options?: WatchOptions): AsyncIterableIterator<WatchedEvent> {
    this.#checkOpen();
    return watchAll(this.#parts.source, options);
  }

  /** The handle of a run, finished or not; `undefined` if there is none. */
  run(id: string): Promise<Run | undefined> {
    return this.#parts.find(id);
  }

  /**
   * Waits until no run can move without an operator, what operators have asked for is done, and all
   * of that is durable. Until then nothing new is started: `start()` rejects with
   * `coordinator-draining`, unless the run is there already.
   * @throws StenoError if the coordinator is closed, or loses its store
   */
  drain(): Promise<void> {
    return this.#parts.draining.wait();
  }

  /**
   * Starts nothing more, waits for the bodies that run, and releases the store. Runs that are not
   * finished go on when it is opened again; where others share the store, they go on with each run as
   * soon as no body of it runs here.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { changes, draining, executor, requests, retention, runs } = this.#parts;
    // At once: what is closed besides takes its time.
    executor.stop();
    this.#deafen?.();
    changes.close();
    const answered = requests.stop();
    const waiting = setTimeout(() => this.#tellWhatRuns(), CLOSE_WARNING_MS);
    await Promise.all([retention.close(), runs.close()]);
    runs.handOver();
    await executor.close();
    clearTimeout(waiting);
    await answered;
    const closed = new StenoError(
      "coordinator-closed",
      "the coordinator was closed before the run came to rest: it goes on when the store is opened again",
    );
    runs.giveUp(closed);
    draining.wake();
    await this.#owner.close();
  }

  #tellWhatRuns(): void {
    const bodies = [...this.#parts.runs.all()].flatMap(({ id, attempts }) =>
      attempts.all().map(({ node }) => `\`${node}\` of run \`${id}\``),
    );
    const what = bodies.slice(0, 10).join(", ");
    this.#parts.log.warn(
      what === ""
        ? "close() still waits for the store to take what has happened: can it be reached?"
        : `close() still waits for ${what}: give an action that may hang a timeout`,
    );
  }

  /**
   * Pauses each run of a saga when it comes to a node, also runs that are started later and by later
   * coordinators, until it is cleared.
   * @throws StenoError `definition-not-open`, `no-such-node`
   */
  async setBreakpoint(saga: string, { node, at = "before" }: BreakpointPlace): Promise<void> {
    await this.#break({ saga, node, at });
  }

  async clearBreakpoint(saga: string, { node, at = "before" }: BreakpointPlace): Promise<void> {
    await this.#break({ saga, node, at, clear: true });
  }

  async #break(args: CommandArguments): Promise<void> {
    await this.#parts.commands.ofAll("break", args);
    await this.#parts.executor.durable();
  }

  #lose(error: Error): void {
    const { changes, draining, log, requests, runs } = this.#parts;
    this.#lost = error;
    changes.tell();
    void requests.stop();
    void runs.close();
    runs.giveUp(error);
    draining.wake();
    log.warn(
      `the store cannot be written, and nothing goes on here (${error.message}): ` +
        "mend the cause, close this coordinator and open another",
    );
  }

  #checkOpen(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#closed === undefined) return;
    throw new StenoError("coordinator-closed", "the coordinator is closed: open another");
  }
}
