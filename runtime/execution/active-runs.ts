/**
 * The runs that a coordinator has in memory, and those that it found and cannot go on with. A run
 * that only waits leaves, and is brought back from its log when something comes for it, as are those
 * that another coordinator left unfinished. How a run proceeds is in `executor.ts`; when one is due,
 * in `waking.ts`; which of them is this coordinator's where there are several, in `claims.ts`.
 */
import { ActiveRun } from "./active-run.js";
import { Claims } from "../fleet/claims.js";
import { Elsewhere } from "../fleet/elsewhere.js";
import { StenoError } from "../errors.js";
import { type Executor, isMoving } from "../executor.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { crashesIfRecovered } from "../machine/outstanding.js";
import { allRuns } from "../reading/listing.js";
import { movesByItself } from "../operating/reasons.js";
import { Restorer, UNFINISHED, type UnrecoveredRun } from "./recovery.js";
import { RUN_ELSEWHERE } from "../operating/requests.js";
import { runPruned } from "../operating/retention.js";
import { Rests } from "./rests.js";
import { type RunState, statusOf } from "../state.js";
import type { RunRow, StoreOwner } from "../stores/store.js";
import { Waking } from "./waking.js";

export interface ActiveRunsOptions {
  readonly owner: StoreOwner;
  readonly sagas: readonly LoadedSaga[];
  readonly executor: Executor;
  readonly crashLimit: number;
  readonly warn: (message: string) => void;
  /** A run goes on, or stays where it needs an operator. */
  readonly onRecovered: (run: ActiveRun) => void;
  /** @throws StenoError when the coordinator goes on with nothing more. */
  readonly checkOpen: () => void;
}

/** How many runs that were brought back may act at the same time, as long as others wait for that. */
const ROOM = 1000;

/** Those that act for longer do not hold up the others for ever: so many ms a batch. */
const ROOM_WAIT_MS = 1000;

/** Runs that are marked in one commit as not going on here. */
const MARKED = 200;

/** Messages of one kind that are told one by one. */
const WARNINGS = 20;

export class ActiveRuns {
  readonly #options: ActiveRunsOptions;
  readonly #restorer: Restorer;
  readonly #waking: Waking | Claims["claiming"];
  /** Where others have runs of the store, too. */
  readonly #claims: Claims | undefined;
  readonly #elsewhere: Elsewhere | undefined;
  readonly #rests = new Rests();
  readonly #active = new Map<string, ActiveRun>();
  /** Runs that are being brought back. */
  readonly #coming = new Map<string, Promise<"elsewhere" | undefined>>();
  /** Of the active ones, those that were brought back. */
  readonly #brought = new Set<string>();
  /** Runs that need an operator and have left memory: of those that wait, only their ids are kept. */
  readonly #seen = new Set<string>();
  readonly #unrecovered = new Map<string, UnrecoveredRun>();
  #roomMade = (): void => {};
  #closed = false;

  constructor(options: ActiveRunsOptions) {
    const { owner, executor, warn } = options;
    this.#options = options;
    this.#restorer = new Restorer(owner, options.sagas);
    const { fleet, shared } = owner;
    const common = {
      room: () => this.#room(),
      onError: (error: unknown) => warn(`runs that are due cannot be looked for: ${String(error)}`),
    };
    this.#claims =
      fleet &&
      new Claims({
        ...common,
        ...{ fleet, executor, crashLimit: options.crashLimit, restorer: this.#restorer },
        free: () => ROOM - this.#brought.size,
        active: (id) => this.#active.get(id),
        goOn: (run, again) => this.#goOn(run, again),
        leaveAlone: (row, found) => this.#leaveAlone(row, found),
      });
    this.#waking =
      this.#claims?.claiming ??
      new Waking({
        ...{ ...common, owner, clock: executor.clock },
        durable: () => executor.durable(),
        bring: (id) => this.bring(id),
      });
    this.#elsewhere = shared && new Elsewhere(shared, (id) => this.#active.has(id));
  }

  /** Runs of the store that no owner has are due, or will be then. */
  due(at: number): void {
    this.#claims?.claiming.due(at);
  }

  /** Others say that these runs may rest; without ids, that any may. */
  rested(ids: readonly string[] | undefined): void {
    this.#elsewhere?.rested(ids);
  }

  /** Others go on with all that was here. */
  lose(reason: Error): void {
    this.#claims?.lose();
    this.#options.executor.lose(this.#active.values(), reason);
    this.#active.clear();
    this.#brought.clear();
    this.#seen.clear();
    this.#unrecovered.clear();
    this.#roomMade();
  }

  get(id: string): ActiveRun | undefined {
    return this.#active.get(id);
  }

  all(): Iterable<ActiveRun> {
    return this.#active.values();
  }

  add(run: ActiveRun): void {
    this.#active.set(run.id, run);
  }

  forget(run: ActiveRun): void {
    // A new run whose id was taken may have made room for the one that has it.
    if (this.#active.get(run.id) !== run) return;
    this.#active.delete(run.id);
    this.#claims?.gone(run);
    if (this.#brought.delete(run.id) && this.#brought.size < ROOM) this.#roomMade();
  }

  /** A run only waits: it is brought back when its time or something else has come. */
  leave(run: ActiveRun): void {
    run.left = true;
    this.forget(run);
    if (this.#closed) this.#claims?.release(run.id);
    else if (run.wakeAt === 0) this.#seen.add(run.id);
    else {
      if (run.wakeAt !== undefined) this.#waking.note(run.wakeAt);
      this.#claims?.release(run.id);
    }
  }

  /** The run rests: tells whoever waits for that. */
  rest(run: ActiveRun): void {
    if (run.state.finished !== undefined) this.forget(run);
    this.#rests.settle(run.id, run.state);
  }

  /**
   * Waits until a run rests. Resolves to its state; to `undefined` if it rests in the store.
   * @throws StenoError if it cannot go on here, or is removed: the id is another's then
   */
  async untilRest(id: string, nonce: string): Promise<RunState | RunRow | undefined> {
    const active = this.#active.get(id);
    if (active !== undefined && active.nonce !== nonce) throw runPruned(id);
    if (active?.atRest === true) return active.state;
    // Before the row is read: it may come to rest meanwhile.
    const { rest, forget } = this.#rests.wait(id);
    const elsewhere = this.#elsewhere?.wait(id);
    // It may be rejected before anybody waits for it below.
    rest.catch(() => undefined);
    try {
      if (active === undefined && (await this.#restsInStore(id, nonce))) return undefined;
      this.#options.checkOpen();
      if (elsewhere === undefined) return await rest;
      return await Promise.race([rest, elsewhere.rest]);
    } finally {
      forget();
      elsewhere?.forget();
    }
  }

  async #restsInStore(id: string, nonce: string): Promise<boolean> {
    const row = await this.#options.owner.run(id);
    if (row?.nonce !== nonce) throw runPruned(id);
    if (!UNFINISHED.includes(row.status)) return true;
    if (this.#active.has(id)) return false;
    this.checkRecovered(id);
    const mayMove = this.#elsewhere === undefined && !this.#seen.has(id);
    return row.status === "stuck" && !mayMove;
  }

  /** Whether any run can move without an operator. */
  async areMoving(): Promise<boolean> {
    if (this.#waking.isSearching || this.#coming.size > 0) return true;
    if (this.#claims?.areWaiting === true) return true;
    for (const run of this.#active.values()) if (isMoving(run)) return true;
    const { fleet } = this.#options.owner;
    // What others have, they see to.
    if (fleet !== undefined) return fleet.areWaiting();
    for await (const row of allRuns(this.#options.owner, { status: UNFINISHED })) {
      // Of a run in memory the row says what was; that it does not move is known from above.
      if (movesByItself(row) && !this.#active.has(row.id)) return true;
    }
    return false;
  }

  /** Brings nothing back any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#roomMade();
    this.#elsewhere?.close();
    await (this.#claims ?? this.#waking).close();
  }

  /**
   * After `close()`, where there are other coordinators: they get what does nothing here at once, and
   * all else as soon as its bodies have ended.
   */
  handOver(): void {
    if (this.#claims !== undefined) this.#options.executor.handOver(this.#active.values());
  }

  /** Tells whoever waits for a run that it cannot be known here. */
  giveUp(error: Error): void {
    this.#rests.giveUp(error);
  }

  /** Unfinished runs that cannot go on here, and why. */
  get unrecovered(): readonly UnrecoveredRun[] {
    return [...this.#unrecovered.values()];
  }

  unrecoveredRun(id: string): UnrecoveredRun | undefined {
    return this.#unrecovered.get(id);
  }

  /** @throws StenoError if a run that is not finished cannot go on here */
  checkRecovered(id: string): void {
    const found = this.#unrecovered.get(id);
    if (found !== undefined) throw new StenoError(found.reason, found.message);
  }

  /**
   * Does something to a run, which is brought back for it. `nonce`: not if the id is another's by now.
   * @throws StenoError if it is not under way here
   */
  async use<T>(id: string, act: (run: ActiveRun) => T, nonce?: string): Promise<T> {
    for (;;) {
      this.#options.checkOpen();
      // Between these two it cannot leave.
      const run = this.#active.get(id);
      if (run !== undefined && nonce !== undefined && run.nonce !== nonce) throw runPruned(id);
      if (run?.refused === true) throw elsewhere(id);
      if (run !== undefined) return act(run);
      this.checkRecovered(id);
      const row = await this.#options.owner.run(id);
      if (nonce !== undefined && row?.nonce !== nonce) throw runPruned(id);
      if (row === undefined) throw new StenoError("no-such-run", `there is no run \`${id}\``);
      if (!UNFINISHED.includes(row.status)) {
        throw new StenoError(
          "run-finished",
          `run \`${id}\` is finished (${row.status}): nothing is left to do to it`,
        );
      }
      if ((await this.bring(id)) === "elsewhere") throw elsewhere(id);
    }
  }

  /** Brings a run back into memory, if it is unfinished and can go on here. */
  bring(id: string): Promise<"elsewhere" | undefined> {
    if (this.#active.has(id) || this.#unrecovered.has(id)) return Promise.resolve(undefined);
    let coming = this.#coming.get(id);
    if (coming === undefined) {
      coming = this.#bring(id).finally(() => this.#coming.delete(id));
      this.#coming.set(id, coming);
    }
    return coming;
  }

  async #bring(id: string): Promise<"elsewhere" | undefined> {
    if (this.#claims !== undefined) return this.#claims.bring(id);
    const { owner } = this.#options;
    const row = await owner.run(id);
    if (row === undefined) return undefined;
    if (row.damaged !== true && !UNFINISHED.includes(row.status)) return undefined;
    const found = await this.#restorer.restore(row);
    if (this.#closed) return;
    if (found instanceof ActiveRun) this.#goOn(found);
    else this.#leaveAlone(row, found);
    return undefined;
  }

  /**
   * Goes on with what is unfinished in the store. Resolves when the first of the runs that acted, or
   * are due, are under way; the others follow as there is room, and those that wait when they are due.
   */
  async recover(): Promise<void> {
    const { owner, sagas } = this.#options;
    const hashNot = sagas.map(({ manifest }) => manifest.hash);
    // Where there are others, they may have other definitions.
    if (owner.fleet === undefined) await this.#findMissing(hashNot);
    else await this.#tellMissing();
    await this.#waking.start();
    // Of a run that was finished when the last coordinator died, nobody may have been told.
    await this.tellAwaiting();
    this.#tellOthers();
  }

  /** Brings back what waits for runs that are finished. */
  async tellAwaiting(): Promise<void> {
    for (const id of await this.#options.owner.awaiting()) {
      if (!this.#closed) await this.bring(id);
    }
  }

  async #findMissing(hashNot: readonly string[]): Promise<void> {
    const { owner, executor } = this.#options;
    for await (const row of allRuns(owner, { status: UNFINISHED, hashNot })) {
      await this.bring(row.id);
      // Not all in one commit: there may be many.
      if (this.#unrecovered.size % MARKED === 0) await executor.durable();
    }
    await executor.durable();
  }

  /** Of runs that no coordinator of the store can go on with. Should one come that can, it does. */
  async #tellMissing(): Promise<void> {
    const { owner, warn } = this.#options;
    const limit = WARNINGS + 1;
    const rows = await owner.runs({ reason: "definition-missing", limit });
    for (const row of rows.slice(0, WARNINGS)) {
      const found = await this.#restorer.restore(row);
      if (!(found instanceof ActiveRun)) warn(found.message);
    }
    if (rows.length === limit) warn("more runs cannot go on anywhere: see `steno list`");
  }

  /** `again`: others took it before, and came to nothing; that it got so far has to be in its log. */
  #goOn(run: ActiveRun, again = false): void {
    const { executor, onRecovered } = this.#options;
    const isTaken = run.wakeAt === 0 && !this.#seen.delete(run.id);
    this.#active.set(run.id, run);
    this.#brought.add(run.id);
    if (isTaken) onRecovered(run);
    if (isTaken && (run.state.inFlight > 0 || again)) this.#takeOver(run);
    else executor.resume(run);
    run.atRest = run.status === "stuck" && statusOf(run.state) === "stuck";
    if (run.atRest) this.#rests.settle(run.id, run.state);
  }

  /** What the run did when its coordinator ended is in doubt. */
  #takeOver(run: ActiveRun): void {
    const { executor, crashLimit, warn } = this.#options;
    const at = executor.clock.now();
    if (crashesIfRecovered(run.state) >= crashLimit && run.state.paused === undefined) {
      warn(`run \`${run.id}\` is paused: its attempts ended with the process ${crashLimit} times`);
      executor.record(run, { type: "paused", at, value: '"crash-loop"' });
    }
    executor.record(run, { type: "recovered", at });
  }

  #leaveAlone(row: RunRow, found: UnrecoveredRun): void {
    this.#unrecovered.set(row.id, found);
    if (this.#unrecovered.size <= WARNINGS) this.#options.warn(found.message);
    this.#rests.giveUp(new StenoError(found.reason, found.message), row.id);
    // What is damaged is left as it is: a write would have a right checksum.
    if (row.damaged || (row.reason === found.reason && row.wakeAt === 0)) return;
    const { id: run, status, output, error } = row;
    const { reason } = found;
    const updatedAt = this.#options.executor.clock.now();
    // To be looked at whenever the store is opened.
    const changes = { status, reason, output, error, updatedAt, wakeAt: 0 };
    this.#options.executor.write({ kind: "update", run, ...changes });
  }

  #tellOthers(): void {
    const more = this.#unrecovered.size - WARNINGS;
    if (more > 0) this.#options.warn(`${more} more runs cannot go on here: see \`steno list\``);
  }

  /** Resolves when there is room for more runs, or those that are there take too long. */
  #room(): Promise<void> {
    if (this.#brought.size < ROOM) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ROOM_WAIT_MS);
      this.#roomMade = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function elsewhere(id: string): StenoError {
  return new StenoError(
    RUN_ELSEWHERE,
    `run \`${id}\` is under way in another coordinator, or only goes on in one that has its definition`,
  );
}
