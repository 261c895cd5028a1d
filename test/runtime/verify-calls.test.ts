/**
 * Calls of `verifySaga()` that make no sense, or would look at nothing, and sagas that do not end: each is
 * told as what it is, and what nobody tried is named.
 */
import { defineSaga } from "steno-runtime";
import { verifySaga } from "steno-runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { action, type Script, scripted, scriptOf } from "./sagas.js";
import { bugs, buy, Shop, Stock } from "./shop.js";

const options = {
  world: () => new Stock(),
  instance: (stock: Stock) => new Shop(stock),
  params: { order: "7" },
  invariant: () => true,
  maxScenarios: 2,
};

/** As somebody without types calls it. */
const untyped = verifySaga as unknown as (saga: unknown, given: unknown) => Promise<unknown>;

test.each<[string, object, RegExp]>([
  ["an option that there is not", { excpet: {} }, /no option `excpet`/],
  ["an object for `instance`", { instance: new Shop(new Stock()) }, /`instance` is an object/],
  ["no `instance`", { instance: undefined }, /give `instance`/],
  ["nothing from `instance`", { instance: () => undefined }, /`instance` gave undefined/],
  ["a promise from `instance`", { instance: async () => new Shop(new Stock()) }, /a promise/],
  ["an object for `world`", { world: new Stock() }, /`world` is an object/],
  ["a text for `onStuck`", { onStuck: "rety" }, /`onStuck` is "rety"/],
  ["a list for `except`", { except: ["pay repeats"] }, /`except` is a list/],
  ["sagas that are not bound", { sagas: () => [buy] }, /not bound/],
  ["a number from `invariant`", { invariant: () => 0 }, /`invariant` gave 0/],
  ["nothing from `snapshot`", { snapshot: () => undefined }, /`snapshot` gave undefined/],
  ["a `snapshot` without end", { snapshot: endless }, /no data: .*circular/],
  ["`only` where no run comes", { only: "(process) dies-before-999" }, /does not come to/],
])("%s", async (_, wrong, message) => {
  await expect(untyped(buy, { ...options, ...wrong })).rejects.toMatchObject({
    code: "verify-options",
    message: expect.stringMatching(message),
  });
});

function endless(): object {
  const it: { self?: object } = {};
  return Object.assign(it, { self: it });
}

test("what is no saga, and no options", async () => {
  for (const saga of [undefined, Shop, buy.on(new Shop(new Stock()))]) {
    await expect(untyped(saga, options)).rejects.toMatchObject({ code: "verify-options" });
  }
  await expect(untyped(buy, undefined)).rejects.toMatchObject({ code: "verify-options" });
});

test("`only` of a node that the run does not come to is no success", async () => {
  const [Buggy, scenario] = bugs["an action ignores its idempotency key"] as (typeof bugs)[string];
  const alone = { ...options, maxScenarios: 2000, instance: (stock: Stock) => new Buggy(stock) };
  await verifySaga(buy, { ...alone, only: scenario });
  await expect(verifySaga(buy, { ...alone, only: "try/apologise repeats" })).rejects.toThrow(
    "the run does not come to `try/apologise repeats`",
  );
});

test("a snapshot that sees nothing is told", async () => {
  const { invariant: _, ...rest } = options;
  const report = await verifySaga(buy, { ...rest, snapshot: () => ({}) });
  expect(report.notReached.join()).toContain("no good run changed the `snapshot`");
  const seeing = await verifySaga(buy, { ...rest, snapshot: (stock) => [...stock.things] });
  expect(seeing.notReached.join()).not.toContain("snapshot");
});

test("an object that several scenarios share is told, where something is wrong", async () => {
  const world = new Stock();
  const shop = new Shop(world);
  const given = { ...options, maxScenarios: 5, world: () => world, instance: () => shop };
  const invariant = (): boolean => world.count("payment") === 1;
  const error: unknown = await verifySaga(buy, { ...given, invariant }).catch((e: unknown) => e);
  expect(String(error)).toContain("`world` gave the same object to several scenarios");
  expect(String(error)).toContain("`instance` gave the same object to several scenarios");
  expect((await verifySaga(buy, given)).notes).toEqual([]);
});

const waits = { name: "answer", kind: "event", target: "answer", after: [], timeoutMs: 9 } as const;
const starts = { name: "other", kind: "spawn", target: "Other.other", after: ["answer"] } as const;

test("events that never come, those that nobody waits for, and runs that are started, are named", async () => {
  const waiting = defineSaga<object, undefined, undefined>({
    manifest: { steno: 1, name: "Waits.waits", hash: "sha256-waits", nodes: [waits] },
    nodes: {},
    output: () => undefined,
  });
  const given = { instance: () => ({}), params: undefined, invariant: () => true };
  const misspelt = await verifySaga(waiting, { ...given, events: { anwser: 1 } });
  expect(misspelt.notReached).toEqual([
    "`answer` was never sent: give `answer` in `events`",
    "`events` has `anwser`, which the saga never waits for",
  ]);
  expect((await verifySaga(waiting, { ...given, events: { answer: 1 } })).notReached).toEqual([]);
  const other = scripted([action("a")], "Other.other");
  const starting = defineSaga<object, undefined, undefined>({
    manifest: { steno: 1, name: "Starts.starts", hash: "sha256-starts", nodes: [waits, starts] },
    nodes: { other: { inputs: () => [1] } },
    output: () => undefined,
  });
  const started = await verifySaga(starting, {
    ...given,
    events: { answer: 1 },
    sagas: () => [other.on(scriptOf(() => 1))],
  });
  expect(started.notReached).toEqual([
    "`other` starts `Other.other`, runs of its own, in which nothing was made to go wrong: verify it, too",
  ]);
});

const plain = { params: 1, invariant: () => true };

test("what is retried for ever, and fails for ever, is named with how it fails", async () => {
  const policy = {
    attempts: "forever",
    delayMs: 1,
    factor: 1,
    maxDelayMs: 1,
    jitter: false,
  } as const;
  const saga = scripted([action("a", [], { retry: policy })]);
  const script = scriptOf((): Promise<never> => Promise.reject(new Error("never")));
  await expect(verifySaga(saga, { ...plain, instance: () => script })).rejects.toThrow(
    "`a` is retried for ever, and failed 200 times in a row: never",
  );
});

test("what does not come to its end is named, and waited for with less patience again", async () => {
  const real = globalThis.setTimeout;
  const waited: number[] = [];
  const hasty = (call: () => void, ms = 0): NodeJS.Timeout => {
    if (ms < 500) return real(call, ms);
    return real(() => (waited.push(ms), call()), ms / 50);
  };
  globalThis.setTimeout = hasty as typeof setTimeout;
  onTestFinished(() => void (globalThis.setTimeout = real));
  const saga = scripted([action("a"), action("b", ["a"]), action("c", ["b"])]);
  const instance = (): Script =>
    scriptOf(
      () => 1,
      (node) => (node === "a" ? new Promise(() => {}) : undefined),
    );
  await expect(verifySaga(saga, { ...plain, instance })).rejects.toThrow(
    "undo `a` did not end within 10 s of real time",
  );
  expect(waited[0]).toBe(10_000);
  expect(new Set(waited.slice(1))).toEqual(new Set([500]));
});
