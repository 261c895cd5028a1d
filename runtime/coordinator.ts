/**
 * The public face of the runtime: opens a store, goes on with what is unfinished, starts runs, and
 * finds them again. How a run proceeds is in `executor.ts` and `machine.ts`; which runs are in
 * memory, in `active-runs.ts`.
 */
import type { ActiveRun } from "./execution/active-run.js";
import { ActiveRuns } from "./execution/active-runs.js";
import { systemClock } from "./clock.js";
import { clockOf } from "./fleet/fleet-clock.js";
import { Commands } from "./operating/commands.js";
import type { BreakpointPlace } from "./operating/debugging.js";
import { Definitions } from "./reading/definitions.js";
import type { AnySagaDefinition, SagaDefinition } from "./definition.js";
import { Draining } from "./operating/draining.js";
import { StenoError } from "./errors.js";
import { Executor } from "./executor.js";
import { type ExportQuery, type ExportRecord, exportRuns } from "./reading/export.js";
import { checkLimits } from "./execution/limits.js";
import { hearOthers } from "./fleet/hearing.js";
import { listRuns, type RunPage, type RunQuery } from "./reading/listing.js";
import { type LoadedSaga, loadSaga } from "./execution/loaded-saga.js";
import { Log } from "./observing/log.js";
import { Observers } from "./observing/observing.js";
import { Notices } from "./observing/notices.js";
import type { CoordinatorOptions, StartOptions } from "./options.js";
import { crashLimitOf, shortWaitOf, type UnrecoveredRun } from "./execution/recovery.js";
import { checkRetention, type PruneOptions, Retention } from "./operating/retention.js";
import { Requests } from "./operating/requests.js";
import { Run, type RunHost } from "./run.js";
import { SagaBreakpoints } from "./operating/saga-breakpoints.js";
import { checkSpawns, Spawns } from "./execution/spawns.js";
import { Changes, type Source, watchAll, type WatchOptions } from "./reading/watching.js";
import { startElsewhere } from "./fleet/starting-elsewhere.js";
import { paramsText, type Started, Starter } from "./execution/starter.js";
import type { RunRow, RunStatus, StoreOwner, WatchedEvent } from "./stores/store.js";

/** When `close()` says what it waits for. */
const CLOSE_WARNING_MS = 10_000;

/** How soon an event of a run that another coordinator has is seen by those who watch. */
const OTHERS_POLL_MS = 250;

/** Runs sagas on a store, as its only owner. */
export class Coordinator {
  readonly #owner: StoreOwner;
  readonly #executor: Executor;
  readonly #runs: ActiveRuns;
  readonly #starter: Starter;
  readonly #definitions: Definitions;
  readonly #spawns: Spawns;
  readonly #requests: Requests;
  readonly #retention: Retention;
  readonly #log: Log;
  readonly #changes: Changes;
  readonly #commands: Commands;
  /** Ends what hears of other coordinators of the store. */
  #deafen: (() => void) | undefined;
  readonly #source: Source = {
    reader: () => {
      this.#checkOpen();
      return this.#owner;
    },
    changed: () => this.#changes.changed(),
    isClosed: () => this.#changes.closed,
  };
  /** Whether any saga starts runs of others. */
  readonly #spawning: boolean;
  readonly #draining: Draining;
  readonly #breakpoints: SagaBreakpoints;
  /** What the handles of runs ask; made with the first. */
  #host: RunHost | undefined;
  #closed: Promise<void> | undefined;
  #lost: Error | undefined;

  private constructor(
    owner: StoreOwner,
    sagas: readonly LoadedSaga[],
    options: CoordinatorOptions,
  ) {
    this.#owner = owner;
    this.#changes = new Changes(owner.fleet && OTHERS_POLL_MS);
    this.#log = new Log(options.logger);
    const observers = new Observers(options.observers, this.#log, (run) => owner.events(run));
    const notices = new Notices(this.#log, options.onPaused, observers);
    this.#spawning = sagas.some((saga) => saga.spawns);
    const spawns = new Spawns(
      {
        start: async (saga, params, id) => {
          const target = this.#definitions.latest(saga);
          return this.#starter.startById(target, paramsText(target, params), id, { spawned: true });
        },
        isFinished: async (id) => isFinal((await this.#owner.run(id))?.status),
        result: async (id) => (await this.run(id))?.result(),
        awaiting: (id) => owner.awaiting(id),
        active: (id) => this.#runs.get(id),
        bring: (id) => this.#runs.bring(id),
        tellOthers: (id) => owner.fleet?.tellRested(id),
      },
      () => this.#executor,
    );
    this.#spawns = spawns;
    this.#executor = new Executor({
      owner,
      clock: clockOf(owner.fleet, options.clock ?? systemClock),
      random: options.random ?? Math.random,
      shortWaitMs: shortWaitOf(options),
      onWait: (run) => {
        this.#runs.leave(run);
        observers.left(run);
      },
      onRest: (run) => this.#rest(run),
      spawn: (run, frame, index) => void spawns.begin(run, frame, index),
      watch: (run, frame, index) => spawns.watch(run, frame, index),
      limits: checkLimits(options.limits),
      warn: (message) => this.#log.warn(message),
      breakpoints: (run) => this.#breakpoints.of(run),
      call: observers.any ? (attempt, body) => observers.call(attempt, body) : undefined,
      onDurable: (run, events) => {
        notices.durable(run, events);
        observers.durable(run, events);
        this.#changes.tell();
      },
      onLost: (error) => this.#lose(error),
    });
    const warn = (message: string): void => this.#log.warn(message);
    this.#runs = new ActiveRuns({
      owner,
      sagas,
      executor: this.#executor,
      crashLimit: crashLimitOf(options),
      warn,
      onRecovered: (run) => notices.recovered(run),
      checkOpen: () => this.#checkOpen(),
    });
    this.#definitions = new Definitions(sagas);
    this.#starter = new Starter({
      reader: owner,
      executor: this.#executor,
      runs: this.#runs,
      checkOpen: () => this.#checkOpen(),
      checkStart: () => this.#draining.checkStart(),
    });
    const { clock } = this.#executor;
    this.#retention = new Retention(
      {
        owner,
        now: () => clock.now(),
        commit: (writes) => {
          for (const write of writes) this.#executor.write(write);
          return this.#executor.durable();
        },
      },
      warn,
    );
    this.#requests = new Requests({
      owner,
      executor: this.#executor,
      act: (run, command, args) =>
        run === undefined
          ? this.#commands.ofAll(command, args)
          : this.#commands.ofRun({ id: run }, command, args),
      warn,
    });
    this.#breakpoints = new SagaBreakpoints(sagas, () => this.#executor);
    this.#draining = new Draining(() => ({
      runs: this.#runs,
      requests: this.#requests,
      executor: this.#executor,
      isShared: owner.fleet !== undefined,
      checkOpen: () => this.#checkOpen(),
    }));
    this.#commands = new Commands({
      owner,
      runs: this.#runs,
      executor: this.#executor,
      definitions: this.#definitions,
      retention: this.#retention,
      draining: this.#draining,
      breakpoints: this.#breakpoints,
      checkOpen: () => this.#checkOpen(),
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
    try {
      const kept = await owner.kept();
      coordinator.#breakpoints.load(kept);
      coordinator.#draining.load(kept);
      coordinator.#hear();
      await coordinator.#runs.recover();
      // What operators asked for while nobody had the store.
      while ((await coordinator.#requests.answerAll()) > 0);
    } catch (error) {
      await coordinator.close();
      throw error;
    }
    coordinator.#requests.start();
    if (options.retention !== undefined) coordinator.#retention.start(options.retention);
    return coordinator;
  }

  #hear(): void {
    this.#deafen = hearOthers({
      owner: this.#owner,
      runs: this.#runs,
      requests: this.#requests,
      kept: [this.#breakpoints, this.#draining],
      spawns: this.#spawning ? this.#spawns : undefined,
      log: this.#log,
    });
  }

  /** Unfinished runs that cannot go on here, and why. */
  get unrecovered(): readonly UnrecoveredRun[] {
    return this.#runs.unrecovered;
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
    const saga = this.#definitions.loaded(definition as unknown as AnySagaDefinition);
    const text = paramsText(saga, params);
    if (options.transaction === undefined) {
      return this.#handle(await this.#starter.start(saga, text, options));
    }
    this.#draining.checkStart();
    const { clock } = this.#executor;
    return this.#handle(await startElsewhere(this.#owner, saga, text, options, clock.now()));
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
    return (await this.#retention.prune(options)).removed;
  }

  /**
   * The events of all runs that become durable from now on, or after the cursor of one that is known
   * (0: before the first), in the order in which they did: none is left out or told twice. Ends when
   * the coordinator is closed. It reads the store as fast as it is iterated.
   */
  events(options?: WatchOptions): AsyncIterableIterator<WatchedEvent> {
    this.#checkOpen();
    return watchAll(this.#source, options);
  }

  /** The handle of a run, finished or not; `undefined` if there is none. */
  async run(id: string): Promise<Run | undefined> {
    this.#checkOpen();
    const found = this.#runs.get(id) ?? (await this.#owner.run(id));
    return found && this.#handle(found);
  }

  /**
   * Waits until no run can move without an operator, what operators have asked for is done, and all
   * of that is durable. Until then nothing new is started: `start()` rejects with
   * `coordinator-draining`, unless the run is there already.
   * @throws StenoError if the coordinator is closed, or loses its store
   */
  drain(): Promise<void> {
    return this.#draining.wait();
  }

  #rest(run: ActiveRun): void {
    this.#runs.rest(run);
    if (run.state.finished !== undefined && this.#spawning) {
      // If the store cannot be read now, the next owner tells.
      this.#spawns.finished(run.id).catch(() => undefined);
    }
    this.#draining.wake();
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
    // At once: what is closed besides takes its time.
    this.#executor.stop();
    this.#deafen?.();
    this.#changes.close();
    const answered = this.#requests.stop();
    const waiting = setTimeout(() => this.#tellWhatRuns(), CLOSE_WARNING_MS);
    await Promise.all([this.#retention.close(), this.#runs.close()]);
    this.#runs.handOver();
    await this.#executor.close();
    clearTimeout(waiting);
    await answered;
    const closed = new StenoError(
      "coordinator-closed",
      "the coordinator was closed before the run came to rest: it goes on when the store is opened again",
    );
    this.#runs.giveUp(closed);
    this.#draining.wake();
    await this.#owner.close();
  }

  #tellWhatRuns(): void {
    const bodies = [...this.#runs.all()].flatMap(({ id, attempts }) =>
      attempts.all().map(({ node }) => `\`${node}\` of run \`${id}\``),
    );
    this.#log.warn(
      `close() still waits for ${bodies.slice(0, 10).join(", ")}: give an action that may hang a timeout`,
    );
  }

  #handle<Result, Nodes, Errors extends Error>({ id, nonce }: Started): Run<Result, Nodes, Errors> {
    return new Run((this.#host ??= this.#makeHost()), id, nonce);
  }

  #makeHost(): RunHost {
    return {
      reader: () => {
        this.#checkOpen();
        return this.#owner;
      },
      active: (id, nonce) => {
        const active = this.#runs.get(id);
        return active?.nonce === nonce ? active : undefined;
      },
      unrecovered: (run) => this.#runs.unrecoveredRun(run),
      rest: (id, nonce) => this.#runs.untilRest(id, nonce),
      source: this.#source,
      errors: ({ hash }) => this.#definitions.errors(hash),
      control: (run, command, args) => this.#commands.control(run, command, args),
      nodeCodecs: (row) => this.#definitions.nodeCodecs(row),
      // A database server looks after its rows; of what is in a file, events have checksums.
      ...(this.#owner.fleet && { rowCodec: (row: RunRow) => this.#definitions.rowCodec(row) }),
      resultCodec: (state, hash) => this.#definitions.resultCodec(state, hash),
      checkAlive: (run) => {
        this.#runs.checkRecovered(run);
        this.#checkOpen();
      },
    };
  }

  /**
   * Pauses each run of a saga when it comes to a node, also runs that are started later and by later
   * coordinators, until it is cleared.
   * @throws StenoError `definition-not-open`, `no-such-node`
   */
  async setBreakpoint(saga: string, { node, at = "before" }: BreakpointPlace): Promise<void> {
    await this.#commands.ofAll("break", { saga, node, at });
    await this.#executor.durable();
  }

  async clearBreakpoint(saga: string, { node, at = "before" }: BreakpointPlace): Promise<void> {
    await this.#commands.ofAll("break", { saga, node, at, clear: true });
    await this.#executor.durable();
  }

  #lose(error: Error): void {
    this.#lost = error;
    this.#changes.tell();
    void this.#requests.stop();
    void this.#runs.close();
    this.#runs.giveUp(error);
    this.#draining.wake();
    this.#log.warn(
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

function isFinal(status: RunStatus | undefined): boolean {
  return status === "succeeded" || status === "undone";
}
