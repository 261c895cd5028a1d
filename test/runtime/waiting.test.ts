/**
 * Runs that only wait, and so are not in memory: nothing that anybody can see may depend on it. The
 * same run is made with all waits in memory, with none, and with some, and all logs are compared.
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { Coordinator, defineSaga, type Run, type SagaDefinition, type Store } from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import { virtualClock } from "steno-runtime/testing";
import { expect, test } from "vitest";
import type { GraphBindings } from "../../runtime/definition.js";
import { keptLog, until, watchedStore, type WatchedStore } from "./watched-store.js";

type Values = Readonly<Record<string, any>>;
type Definition = SagaDefinition<Script, unknown, any>;

const DAY = 24 * 3_600_000;

/** Fails as often as it is told, by the text that it is given. */
class Script {
  readonly calls: string[] = [];
  readonly #failures: Readonly<Record<string, number>>;
  readonly #failed = new Map<string, number>();
  constructor(failures: Readonly<Record<string, number>> = {}) {
    this.#failures = failures;
  }
  async act(text: string): Promise<string> {
    this.#call(text);
    return text;
  }
  async undo(_output: string | undefined, text: string): Promise<void> {
    this.#call(`undo ${text}`);
  }
  #call(what: string): void {
    this.calls.push(what);
    const failed = this.#failed.get(what) ?? 0;
    if (failed >= (this.#failures[what] ?? 0)) return;
    this.#failed.set(what, failed + 1);
    throw new Error(`${what} fails`);
  }
}

function define(name: string, nodes: readonly Node[], bindings: object): Definition {
  const hash = `sha256-${createHash("sha256").update(JSON.stringify(nodes)).digest("hex")}`;
  return defineSaga({ manifest: { steno: 1, name, hash, nodes }, ...(bindings as GraphBindings) });
}

const retry = { attempts: 3, delayMs: 60_000, factor: 2, maxDelayMs: DAY, jitter: false };
const act = (name: string, after: readonly string[]): Node => ({
  name,
  kind: "action",
  action: "act",
  undo: "undo",
  after,
  retry,
  undoRetry: { ...retry, attempts: 2 },
});
const says = (text: string) => ({ inputs: () => [text] });

const child = define(
  "Child.saga",
  [act("c1", []), { name: "nap", kind: "sleep", after: ["c1"] }, act("c2", ["nap"])],
  {
    nodes: { c1: says("c1"), nap: { duration: () => 2 * DAY }, c2: says("c2") },
    output: () => "child",
  },
);
const parent = define(
  "Parent.saga",
  [
    act("a", []),
    { name: "long", kind: "sleep", after: ["a"] },
    { name: "short", kind: "sleep", after: ["a"] },
    { name: "yes", kind: "event", target: "yes", after: ["a"] },
    { name: "late", kind: "event", target: "late", timeoutMs: 5 * DAY, after: ["short"] },
    { name: "other", kind: "spawn", target: "Child.saga", wait: true, after: ["a"] },
    act("b", ["long", "yes"]),
    act("d", ["b", "other", "late"]),
  ],
  {
    nodes: {
      a: says("a"),
      long: { duration: () => 3 * DAY },
      short: { duration: () => 5000 },
      other: { params: () => null, id: () => "child" },
      b: says("b"),
      d: says("d"),
    },
    output: ({ other, yes, late }: Values) => [other, yes, late],
  },
);

interface Plan {
  readonly failures: Readonly<Record<string, number>>;
  /** What is done at which time, in milliseconds from the start. */
  readonly commands: readonly { readonly at: number; readonly do: string }[];
}

/** Runs the scenario; gives what anybody can see of it. */
async function play(plan: Plan, shortWaitMs: number): Promise<{ seen: object; reads: number }> {
  const store = watchedStore();
  const clock = virtualClock();
  const script = new Script(plan.failures);
  const coordinator = await Coordinator.open({
    store: counting(store),
    sagas: [parent.on(script), child.on(script)],
    clock,
    random: () => 0,
    logger: keptLog(),
    shortWaitMs,
  });
  const run = await coordinator.start(parent, null, { id: "run" });
  const ends: unknown[] = [];
  void run.result().then(
    (value) => ends.push(value),
    (error: unknown) => ends.push((error as Error).message),
  );
  await clock.advance(0);
  for (const { at, do: what } of [...plan.commands].sort((a, b) => a.at - b.at)) {
    await clock.advance(Math.max(0, at - clock.now()));
    await command(run, what).catch(() => undefined);
  }
  await clock.advance(20 * DAY);
  const reader = await store.reader();
  const row = await reader.run("run");
  const seen = {
    log: await reader.events("run"),
    child: await reader.events("child"),
    // A row is written too when its run leaves: of one that is unfinished the time tells that.
    row: { ...row, nonce: "", wakeAt: 0, ...(row?.output === undefined && { updatedAt: 0 }) },
    status: await run.status(),
    calls: script.calls,
    ends,
  };
  await coordinator.close();
  return { seen: withoutStacks(seen), reads: reads.get(store) ?? 0 };
}

/** The stack of an error tells how the coordinator came to it. */
function withoutStacks<T>(seen: T): T {
  const text = JSON.stringify(seen);
  return JSON.parse(text.replace(/,\\"stack\\":\\"(?:[^"\\]|\\\\[^"])*\\"/g, "")) as T;
}

const reads = new WeakMap<WatchedStore, number>();

/** Counts how often a run is read back by its owner. */
function counting(store: WatchedStore): Store {
  return {
    reader: () => store.reader(),
    open: async () => {
      const owner = await store.open();
      const events = owner.events.bind(owner);
      owner.events = (run, after) => {
        reads.set(store, (reads.get(store) ?? 0) + 1);
        return events(run, after);
      };
      return owner;
    },
  };
}

async function command(run: Run, what: string): Promise<void> {
  if (what === "pause") return run.pause();
  if (what === "resume") return run.resume();
  if (what === "unwind") return run.unwind();
  if (what === "retry a") return run.retry("a");
  if (what === "settle a") return run.settle("a", "by hand");
  return run.send(what, what);
}

const commands = fc.record({
  at: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 8 * DAY })),
  do: fc.constantFrom(
    ...["yes", "yes", "late", "late", "pause", "resume", "resume", "unwind", "retry a", "settle a"],
  ),
});
const plans: fc.Arbitrary<Plan> = fc.record({
  failures: fc.dictionary(
    fc.constantFrom("a", "b", "c1", "c2", "d", "undo a", "undo b"),
    fc.constantFrom(1, 2, 9),
    { maxKeys: 3 },
  ),
  commands: fc.array(commands, { maxLength: 6 }),
});

test("a run is the same whichever of its waits are in memory", async () => {
  const ends = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(plans, fc.integer({ min: 0, max: 2 * DAY }), async (plan, some) => {
      const kept = await play(plan, Infinity);
      expect(kept.reads).toBeLessThan(3);
      for (const shortWaitMs of [0, some]) {
        const { seen, reads: restored } = await play(plan, shortWaitMs);
        expect(seen).toEqual(kept.seen);
        // It was really away: each time it came back, its log was read.
        if (shortWaitMs === 0) expect(restored).toBeGreaterThan(kept.reads);
      }
      ends.add((kept.seen as { row: { status: string } }).row.status);
    }),
    {
      numRuns: Number(process.env["WAITING_RUNS"] ?? 25),
      seed: Number(process.env["WAITING_SEED"] ?? 1),
      endOnFailure: true,
      examples: [
        [{ failures: {}, commands: ["yes", "late"].map((what) => ({ at: DAY, do: what })) }, 9],
        [{ failures: { d: 9, "undo a": 9 }, commands: [{ at: 1, do: "yes" }] }, 9],
      ],
    },
  );
  // Runs of each end were among them, and some that wait to this day.
  expect([...ends].sort()).toEqual(["running", "stuck", "succeeded", "undone"]);
}, 300_000);

test("runs that wait are left in the store when it is opened, and come back in the order of their times", async () => {
  const store = watchedStore();
  const clock = virtualClock();
  const naps = define("Nap.saga", [{ name: "nap", kind: "sleep", after: [] }, act("a", ["nap"])], {
    nodes: {
      nap: { duration: ({ params }: Values) => params },
      a: { inputs: ({ params }: Values) => [String(params)] },
    },
  });
  const script = new Script();
  const options = { sagas: [naps.on(script)], clock, logger: keptLog() };
  const first = await Coordinator.open({ ...options, store });
  for (let i = 0; i < 500; i++) {
    await first.start(naps, DAY + ((i * 7919) % 500), { id: `r${i}` });
  }
  await store.kill();

  const opened = counting(store);
  const second = await Coordinator.open({ ...options, store: opened });
  expect(reads.get(store) ?? 0).toBe(0);
  // What waits was not touched: the row of a run that is asked for says when it goes on.
  const run = await second.run("r0");
  expect(await run?.status()).toMatchObject({ status: "running", nodes: [{ dueAt: DAY }, {}] });
  const result = run?.result();
  await clock.advance(DAY - clock.now());
  expect(script.calls).toEqual([`${DAY}`]);
  await result;
  // All at once, and more than a batch.
  await clock.advance(1000);
  await second.drain();
  expect(script.calls.length).toBe(500);
  await second.close();
});

test("of runs that are unfinished those that acted go on a batch at a time, and one that is damaged stops no other", async () => {
  const store = watchedStore();
  const one = define("One.saga", [act("a", [])], {
    nodes: { a: { inputs: ({ params }: Values) => [String(params)] } },
    output: ({ params }: Values) => params,
  });
  const hang = { act: () => new Promise(() => undefined), undo: async () => undefined };
  const log = keptLog();
  const first = await Coordinator.open({ store, sagas: [one.on(hang as never)], logger: log });
  const started: Promise<unknown>[] = [];
  for (let i = 0; i < 2500; i++) started.push(first.start(one, i, { id: `r${i}` }));
  await Promise.all(started);
  await store.kill();
  const damaged = new Set(["r3", "r700", "r2499"]);
  const broken: Store = {
    reader: () => store.reader(),
    open: async () => {
      const owner = await store.open();
      const events = owner.events.bind(owner);
      owner.events = async (id) => (damaged.has(id) ? [] : events(id));
      return owner;
    },
  };
  let running = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const slow = {
    act: async (text: string) => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      running -= 1;
      return text;
    },
    undo: async () => undefined,
  };
  const second = await Coordinator.open({
    store: broken,
    sagas: [one.on(slow as never)],
    logger: log,
  });
  // The first batch is under way when it is open; a run that is not yet brought back is waited for.
  const last = (await second.run("r2498"))?.result();
  await until(() => running === 1000);
  expect(most).toBe(1000);
  const release = setInterval(() => waiting.splice(0).forEach((go) => go()), 5);
  expect(await last).toBe(2498);
  await second.drain();
  clearInterval(release);
  expect(most).toBeLessThan(1200);
  expect(new Set(second.unrecovered.map(({ id }) => id))).toEqual(damaged);
  const reader = await store.reader();
  const done = await reader.runs({ status: ["succeeded"], limit: 9999 });
  expect(done).toHaveLength(2497);
  await second.close();
});

test("a run that waits for another is told when it was finished just before a crash", async () => {
  const store = watchedStore();
  const clock = virtualClock();
  const script = new Script();
  const sagas = [parent.on(script), child.on(script)];
  const options = { sagas, clock, logger: keptLog(), shortWaitMs: 0 };
  const first = await Coordinator.open({ ...options, store: dyingAtChildsEnd(store) });
  const started = await first.start(parent, null, { id: "run" });
  await started.send("yes", 1);
  await started.send("late", 2);
  await clock.advance(2 * DAY);
  expect(store.failure).toBeDefined();
  store.failure = undefined;
  await store.kill();
  const reader = await store.reader();
  expect(await reader.run("child")).toMatchObject({ status: "succeeded" });
  const told = { type: "succeeded", node: "other" };
  expect(await reader.events("run")).not.toContainEqual(expect.objectContaining(told));
  const second = await Coordinator.open({ ...options, store });
  const result = (await second.run("run"))?.result();
  await clock.advance(0);
  expect(await reader.events("run")).toContainEqual(expect.objectContaining(told));
  await clock.advance(2 * DAY);
  expect(await result).toEqual(["child", 1, 2]);
  await second.close();
});

/** Its owner writes nothing more when a child has succeeded. */
function dyingAtChildsEnd(store: WatchedStore): Store {
  return {
    reader: () => store.reader(),
    open: async () => {
      const owner = await store.open();
      const commit = owner.commit.bind(owner);
      owner.commit = async (writes) => {
        await commit(writes);
        const ends = writes.some((each) => each.kind === "update" && each.status === "succeeded");
        if (ends) store.failure = new Error("dead");
      };
      return owner;
    },
  };
}
