/**
 * The first oracle: for a run without failure the plain async method is the specification. Each body
 * in turn is held back while everything else comes to rest; what has not started then is after it.
 * Both must agree for every body, and on the inputs of each call and on the result. Time plays no part.
 */
import { type Clock, Coordinator } from "steno-runtime";
import { type Loaded, sagasOf } from "./compile.js";
import { canonical } from "./canonical.js";
import { type Ground, inMemory } from "./grounds.js";
import type { World } from "./kit.js";
import { outputOf, payloadOf, tickOf } from "./outputs.js";
import { bindSagas, PlainEvent } from "./plain.js";

/** Params of every program. */
export interface Params {
  readonly tag: string;
  readonly n: number;
  readonly s: string;
  readonly on: boolean;
  readonly nums: readonly number[];
  readonly at: Date;
}

/** What is kept from going on: the calls of a key, an event, or a tick that throws. */
export interface Hold {
  readonly kind: "act" | "tick" | "event";
  readonly key: string;
}

/** What can be seen of a run from outside. */
interface Observation {
  /** What had begun when everything else was at rest, sorted. */
  readonly atRest: readonly string[];
  /** Everything, with inputs, sorted. */
  readonly calls: readonly string[];
  readonly holds: readonly Hold[];
  /** How many of the calls can be told apart. */
  readonly keys: number;
  readonly outcome: string;
}

/** Turns of the event loop in which nothing happened: then nothing will. A commit takes one. */
const QUIET_TURNS = 6;
/** A run that has not ended after so many turns does not end. */
const PATIENCE = 2000;

class GatedWorld implements World {
  /** How often something happened that other things may follow. */
  beats = 0;
  readonly begun: { readonly hold: Hold; readonly text: string }[] = [];
  readonly #hold: Hold | undefined;
  readonly #gate: Promise<void>;
  #open = (): void => {};

  constructor(hold: Hold | undefined) {
    this.#hold = hold;
    this.#gate = new Promise((resolve) => (this.#open = resolve));
  }

  async act(method: string, inputs: readonly [key: string, ...rest: unknown[]]): Promise<unknown> {
    const [key] = inputs;
    this.beats += 1;
    // Before anything is awaited: later, the caller could have changed them.
    this.begun.push({ hold: { kind: "act", key }, text: `${method}${canonical(inputs)}` });
    if (this.#hold?.kind === "act" && key === this.#hold.key) await this.#gate;
    return outputOf(method, inputs);
  }

  async undo(): Promise<void> {}

  tick(key: string, value: number): number {
    this.beats += 1;
    this.begun.push({ hold: { kind: "tick", key }, text: `tick${canonical([key, value])}` });
    if (this.#hold?.kind === "tick" && key === this.#hold.key) throw new Error(`tick ${key}`);
    return tickOf(key, value);
  }

  /** Lets go of what is held. */
  open(): void {
    this.#open();
  }
}

/** A program that has been started. */
interface Started {
  readonly result: Promise<unknown>;
  /** Sends an event to it. */
  send(event: string): Promise<unknown>;
  /** A turn of the event loop, and what takes longer is over. */
  turn(): Promise<void>;
  close(): Promise<void>;
}

type Start = (world: GatedWorld) => Promise<Started>;

async function observe(start: Start, events: readonly string[], hold?: Hold): Promise<Observation> {
  const world = new GatedWorld(hold);
  let outcome: string | undefined;
  const { result, send, turn, close } = await start(world);
  result.then(
    (value) => (outcome = `output ${canonical(value)}`),
    () => (outcome = "failure"),
  );
  const held = hold?.kind === "event" ? hold.key : undefined;
  for (const event of events) if (event !== held) await send(event);
  await rest(world, turn);
  const atRest = world.begun.map(({ text }) => text).sort();
  world.open();
  if (held !== undefined) await send(held);
  for (let left = PATIENCE; outcome === undefined && left > 0; left--) await turn();
  // Runs of their own may go on.
  await rest(world, turn);
  await close();
  return {
    atRest,
    calls: world.begun.map(({ text }) => text).sort(),
    holds: [
      ...new Map(world.begun.map(({ hold: each }) => [canonical(each), each])).values(),
      ...events.map((key) => ({ kind: "event", key }) as const),
    ],
    keys: new Set(world.begun.map(({ hold: each }) => each.key)).size,
    outcome: outcome ?? "no end",
  };
}

async function rest(world: GatedWorld, turn: () => Promise<void>): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS;) {
    const seen = world.beats;
    await turn();
    quiet = world.beats === seen ? quiet + 1 : 0;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function plain({ Program, script }: Loaded, params: Params): Start {
  const sagas = new Map([...script].map(([name, { sagas: own }]) => [name, [...own.keys()]]));
  return async (world) => {
    const program = new Program(world);
    bindSagas(program, sagas);
    return {
      result: program.main(structuredClone(params)),
      send: async (event) => {
        const found = (program as unknown as Record<string, unknown>)[event];
        if (found instanceof PlainEvent) found.receive(payloadOf(event));
      },
      turn: nextTurn,
      close: async () => {},
    };
  };
}

function compiled(program: Loaded, params: Params, take: () => Promise<Ground>): Start {
  return async (world) => {
    const ground = await take();
    const options = {
      store: ground.store,
      sagas: sagasOf(program, world),
      clock: hurriedClock(world),
      // Runs of their own in which nobody is called take their time, too.
      observers: [{ durable: () => void (world.beats += 1) }],
    };
    const coordinator = await Coordinator.open(options);
    const started = coordinator.start(program.main, params);
    return {
      result: started.then((run) => run.result()),
      // A run that is finished takes none; one that has not taken it does not end.
      send: (event) => started.then((run) => run.send(event, payloadOf(event))).catch(() => {}),
      turn: () => ground.turn(),
      close: async () => {
        await coordinator.close();
        await ground.leave();
      },
    };
  };
}

/** Longer is a timeout, and no sleep: nothing takes time here. */
const LONGEST_SLEEP_MS = 60_000;

/** A clock on which sleeps are over at once: a run that leaves memory to wait is brought back then. */
function hurriedClock(world: GatedWorld): Clock {
  let now = 0;
  return {
    now: () => now,
    setTimer: (at, call) => {
      if (at - now > LONGEST_SLEEP_MS) return () => {};
      const timer = setImmediate(() => {
        now = Math.max(now, at);
        world.beats += 1;
        call();
      });
      return () => clearImmediate(timer);
    },
  };
}

/** What the gates have looked at, for tests that must not pass by looking at nothing. */
export interface Verdict {
  /** In words; none: they agree. */
  readonly differences: readonly string[];
  readonly holds: number;
  readonly calls: number;
  /** Whether two calls have one key, by which the reference tells them apart. */
  readonly isAmbiguous: boolean;
}

/**
 * Compares the compiled saga with the plain method. `held`: which of its bodies are held back, of so
 * many; all, if it is left out. `take`: what each of its runs is run on.
 */
export async function compareByGating(
  program: Loaded,
  params: Params,
  held: (place: number, of: number) => boolean = () => true,
  take = (): Promise<Ground> => Promise.resolve(inMemory()),
): Promise<Verdict> {
  const { events } = program;
  const before = program.errorsMade();
  const free = await observe(plain(program, params), events);
  const isAmbiguous = free.keys < free.calls.length;
  // The plain method goes on beside what failed, also if it is caught; of that the reference tells.
  const fails = free.outcome === "failure" || program.errorsMade() > before;
  const judge = fails ? compareFailing : compare;
  const differences = judge(
    "nothing held",
    free,
    await observe(compiled(program, params, take), events),
  );
  if (differences.length > 0 || free.outcome === "no end") {
    if (free.outcome === "no end") differences.push("the plain method does not end");
    return { differences, holds: 0, calls: free.calls.length, isAmbiguous };
  }
  const holds = free.holds.filter((_, place) => held(place, free.holds.length));
  const found = await Promise.all(
    holds.map(async (hold) => {
      const [expected, actual] = await Promise.all([
        observe(plain(program, params), events, hold),
        observe(compiled(program, params, take), events, hold),
      ]);
      return hold.kind === "tick"
        ? compareThrow(`${hold.key} throws`, expected, actual)
        : judge(`${hold.key} held`, expected, actual);
    }),
  );
  return {
    differences: [...differences, ...found.flat()],
    holds: holds.length,
    calls: free.calls.length,
    isAmbiguous,
  };
}

function compare(when: string, expected: Observation, actual: Observation): string[] {
  return [
    ...difference(`${when}, began`, expected.atRest, actual.atRest),
    ...difference(`${when}, in all`, expected.calls, actual.calls),
    ...(expected.outcome === actual.outcome
      ? []
      : [`${when}: ${actual.outcome}, and the plain method has ${expected.outcome}`]),
  ];
}

/** Something has failed: what begins begins in the plain method, too, and not later. */
function compareFailing(when: string, expected: Observation, actual: Observation): string[] {
  const early = without(actual.atRest, expected.atRest).map((text) => `${when}: ${text} began`);
  return [...early, ...compareThrow(when, expected, actual)];
}

/** Something throws: what follows it in the plain method must not begin; what is beside it may not either. */
function compareThrow(when: string, expected: Observation, actual: Observation): string[] {
  return [
    ...without(actual.calls, expected.calls).map((text) => `${when}: ${text} began`),
    ...(expected.outcome === actual.outcome
      ? []
      : [`${when}: ${actual.outcome}, and the plain method has ${expected.outcome}`]),
  ];
}

function difference(
  when: string,
  expected: readonly string[],
  actual: readonly string[],
): string[] {
  return [
    ...without(actual, expected).map((text) => `${when}: ${text}, which the plain method has not`),
    ...without(expected, actual).map((text) => `${when}: not ${text}, which the plain method has`),
  ];
}

/** What is in one list and not in the other, counting. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = [...other];
  return list.filter((each) => {
    const place = left.indexOf(each);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}
