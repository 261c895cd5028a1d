/**
 * What a coordinator is put together of: its parts, and who asks whom. It does nothing by itself;
 * what is done with them, and when, is in `coordinator.ts`.
 */
import { systemClock } from "./clock.js";
import { ActiveRuns } from "./execution/active-runs.js";
import type { ActiveRun } from "./execution/active-run.js";
import { checkLimits } from "./execution/limits.js";
import type { LoadedSaga } from "./execution/loaded-saga.js";
import { crashLimitOf, shortWaitOf } from "./execution/recovery.js";
import { Spawns } from "./execution/spawns.js";
import { paramsText, type Started, Starter } from "./execution/starter.js";
import { Executor } from "./executor.js";
import { clockOf } from "./fleet/fleet-clock.js";
import { Log } from "./observing/log.js";
import { Notices } from "./observing/notices.js";
import { Observers } from "./observing/observing.js";
import { Commands } from "./operating/commands.js";
import { Draining } from "./operating/draining.js";
import { Requests } from "./operating/requests.js";
import { Retention } from "./operating/retention.js";
import { SagaBreakpoints } from "./operating/saga-breakpoints.js";
import type { CoordinatorOptions } from "./options.js";
import { Definitions } from "./reading/definitions.js";
import { Changes, type Source } from "./reading/watching.js";
import { Run, type RunHost } from "./run.js";
import type { RunRow, RunStatus, StoreOwner } from "./stores/store.js";

/** How soon an event of a run that another coordinator has is seen by those who watch. */
const OTHERS_POLL_MS = 250;

/** What the parts ask of the coordinator that they are parts of. */
export interface Whole {
  /** @throws StenoError if the coordinator is closed; what made it lose its store, if it did */
  checkOpen(): void;
  /** The store cannot be written any more. */
  lose(error: Error): void;
}

export class Assembly {
  readonly log: Log;
  readonly changes: Changes;
  readonly definitions: Definitions;
  readonly executor: Executor;
  readonly runs: ActiveRuns;
  readonly starter: Starter;
  /** Absent where no saga starts runs of others. */
  readonly spawns: Spawns | undefined;
  readonly retention: Retention;
  readonly requests: Requests;
  readonly breakpoints: SagaBreakpoints;
  readonly draining: Draining;
  readonly commands: Commands;
  /** What those who watch read. */
  readonly source: Source = {
    reader: () => this.#reader(),
    changed: () => this.changes.changed(),
    isClosed: () => this.changes.closed,
  };
  readonly #owner: StoreOwner;
  readonly #whole: Whole;
  /** What the handles of runs ask; made with the first. */
  #host: RunHost | undefined;

  constructor(
    owner: StoreOwner,
    sagas: readonly LoadedSaga[],
    options: CoordinatorOptions,
    whole: Whole,
  ) {
    this.#owner = owner;
    this.#whole = whole;
    const checkOpen = (): void => whole.checkOpen();
    this.log = new Log(options.logger);
    const warn = (message: string): void => this.log.warn(message);
    const observers = new Observers(options.observers, this.log, (run) => owner.events(run));
    const notices = new Notices(this.log, options.onPaused, observers);
    this.changes = new Changes(owner.fleet && OTHERS_POLL_MS);
    this.definitions = new Definitions(sagas);
    const spawns = this.#makeSpawns();
    this.spawns = sagas.some((saga) => saga.spawns) ? spawns : undefined;
    this.executor = this.#makeExecutor(options, spawns, observers, notices);
    const { executor } = this;
    this.runs = new ActiveRuns({
      owner,
      sagas,
      executor,
      crashLimit: crashLimitOf(options),
      warn,
      onRecovered: (run) => notices.recovered(run),
      checkOpen,
    });
    const { runs } = this;
    const checkStart = (): void => this.draining.checkStart();
    this.starter = new Starter({ reader: owner, executor, runs, checkOpen, checkStart });
    this.retention = this.#makeRetention(warn);
    this.requests = this.#makeRequests(warn);
    this.breakpoints = new SagaBreakpoints(sagas, () => executor);
    const isShared = owner.fleet !== undefined;
    const { requests } = this;
    this.draining = new Draining(() => ({ runs, requests, executor, isShared, checkOpen }));
    this.commands = new Commands({
      owner,
      runs,
      executor,
      definitions: this.definitions,
      retention: this.retention,
      draining: this.draining,
      breakpoints: this.breakpoints,
      checkOpen,
    });
  }

  /** The handle of a run that is known to be there. */
  handle<Result, Nodes, Errors extends Error>({ id, nonce }: Started): Run<Result, Nodes, Errors> {
    return new Run((this.#host ??= this.#makeHost()), id, nonce);
  }

  /** The handle of a run, finished or not; `undefined` if there is none. */
  async find(id: string): Promise<Run | undefined> {
    const reader = this.#reader();
    const found = this.runs.get(id) ?? (await reader.run(id));
    return found && this.handle(found);
  }

  #reader(): StoreOwner {
    this.#whole.checkOpen();
    return this.#owner;
  }

  #makeSpawns(): Spawns {
    return new Spawns(
      {
        start: async (saga, params, id) => {
          const target = this.definitions.latest(saga);
          return this.starter.startById(target, paramsText(target, params), id, { spawned: true });
        },
        isFinished: async (id) => isFinal((await this.#owner.run(id))?.status),
        result: async (id) => (await this.find(id))?.result(),
        awaiting: (id) => this.#owner.awaiting(id),
        active: (id) => this.runs.get(id),
        bring: (id) => this.runs.bring(id),
        tellOthers: (id) => this.#owner.fleet?.tellRested(id),
      },
      () => this.executor,
    );
  }

  #makeExecutor(
    options: CoordinatorOptions,
    spawns: Spawns,
    observers: Observers,
    notices: Notices,
  ): Executor {
    return new Executor({
      owner: this.#owner,
      clock: clockOf(this.#owner.fleet, options.clock ?? systemClock),
      random: options.random ?? Math.random,
      shortWaitMs: shortWaitOf(options),
      onWait: (run) => {
        this.runs.leave(run);
        observers.left(run);
      },
      onRest: (run) => this.#rest(run),
      spawn: (run, frame, index) => void spawns.begin(run, frame, index),
      watch: (run, frame, index) => spawns.watch(run, frame, index),
      limits: checkLimits(options.limits),
      warn: (message) => this.log.warn(message),
      breakpoints: (run) => this.breakpoints.of(run),
      call: observers.any ? (attempt, body) => observers.call(attempt, body) : undefined,
      onDurable: (run, events) => {
        notices.durable(run, events);
        observers.durable(run, events);
        this.changes.tell();
      },
      onLost: (error) => this.#whole.lose(error),
    });
  }

  #rest(run: ActiveRun): void {
    this.runs.rest(run);
    if (run.state.finished !== undefined) {
      // If the store cannot be read now, the next owner tells.
      this.spawns?.finished(run.id).catch(() => undefined);
    }
    this.draining.wake();
  }

  #makeRetention(warn: (message: string) => void): Retention {
    const { executor } = this;
    return new Retention(
      {
        owner: this.#owner,
        now: () => executor.clock.now(),
        commit: (writes) => {
          for (const write of writes) executor.write(write);
          return executor.durable();
        },
      },
      warn,
    );
  }

  #makeRequests(warn: (message: string) => void): Requests {
    return new Requests({
      owner: this.#owner,
      executor: this.executor,
      act: (run, command, args) =>
        run === undefined
          ? this.commands.ofAll(command, args)
          : this.commands.ofRun(run, command, args),
      warn,
    });
  }

  #makeHost(): RunHost {
    const { definitions, runs } = this;
    return {
      reader: () => this.#reader(),
      active: (id, nonce) => {
        const active = runs.get(id);
        return active?.nonce === nonce ? active : undefined;
      },
      unrecovered: (run) => runs.unrecoveredRun(run),
      rest: (id, nonce) => runs.untilRest(id, nonce),
      source: this.source,
      errors: ({ hash }) => definitions.errors(hash),
      control: (run, command, args) => this.commands.control(run, command, args),
      nodeCodecs: (row) => definitions.nodeCodecs(row),
      // A database server looks after its rows; of what is in a file, events have checksums.
      ...(this.#owner.fleet && { rowCodec: (row: RunRow) => definitions.rowCodec(row) }),
      resultCodec: (state, hash) => definitions.resultCodec(state, hash),
      checkAlive: (run) => {
        runs.checkRecovered(run);
        this.#whole.checkOpen();
      },
    };
  }
}

function isFinal(status: RunStatus | undefined): boolean {
  return status === "succeeded" || status === "undone";
}
