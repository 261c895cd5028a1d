/**
 * The runs that a coordinator has in memory, and those that it found and cannot go on with. It
 * brings back what another coordinator left unfinished. How a run proceeds is in `executor.ts`.
 */
import { ActiveRun } from "./active-run.js";
import { StenoError } from "./errors.js";
import { type Executor, isMoving } from "./executor.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { crashesIfRecovered } from "./machine/outstanding.js";
import { restore, unfinishedRuns, type UnrecoveredRun } from "./recovery.js";
import { statusOf } from "./state.js";
import type { RunRow, StoreReader } from "./stores/store.js";

export interface ActiveRunsOptions {
  readonly reader: StoreReader;
  readonly sagas: readonly LoadedSaga[];
  readonly executor: Executor;
  readonly crashLimit: number;
  readonly warn: (message: string) => void;
  /** A run goes on, or stays where it needs an operator. */
  readonly onRecovered: (run: ActiveRun) => void;
}

export class ActiveRuns {
  readonly #options: ActiveRunsOptions;
  readonly #active = new Map<string, ActiveRun>();
  readonly #unrecovered = new Map<string, UnrecoveredRun>();

  constructor(options: ActiveRunsOptions) {
    this.#options = options;
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
    this.#active.delete(run.id);
  }

  /** Whether any run can move without an operator. */
  areMoving(): boolean {
    for (const run of this.#active.values()) if (isMoving(run)) return true;
    return false;
  }

  /** Tells whoever waits for a run that it cannot be known here. */
  giveUp(error: Error): void {
    for (const run of this.#active.values()) run.giveUp(error);
  }

  /** Unfinished runs that cannot go on here, and why. */
  get unrecovered(): readonly UnrecoveredRun[] {
    return [...this.#unrecovered.values()];
  }

  /** @throws StenoError if a run that is not finished cannot go on here */
  checkRecovered(id: string): void {
    const found = this.#unrecovered.get(id);
    if (found !== undefined) throw new StenoError(found.reason, found.message);
  }

  /** A run that a command can be for. @throws StenoError if it is not under way here */
  async underWay(id: string): Promise<ActiveRun> {
    const run = this.#active.get(id);
    if (run !== undefined) return run;
    this.checkRecovered(id);
    const row = await this.#options.reader.run(id);
    if (row === undefined) throw new StenoError("no-such-run", `there is no run \`${id}\``);
    throw new StenoError(
      "run-finished",
      `run \`${id}\` is finished (${row.status}): nothing is left to do to it`,
    );
  }

  /** Goes on with all that is unfinished in the store; resolves when that is durable. */
  async recover(): Promise<void> {
    const { reader, sagas, executor } = this.#options;
    const at = executor.clock.now();
    for await (const row of unfinishedRuns(reader)) {
      const found = await restore(reader, row, sagas);
      if (found instanceof ActiveRun) this.#goOn(found, at);
      else this.#leaveAlone(row, found, at);
    }
    await executor.durable();
  }

  #goOn(run: ActiveRun, at: number): void {
    const { executor, crashLimit, warn, onRecovered } = this.#options;
    this.#active.set(run.id, run);
    onRecovered(run);
    if (crashesIfRecovered(run.state) >= crashLimit && run.state.paused === undefined) {
      warn(`run \`${run.id}\` is paused: its attempts ended with the process ${crashLimit} times`);
      executor.record(run, { type: "paused", at, value: '"crash-loop"' });
    }
    executor.record(run, { type: "recovered", at });
    run.atRest = run.status === "stuck" && statusOf(run.state) === "stuck";
  }

  #leaveAlone(row: RunRow, found: UnrecoveredRun, updatedAt: number): void {
    this.#unrecovered.set(row.id, found);
    this.#options.warn(found.message);
    if (row.reason === found.reason) return;
    const { id: run, status, output, error } = row;
    const { reason } = found;
    this.#options.executor.write({
      kind: "update",
      run,
      status,
      reason,
      output,
      error,
      updatedAt,
      wakeAt: 0,
    });
  }
}
