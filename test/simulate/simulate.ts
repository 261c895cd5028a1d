/**
 * One simulation: a coordinator over a slow and failing store, or two over one PostgreSQL, several runs
 * of random sagas, bodies that fail, operators, and processes that end at any moment, all by one seed.
 * Then the faults end, and every run has to come to its end. It gives what was wrong, if anything was.
 */
import { Coordinator, type CoordinatorOptions, StenoError } from "steno-runtime";
import { RandomActor } from "./actor.js";
import { type Database, SimulatedFleet } from "./fleet-store.js";
import { Operator } from "./operator.js";
import { type Choose, stream } from "./random.js";
import { type Definition, randomSagas } from "./sagas.js";
import { SimulatedStore, type StoreKind } from "./store.js";
import { Truth, Violation } from "./truth.js";
import { type ProcessId, World } from "./world.js";

/** What can go wrong; each can be left out. */
export const FAULTS = [
  "crash",
  "torn",
  "failing",
  "bodies",
  "commands",
  "injections",
  "clock",
  "upgrades",
  /** Processes are stopped and go on: only where others can go on meanwhile. */
  "stops",
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Setting {
  readonly seed: number;
  /** Runs that are started. */
  readonly runs: number;
  /** Steps before the faults end. */
  readonly steps: number;
  readonly faults: readonly Fault[];
  /** What the slow and failing store is made of; on PostgreSQL, there are two coordinators. */
  readonly store: StoreKind | "postgres";
}

/** What a test may change about the runtime, to see that it is found. */
export type Mutation = (options: CoordinatorOptions) => CoordinatorOptions;

export interface Outcome {
  readonly violation: Error | undefined;
  readonly commits: number;
  readonly crashes: number;
  /** How runs ended. */
  readonly endings: ReadonlyMap<string, number>;
}

export function defaultSetting(seed: number, store: Setting["store"] = "memory"): Setting {
  const steps = 300 * paceOf(store);
  return { seed, runs: 1 + (seed % 4), steps, faults: FAULTS, store };
}

/** What is one step in memory is several on the way to a server and back: what ends them is as much rarer. */
function paceOf(store: Setting["store"]): number {
  return store === "postgres" ? 5 : 1;
}

/** Runs that have not ended when everything was done for them: so many rounds of help. */
const ROUNDS = 60;

/** `database`: where the store is PostgreSQL. */
export async function simulate(
  setting: Setting,
  mutate: Mutation = (same) => same,
  database?: Database,
): Promise<Outcome> {
  await database?.wipe();
  const simulation = new Simulation(setting, mutate, database);
  await simulation.begin();
  const giveBack = simulation.world.takeTimers();
  let violation: Error | undefined;
  try {
    await simulation.abuse();
    await simulation.heal();
  } catch (error) {
    violation = error as Error;
  } finally {
    giveBack();
    await simulation.end();
  }
  const { truth, crashes } = simulation;
  const endings = new Map<string, number>();
  for (const { row } of truth.runs.values())
    endings.set(row.status, (endings.get(row.status) ?? 0) + 1);
  return { violation: truth.violation ?? violation, commits: truth.commits, crashes, endings };
}

/** A process that opens coordinators, one after the other. */
interface Process {
  readonly id: ProcessId;
  coordinator: Coordinator | undefined;
  /** One is being opened, or another closed. */
  opening: boolean;
  life: number;
  /** The sagas that it, or the last one, has: an upgrade changes them. */
  deployed: readonly Definition[];
  /** It goes on at this step. */
  stoppedUntil: number;
}

class Simulation {
  readonly world: World;
  readonly truth: Truth;
  crashes = 0;
  readonly #setting: Setting;
  readonly #mutate: Mutation;
  readonly #chance: Choose;
  readonly #sagas: ReturnType<typeof randomSagas>;
  readonly #store: SimulatedStore | SimulatedFleet;
  readonly #actor: RandomActor;
  readonly #operator: Operator;
  readonly #random: Choose;
  readonly #processes: readonly Process[];
  #startedRuns = 0;
  #healing = false;

  constructor(setting: Setting, mutate: Mutation, database: Database | undefined) {
    const { seed, faults, store } = setting;
    const has = (fault: Fault): boolean => faults.includes(fault);
    this.#setting = setting;
    this.#mutate = mutate;
    this.#chance = stream(seed, "chance");
    this.#random = stream(seed, "random");
    this.world = new World(stream(seed, "world"));
    this.#sagas = randomSagas(stream(seed, "sagas"));
    this.truth = new Truth(this.#sagas.map(({ manifest }) => manifest));
    const of = [this.world, stream(seed, "store"), this.truth] as const;
    const storeFaults = { failing: has("failing"), torn: has("torn") };
    if (store !== "postgres") this.#store = new SimulatedStore(...of, storeFaults, store);
    else if (database !== undefined) this.#store = new SimulatedFleet(...of, storeFaults, database);
    else throw new Error("a simulation on PostgreSQL needs a database");
    this.#processes = (store === "postgres" ? [0, 1] : [0]).map((id) => ({
      ...{ id, coordinator: undefined, opening: false, life: 0, stoppedUntil: 0 },
      deployed: this.#sagas,
    }));
    this.#actor = new RandomActor(this.world, stream(seed, "actor"), this.truth, has("bodies"));
    this.#operator = new Operator(
      stream(seed, "operator"),
      this.truth,
      this.#store.of(this.#processes.length),
      has("injections"),
    );
  }

  begin(): Promise<void> {
    return this.#store.begin();
  }

  /** Everything that can happen, as often as the setting says. */
  async abuse(): Promise<void> {
    const { steps, runs, faults, store } = this.#setting;
    const pace = paceOf(store);
    const has = (fault: Fault, oneIn: number): boolean =>
      this.#chance(oneIn) === 0 && faults.includes(fault);
    for (let step = 0; step < steps; step++) {
      for (const process of this.#processes) this.#open(process);
      if (has("crash", 60 * pace)) await this.#crash(this.#any(this.#processes));
      if (this.#processes.length > 1 && has("stops", 50 * pace))
        this.#stop(this.#any(this.#processes));
      this.#goOn();
      const process = this.#any(this.#processes);
      if (process.coordinator !== undefined && !this.world.stopped.has(process.id)) {
        if (this.#startedRuns < runs && this.#chance(6) === 0) this.#start(process);
        if (has("commands", 6)) this.#command(process);
        if (this.#chance(80 * pace) === 0) this.#close(process);
      }
      if (has("clock", 50 * pace)) this.world.now += this.#chance(20_000) - 10_000;
      await this.#step();
    }
  }

  /** The faults end; every run has to end, and what was asked for has to be answered. */
  async heal(): Promise<void> {
    this.#healing = true;
    await this.#crashAll();
    this.#store.faults = { failing: false, torn: false };
    this.#actor.faults = false;
    this.#operator.injects = false;
    for (let round = 0; !this.#isOver(); round++) {
      this.truth.check(round < ROUNDS, `never ended: ${this.#unfinished()}`);
      // What could not be read before is looked at again by whoever opens the store.
      if (round === ROUNDS / 2) await this.#crashAll();
      for (const process of this.#processes) this.#open(process);
      this.world.pass(60_000);
      for (let step = 0; step < 400; step++) if (!(await this.#step()) && step > 20) break;
      const process = this.#any(this.#processes);
      const { coordinator } = process;
      if (coordinator === undefined) continue;
      while (this.#startedRuns < this.#setting.runs) this.#start(process);
      this.world.in(process.id, () => this.#operator.help(coordinator));
    }
    this.#operator.checkAnswers();
    this.truth.checkLogs();
    for (const id of this.#operator.started) {
      const isThere = this.truth.runs.has(id) || this.truth.removed.has(id);
      this.truth.check(isThere, `run ${id} is forgotten`);
    }
    await this.#store.check();
    for (const process of this.#processes) {
      if (process.coordinator !== undefined) this.#close(process);
    }
    for (let step = 0; step < 50; step++) await this.#step();
  }

  /** What is left of it goes away. */
  end(): Promise<void> {
    return this.#store.remove();
  }

  /** Where there is one, chance is not asked: its simulations are what they were. */
  #any(processes: readonly Process[]): Process {
    const place = processes.length === 1 ? 0 : this.#chance(processes.length);
    return processes[place] as Process;
  }

  /** As a signal stops it: longer than its lease, or not. */
  #stop({ id }: Process): void {
    const process = this.#processes[id] as Process;
    this.world.stopped.add(id);
    process.stoppedUntil = this.world.steps + this.#chance(300);
  }

  #goOn(): void {
    for (const { id, stoppedUntil } of this.#processes) {
      if (this.world.steps >= stoppedUntil) this.world.stopped.delete(id);
    }
  }

  /** Of the definition that new runs take. */
  #start({ id, coordinator, deployed }: Process): void {
    const main = deployed.find(({ manifest }) => manifest.name === "Main");
    if (main === undefined || coordinator === undefined) return;
    this.world.in(id, () => this.#operator.start(coordinator, `run${this.#startedRuns++}`, main));
  }

  #command({ id, coordinator }: Process): void {
    if (coordinator === undefined) return;
    this.world.in(id, () => this.#operator.command(coordinator));
  }

  async #step(): Promise<boolean> {
    const busy = await this.world.step();
    if (this.truth.violation !== undefined) throw this.truth.violation;
    return busy;
  }

  #isOver(): boolean {
    const { runs, answers } = this.truth;
    if (this.#startedRuns < this.#setting.runs || this.#operator.starting.size > 0) return false;
    for (const { state } of runs.values()) if (state?.finished === undefined) return false;
    return this.#operator.asked.every(({ request }) => answers.has(request));
  }

  #unfinished(): string {
    const found = [...this.truth.runs.values()].filter(
      ({ state }) => state?.finished === undefined,
    );
    const rows = found.map(({ row, events }) => {
      const last = events.slice(-3).map(({ at: _, ...event }) => JSON.stringify(event));
      return `${row.id} (${row.status}, ${row.reason}, woken ${row.wakeAt}; ${last.join(" ")})`;
    });
    return rows.join(", ") || "requests without an answer";
  }

  async #crashAll(): Promise<void> {
    this.#operator.starting.clear();
    for (const process of this.#processes) await this.#crash(process);
  }

  async #crash(process: Process): Promise<void> {
    this.crashes += 1;
    process.life += 1;
    process.coordinator = undefined;
    process.opening = false;
    process.stoppedUntil = 0;
    this.world.crash(process.id);
    await this.#store.crash(process.id);
  }

  #close(process: Process): void {
    const { id, life, coordinator } = process;
    process.coordinator = undefined;
    process.opening = true;
    void this.world
      .in(id, () => coordinator?.close() ?? Promise.resolve())
      .then(
        () => this.#ended(process, life),
        (error: unknown) => this.#report(error),
      );
  }

  #ended(process: Process, life: number): void {
    if (life === process.life) process.opening = false;
  }

  /** Another coordinator begins, unless one is there. */
  #open(process: Process): void {
    if (process.coordinator !== undefined || process.opening) return;
    process.opening = true;
    const { life, id } = process;
    const options = this.#mutate(this.#options(process));
    this.world
      .in(id, () => Coordinator.open(options))
      .then(
        (coordinator) => {
          if (life !== process.life) return;
          process.opening = false;
          process.coordinator = coordinator;
        },
        (error: unknown) => {
          if (life !== process.life) return;
          this.#report(error);
          process.opening = false;
        },
      );
  }

  #options(process: Process): CoordinatorOptions {
    const choose = this.#chance;
    const { faults } = this.#setting;
    const [main, other, upgraded] = this.#sagas;
    const all = faults.includes("upgrades") ? this.#sagas : [main, other];
    // While it lasts, there are processes that know the old saga only, or the new one only.
    const some = [[main, other], [upgraded, other], all][choose(3)] ?? all;
    process.deployed = faults.includes("upgrades") && !this.#healing ? some : all;
    return {
      store: this.#store.of(process.id),
      sagas: process.deployed.map((saga) => saga.on(this.#actor)),
      clock: this.world.clock,
      random: () => this.#random(1000) / 1000,
      logger: { warn: (message) => this.#said(process, message), error: () => undefined },
      shortWaitMs: [0, 5000, Infinity][choose(3)] as number,
      crashLimit: choose(2) === 0 ? 3 : Infinity,
      limits: choose(3) === 0 ? [{ atMost: 1 + choose(2), saga: "Main" }] : [],
    };
  }

  /** A coordinator that lost its store is closed, as its message says, and another opened. */
  #said(process: Process, message: string): void {
    if (message.includes("the store cannot be written") && process.coordinator !== undefined) {
      this.#close(process);
    }
    if (!message.includes("please report")) return;
    this.truth.violation ??= new Violation(message);
  }

  #report(error: unknown): void {
    if (error instanceof StenoError && error.code !== "internal") return;
    this.truth.violation ??= new Violation(`open or close: ${String(error)}`);
  }
}
