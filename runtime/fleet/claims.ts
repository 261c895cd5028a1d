/**
 * What becomes of runs where several coordinators share a store: this one takes some, one at a time
 * those that may have ended their last coordinators, and gives back those that only wait. How a run
 * goes on, and which are in memory, is in `active-runs.ts`.
 */
import { ActiveRun } from "../execution/active-run.js";
import { Claiming } from "./claiming.js";
import type { Executor } from "../executor.js";
import { crashesIfRecovered } from "../machine/outstanding.js";
import { endsProcesses, type Restorer, type UnrecoveredRun } from "../execution/recovery.js";
import type { ClaimedRun, Fleet, RunRow } from "../stores/store.js";
import { Suspects } from "./suspects.js";

export interface ClaimsOptions {
  readonly fleet: Fleet;
  readonly executor: Executor;
  readonly restorer: Restorer;
  readonly crashLimit: number;
  readonly room: () => Promise<void>;
  readonly free: () => number;
  readonly onError: (error: unknown) => void;
  readonly active: (id: string) => ActiveRun | undefined;
  /** `again`: others took it before, and came to nothing. */
  readonly goOn: (run: ActiveRun, again: boolean) => void;
  readonly leaveAlone: (row: RunRow, found: UnrecoveredRun) => void;
}

/** So many times the limit of crashes, taken and come to nothing, a run is set aside. */
const ASIDE = 3;

export class Claims {
  readonly claiming: Claiming;
  readonly #options: ClaimsOptions;
  readonly #suspects: Suspects;
  /** Runs that have left and are not free for others yet. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Of each look for runs that is under way: which of them have gone from memory since it began. */
  readonly #looks = new Set<Set<string>>();
  /** Counts how often all that was here was lost. */
  #losses = 0;
  #closed = false;

  constructor(options: ClaimsOptions) {
    const { fleet, executor, room, free, onError, active, crashLimit } = options;
    this.#options = options;
    this.claiming = new Claiming({
      ...{ room, free, onError },
      clock: executor.clock,
      durable: () => executor.durable(),
      takeDue: (until, limit) =>
        this.#look(async (gone) => {
          const runs = await fleet.claim({ until, limit });
          for (const run of runs) await this.#take(run, gone);
          return runs.length;
        }),
    });
    this.#suspects = new Suspects({
      goOn: (run) => this.#look((gone) => this.#take(run, gone, true)),
      isCleared: (id) => {
        const state = active(id)?.state;
        return state === undefined || crashesIfRecovered(state) < crashLimit;
      },
      onError,
    });
  }

  /** Whether any wait for their turn. */
  get areWaiting(): boolean {
    return this.#suspects.areWaiting;
  }

  /** Takes a run, if no other coordinator has it. */
  async bring(id: string): Promise<"elsewhere" | undefined> {
    await this.#leaving.get(id);
    return this.#look(async (gone) => {
      const claimed = await this.#options.fleet.claimRun(id);
      return typeof claimed === "object" ? this.#take(claimed, gone) : claimed;
    });
  }

  /** A run is not in memory any more: what was read of it before is not so, nor that it is this coordinator's. */
  gone({ id, refused }: Pick<ActiveRun, "id" | "refused">): void {
    // It never was in the store: what was read is of another, which has its id.
    if (refused) return;
    for (const gone of this.#looks) gone.add(id);
    this.#suspects.drop(id);
  }

  async #look<T>(look: (gone: ReadonlySet<string>) => Promise<T>): Promise<T> {
    const gone = new Set<string>();
    this.#looks.add(gone);
    try {
      return await look(gone);
    } finally {
      this.#looks.delete(gone);
    }
  }

  /** Others may take the run. Until that is durable, it is not to be taken here. */
  release(id: string): void {
    const { executor } = this.#options;
    executor.write({ kind: "release", run: id });
    const free = executor.durable().then(
      () => undefined,
      () => undefined,
    );
    this.#leaving.set(id, free);
    void free.then(() => {
      this.#leaving.delete(id);
      // Others are to go on with what could go on.
      if (this.#closed) this.#options.fleet.tellDue();
    });
  }

  /** Others go on with all that was here. */
  lose(): void {
    this.#losses += 1;
    this.#suspects.clear();
  }

  /** Takes nothing more, and gives back what it has not gone on with. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.claiming.close();
    for (const id of this.#suspects.clear()) this.release(id);
  }

  /** Not if it is a new one, which is not written yet and will find that its id is taken. */
  #isHere({ id, nonce }: RunRow): boolean {
    return this.#options.active(id)?.nonce === nonce;
  }

  /**
   * Goes on with a run that this coordinator has got; when its turn comes, if it is suspected.
   * `gone`: which runs were here, and are not any more, since it was asked for.
   */
  async #take(
    run: ClaimedRun,
    gone: ReadonlySet<string>,
    isAlone = false,
  ): Promise<"elsewhere" | undefined> {
    const { crashLimit, restorer, goOn, leaveAlone } = this.#options;
    const { row, events, takeovers } = run;
    if (this.#isHere(row)) return undefined;
    const losses = this.#losses;
    // Another look was faster. Whether it was taken before it was released is not known: asked again, it is.
    if (gone.has(row.id) && !this.#closed) return this.bring(row.id);
    // Those who need an operator come to nothing, and ended nobody.
    const isMoving = row.reason === undefined || row.reason === "not-recoverable";
    if (isMoving && takeovers > 1 && !isAlone) return this.#suspect(run);
    const isAside = isMoving && takeovers >= ASIDE * crashLimit;
    const found = isAside ? endsProcesses(row, takeovers) : await restorer.restore(row, events);
    if (losses !== this.#losses || this.#isHere(row)) return undefined;
    if (this.#closed) this.release(row.id);
    else if (gone.has(row.id)) return this.bring(row.id);
    else if (!(found instanceof ActiveRun)) leaveAlone(row, found);
    else if (isMoving && this.#isSuspected(found) && !isAlone) return this.#suspect(run);
    else {
      goOn(found, takeovers > 1 && isMoving);
      // It acts, as far as others know.
      found.wakeAt = 0;
    }
    return undefined;
  }

  #suspect(run: ClaimedRun): undefined {
    this.#suspects.add(run);
  }

  /** Whether it is quarantined if it ends its coordinator once more, and is not yet. */
  #isSuspected({ state }: ActiveRun): boolean {
    const crashes = crashesIfRecovered(state);
    return crashes > 1 && crashes === this.#options.crashLimit - 1;
  }
}
