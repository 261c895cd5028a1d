/**
 * One simulation: a coordinator over a slow and failing store, several runs of random sagas, bodies
 * that fail, operators, and processes that end at any moment, all by one seed. Then the faults end,
 * and every run has to come to its end. It gives what was wrong, if anything was.
 */
import { Coordinator, type CoordinatorOptions, StenoError } from "steno-runtime";
import { RandomActor } from "./actor.js";
import { Operator } from "./operator.js";
import { type Choose, stream } from "./random.js";
import { type Definition, randomSagas } from "./sagas.js";
import { SimulatedStore, type StoreKind } from "./store.js";
import { Truth, Violation } from "./truth.js";
import { World } from "./world.js";

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
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Setting {
  readonly seed: number;
  /** Runs that are started. */
  readonly runs: number;
  /** Steps before the faults end. */
  readonly steps: number;
  readonly faults: readonly Fault[];
  /** What the slow and failing store is made of. */
  readonly store: StoreKind;
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

export function defaultSetting(seed: number): Setting {
  return { seed, runs: 1 + (seed % 4), steps: 300, faults: FAULTS, store: "memory" };
}

/** Runs that have not ended when everything was done for them: so many rounds of help. */
const ROUNDS = 60;

export async function simulate(
  setting: Setting,
  mutate: Mutation = (same) => same,
): Promise<Outcome> {
  const simulation = new Simulation(setting, mutate);
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

class Simulation {
  readonly world: World;
  readonly truth: Truth;
  crashes = 0;
  readonly #setting: Setting;
  readonly #mutate: Mutation;
  readonly #chance: Choose;
  readonly #sagas: ReturnType<typeof randomSagas>;
  /** Those that this process, or the last one, has: an upgrade changes them. */
  #deployed: readonly Definition[];
  readonly #store: SimulatedStore;
  readonly #actor: RandomActor;
  readonly #operator: Operator;
  readonly #random: Choose;
  #coordinator: Coordinator | undefined;
  /** One is being opened, or another closed. */
  #opening = false;
  #life = 0;
  #startedRuns = 0;
  #healing = false;

  constructor(setting: Setting, mutate: Mutation) {
    const { seed, faults } = setting;
    const has = (fault: Fault): boolean => faults.includes(fault);
    this.#setting = setting;
    this.#mutate = mutate;
    this.#chance = stream(seed, "chance");
    this.#random = stream(seed, "random");
    this.world = new World(stream(seed, "world"));
    this.#sagas = randomSagas(stream(seed, "sagas"));
    this.#deployed = this.#sagas;
    this.truth = new Truth(this.#sagas.map(({ manifest }) => manifest));
    this.#store = new SimulatedStore(
      this.world,
      stream(seed, "store"),
      this.truth,
      {
        failing: has("failing"),
        torn: has("torn"),
      },
      setting.store,
    );
    this.#actor = new RandomActor(this.world, stream(seed, "actor"), this.truth, has("bodies"));
    this.#operator = new Operator(
      stream(seed, "operator"),
      this.truth,
      this.#store,
      has("injections"),
    );
  }

  /** Everything that can happen, as often as the setting says. */
  async abuse(): Promise<void> {
    const { steps, runs, faults } = this.#setting;
    const has = (fault: Fault, oneIn: number): boolean =>
      this.#chance(oneIn) === 0 && faults.includes(fault);
    for (let step = 0; step < steps; step++) {
      this.#open();
      if (has("crash", 60)) await this.#crash();
      const coordinator = this.#coordinator;
      if (coordinator !== undefined) {
        if (this.#startedRuns < runs && this.#chance(6) === 0) {
          this.#start(coordinator);
        }
        if (has("commands", 6)) this.#operator.command(coordinator);
        if (this.#chance(80) === 0) this.#close(coordinator);
      }
      if (has("clock", 50)) this.world.now += this.#chance(20_000) - 10_000;
      await this.#step();
    }
  }

  /** The faults end; every run has to end, and what was asked for has to be answered. */
  async heal(): Promise<void> {
    this.#healing = true;
    await this.#crash();
    this.#store.faults = { failing: false, torn: false };
    this.#actor.faults = false;
    this.#operator.injects = false;
    for (let round = 0; !this.#isOver(); round++) {
      this.truth.check(round < ROUNDS, `never ended: ${this.#unfinished()}`);
      // What could not be read before is looked at again by whoever opens the store.
      if (round === ROUNDS / 2) await this.#crash();
      this.#open();
      this.world.now += 60_000;
      for (let step = 0; step < 400; step++) if (!(await this.#step()) && step > 20) break;
      if (this.#coordinator === undefined) continue;
      while (this.#startedRuns < this.#setting.runs) this.#start(this.#coordinator);
      this.#operator.help(this.#coordinator);
    }
    this.#operator.checkAnswers();
    this.truth.checkLogs();
    for (const id of this.#operator.started) {
      const isThere = this.truth.runs.has(id) || this.truth.removed.has(id);
      this.truth.check(isThere, `run ${id} is forgotten`);
    }
    await this.#store.check();
    if (this.#coordinator !== undefined) this.#close(this.#coordinator);
    for (let step = 0; step < 50; step++) await this.#step();
  }

  /** What is left of it goes away. */
  end(): Promise<void> {
    return this.#store.remove();
  }

  /** Of the newest definition that is there. */
  #start(coordinator: Coordinator): void {
    const main = this.#deployed.findLast(({ manifest }) => manifest.name === "Main");
    if (main === undefined) return;
    this.#operator.start(coordinator, `run${this.#startedRuns++}`, main);
  }

  async #step(): Promise<boolean> {
    const busy = await this.world.step();
    if (this.truth.violation !== undefined) throw this.truth.violation;
    return busy;
  }

  #isOver(): boolean {
    const { runs, answers } = this.truth;
    if (this.#startedRuns < this.#setting.runs) return false;
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

  async #crash(): Promise<void> {
    this.crashes += 1;
    this.#life += 1;
    this.#coordinator = undefined;
    this.#opening = false;
    this.world.crash();
    await this.#store.crash();
  }

  #close(coordinator: Coordinator): void {
    this.#coordinator = undefined;
    this.#opening = true;
    const life = this.#life;
    void coordinator.close().then(
      () => this.#ended(life),
      (error: unknown) => this.#report(error),
    );
  }

  #ended(life: number): void {
    if (life === this.#life) this.#opening = false;
  }

  /** Another process begins, unless one is there. */
  #open(): void {
    if (this.#coordinator !== undefined || this.#opening) return;
    this.#opening = true;
    const life = this.#life;
    Coordinator.open(this.#mutate(this.#options())).then(
      (coordinator) => {
        if (life !== this.#life) return;
        this.#opening = false;
        this.#coordinator = coordinator;
      },
      (error: unknown) => {
        if (life !== this.#life) return;
        this.#report(error);
        this.#opening = false;
      },
    );
  }

  #options(): CoordinatorOptions {
    const choose = this.#chance;
    const { faults } = this.#setting;
    const [main, other, upgraded] = this.#sagas;
    const all = faults.includes("upgrades") ? this.#sagas : [main, other];
    // While it lasts, there are processes that know the old saga only, or the new one only.
    const some = [[main, other], [upgraded, other], all][choose(3)] ?? all;
    this.#deployed = faults.includes("upgrades") && !this.#healing ? some : all;
    return {
      store: this.#store,
      sagas: this.#deployed.map((saga) => saga.on(this.#actor)),
      clock: this.world.clock,
      random: () => this.#random(1000) / 1000,
      logger: { warn: (message) => this.#said(message), error: () => undefined },
      shortWaitMs: [0, 5000, Infinity][choose(3)] as number,
      crashLimit: choose(2) === 0 ? 3 : Infinity,
      limits: choose(3) === 0 ? [{ atMost: 1 + choose(2), saga: "Main" }] : [],
    };
  }

  /** A coordinator that lost its store is closed, as its message says, and another opened. */
  #said(message: string): void {
    if (message.includes("the store cannot be written") && this.#coordinator !== undefined) {
      this.#close(this.#coordinator);
    }
    if (!message.includes("please report")) return;
    this.truth.violation ??= new Violation(message);
  }

  #report(error: unknown): void {
    if (error instanceof StenoError && error.code !== "internal") return;
    this.truth.violation ??= new Violation(`open or close: ${String(error)}`);
  }
}
