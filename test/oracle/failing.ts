/**
 * Runs a program on the real runtime under a fault schedule and a virtual clock, and after each thing
 * that happens compares what has begun, and how the run ends, with what the reference says.
 */
import { Coordinator, type Run } from "steno-runtime";
import type { VirtualClock } from "steno-runtime/testing";
import type { NodeStatus } from "../../runtime/reading/history.js";
import { settlingClock } from "../../runtime/testing/virtual-clock.js";
import type { Call } from "./calls.js";
import { canonical } from "./canonical.js";
import { type Loaded, sagasOf } from "./compile.js";
import type { Faults } from "./faults.js";
import { FaultyWorld, Sight } from "./faulty-world.js";
import type { Params } from "./gating.js";
import { type Ground, inMemory } from "./grounds.js";
import { kitActions } from "./kit-actions.js";
import { payloadOf, tickOf } from "./outputs.js";
import type { Reference } from "./reference.js";
import { Runs } from "./runs.js";

/** Of the run that is looked at. */
const ID = "r";
const START = 1000;
/** More than happens in any program. */
const PATIENCE = 3000;
/** A run that is stuck again and again is left so. */
const HELP = 40;

export interface Compared {
  /** In words; none: they agree. */
  readonly differences: readonly string[];
  /** How the run came to rest, each time. `unclear`: that cannot be told, and was not compared. */
  readonly endings: readonly string[];
  readonly crashes: number;
  /** Why the program cannot be read by the reference; then nothing else is said. */
  readonly unread: string | undefined;
}

/** Compares the runtime with the reference, on this ground. */
export async function compareWithReference(
  program: Loaded,
  params: Params,
  faults: Faults,
  ground: Ground = inMemory(),
): Promise<Compared> {
  const trial = new Trial(program, params, faults, ground);
  try {
    await trial.run();
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    trial.differences.push(`the comparison failed: ${said}`);
  } finally {
    trial.world.die();
    await trial.coordinator?.close();
    await ground.leave();
  }
  return trial;
}

interface Failed {
  readonly code?: string;
  readonly message: string;
  readonly failures?: readonly { readonly error: Error }[];
}

interface Outcome {
  readonly value?: unknown;
  readonly error?: Failed;
}

class Trial {
  readonly differences: string[] = [];
  readonly endings: string[] = [];
  crashes = 0;
  unread: string | undefined;
  coordinator: Coordinator | undefined;
  world: FaultyWorld;
  readonly #sight = new Sight();
  readonly #runs: Runs;
  readonly #main: Reference;
  /** Events that are still to come, and those of them that are due. */
  readonly #events: Set<string>;
  #due: string[] = [];
  /** Of each run that has come to rest, as what. */
  readonly #rested = new Map<Reference, string>();
  #clock: VirtualClock;
  #outcome: Outcome | undefined;

  constructor(
    private readonly program: Loaded,
    private readonly params: Params,
    private readonly faults: Faults,
    private readonly ground: Ground,
  ) {
    this.#clock = settlingClock(START, () => ground.turn());
    this.world = new FaultyWorld(this.#clock, faults, this.#sight);
    const tick = (key: string, value: number): number => {
      if (faults.fails("tick", key, 1)) throw new Error(`tick ${key} fails`);
      return tickOf(key, value);
    };
    this.#runs = new Runs(program.script, kitActions, tick);
    this.#main = this.#runs.start("Program", "main", structuredClone(params), ID);
    this.#events = new Set(program.events);
  }

  async run(): Promise<void> {
    const { main } = this.program;
    await this.open();
    let run = await (this.coordinator as Coordinator).start(main, this.params, { id: ID });
    this.watch(run);
    let help = 0;
    for (let step = 0; step < PATIENCE; step++) {
      const moved = step === 0 ? false : await this.#clock.next();
      // All that falls on this time: a run that left memory to wait is brought back by a timer of its own.
      await this.#clock.advance(0);
      await this.compare();
      await this.send(run);
      if (this.unread !== undefined) return;
      if (this.differences.length > 0 || this.#runs.unclear) break;
      const rests = await this.compareEnds(run);
      if (this.differences.length > 0 || rests?.every(({ finished }) => finished)) return;
      const stuck = rests?.find(({ finished }) => finished === undefined);
      if (stuck !== undefined) {
        if (help++ > HELP) return;
        await this.help(stuck);
        continue;
      }
      if (!moved && step > 0) {
        this.differences.push("the run does not go on");
        break;
      }
      const blow = this.faults.blow(step);
      if (blow === "crash") run = await this.crash();
      const { root, finished } = this.#main;
      if (blow === "unwind" && !root.over && finished === undefined) {
        await this.during(run.unwind("it was asked for"));
        this.#main.unwind("unwound on request: it was asked for");
        await this.compare();
      }
    }
    if (this.#runs.unclear) this.endings.push("unclear");
    else if (this.differences.length === 0) this.differences.push("the run does not end");
  }

  private async open(): Promise<void> {
    const sagas = sagasOf(this.program, this.world);
    const clock = this.#clock;
    for (const event of this.#events) {
      clock.setTimer(START + this.faults.sentAt(event), () => void this.#due.push(event));
    }
    const logger = { warn: () => {} };
    const more = { clock, logger, random: () => 0, crashLimit: Infinity };
    this.coordinator = await Coordinator.open({ store: this.ground.store, sagas, ...more });
  }

  private watch(run: Run): void {
    this.#outcome = undefined;

    run.result().then(
      (value) => (this.#outcome = { value }),
      (error: Failed) => {
        if (error.code !== "coordinator-closed" && error.code !== "store-lost")
          this.#outcome = { error };
      },
    );
  }

  private async crash(): Promise<Run> {
    this.crashes += 1;
    this.world.die();
    await this.ground.kill();
    void this.coordinator?.close();
    this.#clock = settlingClock(this.#clock.now(), () => this.ground.turn());
    this.world = new FaultyWorld(this.#clock, this.faults, this.#sight);
    await this.open();
    const run = (await this.coordinator?.run(ID)) as Run;
    this.watch(run);
    await this.#clock.advance(0);
    this.#runs.crashed();
    await this.compare();
    return run;
  }

  /** Sends the events that are due. */
  private async send(run: Run): Promise<void> {
    for (const event of this.#due.splice(0)) {
      this.#events.delete(event);
      if (this.#outcome !== undefined && this.#main.finished !== undefined) continue;
      await this.during(run.send(event, payloadOf(event)));
      this.#main.receive(event, payloadOf(event));
      await this.compare();
    }
  }

  /** Frees one node of a run that is stuck. */
  private async help(reference: Reference): Promise<void> {
    this.#rested.delete(reference);
    const stuck = [...reference.calls.values()].find(
      ({ state }) => state === "undo-failed" || state === "stuck-in-doubt",
    ) as Call;
    const place = this.#sight.places.get(stuck.key);
    if (place === undefined) throw new Error(`nobody has seen ${stuck.key}`);
    const { path } = place;
    const run = (await this.coordinator?.run(place.run)) as Run;
    if (this.faults.settles(stuck.key)) {
      const late = stuck.state === "stuck-in-doubt" ? this.late(stuck, path) : "";
      await this.during(run.settle(path, "done by hand"));
      reference.settleStuck(stuck, late);
    } else {
      await this.during(run.retry(path));
      reference.retry(stuck);
    }
    if (reference === this.#main) this.watch(run);
    await this.#clock.advance(0);
    await this.compare();
  }

  private late({ attempts }: Call, path: string): string {
    return (
      `attempt ${attempts} of \`${path}\` had no answer in time: ` +
      "whether it had its effect is not known"
    );
  }

  /** Waits for the answer to a request, which takes no time. */
  private async during(asked: Promise<void>): Promise<void> {
    let isAnswered = false;
    const answered = asked.finally(() => (isAnswered = true));
    for (let turn = 0; turn < PATIENCE && !isAnswered; turn++) await this.#clock.advance(0);
    if (!isAnswered) throw new Error("a request of an operator is not answered");
    await answered;
  }

  /** Tells the reference what has ended, and compares what has begun. */
  private async compare(): Promise<void> {
    const runs = this.#runs;
    const seen = this.#sight.begun;
    const ended = this.#sight.ended;
    this.#sight.begun = [];
    this.#sight.ended = [];
    const now = this.#clock.now();
    runs.now = now;
    for (const each of this.#sight.later) if (each.at <= now) ended.push(each.ended);
    this.#sight.later = this.#sight.later.filter(({ at }) => at > now);
    for (const each of ended) {
      if (each.doing === "act") runs.ended(each.key, each.attempt, each.end);
      else runs.undoEnded(each.key, each.attempt, each.end);
    }
    for (let again = true; again;) {
      const { must, may } = await runs.rest();
      if (runs.unread !== undefined) {
        this.unread = runs.unread.message;
        return;
      }
      if (runs.unclear) return;
      for (const text of must) {
        if (!take(seen, text)) this.differ(`${text}: in the reference only`);
      }
      again = false;
      for (const text of may) {
        if (take(seen, text) || !text.startsWith("act ")) continue;
        runs.passedOver(text.split(" ")[1] as string);
        again = true;
      }
    }
    for (const text of seen) this.differ(`${text}: not in the reference`);
  }

  private differ(text: string): void {
    this.differences.push(`at ${this.#clock.now()}, ${text}`);
  }

  /** Compares how runs have ended that are at rest now, and gives all that are, if there are any. */
  private async compareEnds(run: Run): Promise<readonly Reference[] | undefined> {
    const main = this.#main;
    if (this.#outcome !== undefined && !this.#rested.has(main)) {
      await this.compareEnd(main, run, this.#outcome);
    }
    for (const other of this.#runs.all) {
      if (other === main || !other.atRest || this.#rested.has(other)) continue;
      const found = await this.runOf(other);
      if (found !== undefined) await this.compareEnd(other, found, await this.outcomeOf(found));
      else this.#rested.set(other, "unseen");
    }
    const rests = [...this.#rested.keys()];
    const isStuck = rests.some(({ finished }) => finished === undefined);
    return isStuck || rests.length === this.#runs.all.length ? rests : undefined;
  }

  private async compareEnd(reference: Reference, run: Run, outcome: Outcome): Promise<void> {
    const { value, error } = outcome;
    const status =
      error === undefined ? "succeeded" : error.code === "saga-stuck" ? "stuck" : "undone";
    const wanted = reference.finished ?? (reference.atRest ? "stuck" : "running");
    this.#rested.set(reference, wanted);
    this.endings.push(wanted);
    this.hold("the run", wanted, status);
    if (status === "succeeded") {
      this.hold("the result", canonical(reference.output), canonical(value));
    } else {
      const messages = (error?.failures ?? []).map(({ error: { message } }) => readable(message));
      const { failures } = reference.root;
      this.hold("the first failure", failures[0], messages[0]);
      this.hold("the failures", [...failures].sort().join(), messages.sort().join());
    }
    const states = new Map<string, string>();
    addStates((await run.status()).nodes, states);
    for (const { key, state } of reference.calls.values()) {
      const path = this.#sight.places.get(key)?.path;
      if (path === undefined) continue;
      this.hold(`node ${path}`, state, states.get(path));
      states.delete(path);
    }
  }

  /** The run that the runtime has for it; undefined: nothing of it was seen. */
  private async runOf({ id, calls }: Reference): Promise<Run | undefined> {
    const [seen] = [...calls.keys()].flatMap((key) => this.#sight.places.get(key)?.run ?? []);
    const found = id ?? seen;
    return found === undefined ? undefined : this.coordinator?.run(found);
  }

  private async outcomeOf(run: Run): Promise<Outcome> {
    let outcome: Outcome | undefined;
    const ended = run.result().then(
      (value) => void (outcome = { value }),
      (error: Failed) => void (outcome = { error }),
    );
    await this.during(ended);
    return outcome ?? {};
  }

  private hold(what: string, wanted: unknown, got: unknown): void {
    if (wanted !== got)
      this.differ(`${what}: ${String(got)}, and the reference has ${String(wanted)}`);
  }
}

/** A message, without the names that the runtime has given to a run and its nodes. */
function readable(message: string): string {
  return message.replace(/^saga `[^`]*` failed at .*?, and is undone: /, "a run failed: ");
}

function take(list: string[], text: string): boolean {
  const place = list.indexOf(text);
  if (place >= 0) list.splice(place, 1);
  return place >= 0;
}

function addStates(nodes: readonly NodeStatus[], states: Map<string, string>): void {
  for (const { path, state, nodes: inner, handler } of nodes) {
    states.set(path, state);
    if (inner !== undefined) addStates(inner, states);
    if (handler !== undefined) addStates(handler, states);
  }
}
