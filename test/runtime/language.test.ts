/** The kinds of nodes through the coordinator, with definitions written by hand: values, waiting, runs. */
import { createHash } from "node:crypto";
import {
  type BoundSaga,
  Coordinator,
  defineSaga,
  memoryStore,
  type SagaDefinition,
  type Store,
} from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import type { Node } from "steno-runtime/manifest";
import { expect, test } from "vitest";
import type { GraphBindings } from "../../runtime/definition.js";

class Script {
  readonly calls: string[] = [];
  async act(text: string): Promise<string> {
    this.calls.push(text);
    if (text.startsWith("bad")) throw Object.assign(new Error(text), { code: "E_BAD" });
    return `${text}!`;
  }
  async undo(output: string): Promise<void> {
    this.calls.push(`undo ${output}`);
  }
}

// Bindings say what they read in types of their own; here each reads names of one test.
type Values = Readonly<Record<string, any>>;
type Definition = SagaDefinition<Script, unknown, any>;

function define(nodes: readonly Node[], bindings: object, name = "Test.saga"): Definition {
  const hash = `sha256-${createHash("sha256").update(JSON.stringify(nodes)).digest("hex")}`;
  return defineSaga({
    manifest: { steno: 1, name, hash, nodes },
    ...(bindings as GraphBindings),
  });
}

const act = (name: string, after: readonly string[] = [], more: Partial<Node> = {}): Node =>
  ({ name, kind: "action", action: "act", undo: "undo", after, ...more }) as Node;
const says = (text: (values: Values) => string) => ({ inputs: (values: Values) => [text(values)] });

function open(sagas: readonly BoundSaga[], store: Store = memoryStore()): Promise<Coordinator> {
  return Coordinator.open({ store, sagas, random: () => 0 });
}

/** Runs it once on a store of its own. */
async function runOnce(saga: Definition, params: unknown): Promise<[unknown, string[]]> {
  const script = new Script();
  const coordinator = await open([saga.on(script)]);
  const run = await coordinator.start(saga, params);
  const result: unknown = await run.result().catch((error: unknown) => error);
  await coordinator.close();
  return [result, script.calls];
}

test("a decision reads as its arm, and what is skipped as undefined", async () => {
  const saga = define(
    [
      { name: "if:paid", kind: "decision", arms: ["then", "else"], after: [] },
      act("pay", ["if:paid"], { when: [{ decision: "if:paid", arm: "else" }] }),
      act("thank", ["pay"], { when: [{ decision: "if:paid", arm: "else", not: true }] }),
    ],
    {
      nodes: {
        "if:paid": { decide: ({ params }: Values) => (params.paid ? "then" : "else") },
        pay: says(() => "pay"),
        thank: says(() => "thank"),
      },
      output: ({ "if:paid": arm, pay, thank }: Values) => [arm, pay ?? null, thank ?? null],
    },
  );
  expect(await runOnce(saga, { paid: true })).toEqual([["then", null, "thank!"], ["thank"]]);
  expect(await runOnce(saga, { paid: false })).toEqual([["else", "pay!", null], ["pay"]]);
});

test("a decision for no arm of its own is the failure of that node", async () => {
  const saga = define([{ name: "if:x", kind: "decision", arms: ["then"], after: [] }], {
    nodes: { "if:x": { decide: () => "other" } },
  });
  const [error] = await runOnce(saga, null);
  expect(error).toMatchObject({ node: "if:x", cause: { code: "no-such-arm" } });
});

const nics = (more: object = {}): Node => ({
  name: "nics",
  kind: "map",
  after: [],
  graph: { nodes: [act("create"), act("attach", ["create"])] },
  ...more,
});
const nicBindings = {
  items: ({ params }: Values) => params.nics,
  key: ({ "nics.item": item }: Values) => item.name,
  graph: {
    nodes: {
      create: says(({ params, "nics.item": item, "nics.index": index }) =>
        [params.vm, item.name, index].join("-"),
      ),
      attach: says(({ create }) => `attach ${create}`),
    },
    output: ({ create, attach }: Values) => ({ create, attach }),
  },
};

test("a map gives each item its values, and an array of what they return", async () => {
  const saga = define([nics()], {
    nodes: { nics: nicBindings },
    output: ({ nics }: Values) => nics,
  });
  const params = { vm: "vm", nics: [{ name: "a" }, { name: "b" }] };
  const [result, calls] = await runOnce(saga, params);
  expect(result).toEqual([
    { create: "vm-a-0!", attach: "attach vm-a-0!!" },
    { create: "vm-b-1!", attach: "attach vm-b-1!!" },
  ]);
  expect(calls.slice(0, 2)).toEqual(["vm-a-0", "vm-b-1"]);
  expect(await runOnce(saga, { vm: "vm", nics: [] })).toEqual([[], []]);
});

test("items are named by their keys, which must differ", async () => {
  const saga = define([nics({ keyed: true })], { nodes: { nics: nicBindings } });
  const script = new Script();
  const coordinator = await open([saga.on(script)]);
  const run = await coordinator.start(saga, { vm: "v", nics: [{ name: "a/b" }, { name: "c" }] });
  await run.result();
  const [map] = (await run.status()).nodes;
  expect(map?.nodes?.map(({ path }) => path)).toEqual(["nics[a%2Fb]", "nics[c]"]);
  expect(map?.nodes?.[1]?.nodes?.map(({ path }) => path)).toEqual([
    "nics[c]/create",
    "nics[c]/attach",
  ]);
  await coordinator.close();
  const [error] = await runOnce(saga, { vm: "v", nics: [{ name: "a" }, { name: "a" }] });
  expect(error).toMatchObject({ node: "nics", cause: { code: "duplicate-key" } });
});

test("a loop ends with a return: it reads as what the item returned, the rest is skipped", async () => {
  const saga = define(
    [
      {
        name: "xs",
        kind: "loop",
        after: [],
        graph: {
          nodes: [
            act("probe"),
            { name: "if:hit", kind: "decision", arms: ["then", "else"], after: ["probe"] },
          ],
          exits: [{ to: "return", when: [{ decision: "if:hit", arm: "then" }] }],
        },
      },
      act("fallback", ["xs"], { when: [{ decision: "xs", arm: "return", not: true }] }),
    ],
    {
      nodes: {
        xs: {
          items: ({ params }: Values) => params,
          graph: {
            nodes: {
              probe: says(({ "xs.item": item }) => String(item)),
              "if:hit": { decide: ({ probe }: Values) => (probe === "2!" ? "then" : "else") },
            },
            output: ({ probe }: Values) => probe,
          },
        },
        fallback: says(() => "fallback"),
      },
      output: ({ xs, fallback }: Values) => [xs.returned, xs.value ?? null, fallback ?? null],
    },
  );
  expect(await runOnce(saga, [1, 2, 3])).toEqual([
    [true, "2!", null],
    ["1", "2"],
  ]);
  expect(await runOnce(saga, [1])).toEqual([
    [false, null, "fallback!"],
    ["1", "fallback"],
  ]);
});

const tried: Node = {
  name: "try",
  kind: "scope",
  after: ["first"],
  graph: { nodes: [act("a"), act("b", ["a"])] },
  handler: {
    nodes: [
      act("note"),
      { name: "if:again", kind: "decision", arms: ["then", "else"], after: ["note"] },
      {
        name: "again",
        kind: "fail",
        after: ["if:again"],
        when: [{ decision: "if:again", arm: "then" }],
      },
    ],
  },
};
const scoped = define([act("first"), tried, act("last", ["try"])], {
  nodes: {
    first: says(() => "first"),
    try: {
      graph: { nodes: { a: says(() => "a"), b: says(({ params }) => params.b) } },
      handler: {
        nodes: {
          note: says(({ "try.error": error }) => `note ${error.code}`),
          "if:again": { decide: ({ params }: Values) => (params.again ? "then" : "else") },
          again: { error: ({ "try.error": error }: Values) => error },
        },
      },
    },
    last: says(({ a, b, note }) => `last ${a} ${b} ${note}`),
  },
  output: ({ try: scope, last }: Values) => ({ ...scope, last }),
});

test("a scope undoes what ran in it, its handler sees the error, and the saga goes on", async () => {
  const [result, calls] = await runOnce(scoped, { b: "bad" });
  expect(result).toEqual({
    caught: true,
    returned: false,
    broke: false,
    continued: false,
    last: "last a! undefined note E_BAD!!",
  });
  expect(calls).toEqual([
    "first",
    "a",
    "bad",
    "undo a!",
    "note E_BAD",
    "last a! undefined note E_BAD!",
  ]);
  const [fine] = await runOnce(scoped, { b: "b" });
  expect(fine).toEqual({
    caught: false,
    returned: false,
    broke: false,
    continued: false,
    last: "last a! b! undefined!",
  });
});

test("what a handler throws again fails the run with the recorded error", async () => {
  const [error, calls] = await runOnce(scoped, { b: "bad", again: true });
  expect(error).toMatchObject({
    code: "saga-failed",
    node: "try/again",
    cause: { code: "E_BAD", message: "bad" },
    failures: [{ node: "try/again" }],
  });
  expect(calls.slice(-2)).toEqual(["undo note E_BAD!", "undo first!"]);
});

test("a sleep keeps its time over a restart", async () => {
  const saga = define([{ name: "nap", kind: "sleep", after: [] }, act("wake", ["nap"])], {
    nodes: { nap: { duration: () => "3 days" }, wake: says(() => "wake") },
  });
  const clock = virtualClock(1000);
  const store = memoryStore();
  const script = new Script();
  const first = await Coordinator.open({ store, sagas: [saga.on(script)], clock });
  const run = await first.start(saga, null, { id: "r" });
  const dueAt = 1000 + 3 * 86_400_000;
  expect((await run.status()).nodes[0]).toMatchObject({ state: "waiting", dueAt });
  await first.close();
  await clock.advance(2 * 86_400_000);
  const second = await Coordinator.open({ store, sagas: [saga.on(script)], clock });
  await clock.advance(86_400_000 - 1);
  expect(script.calls).toEqual([]);
  await clock.advance(1);
  await (await second.run("r"))?.result();
  expect(script.calls).toEqual(["wake"]);
  await second.close();
});

const approved = define(
  [
    act("ask"),
    { name: "approval", kind: "event", target: "approval", after: ["ask"] },
    { name: "second", kind: "event", target: "approval", timeoutMs: 50, after: ["approval"] },
  ],
  {
    nodes: { ask: says(() => "ask") },
    output: ({ approval, second }: Values) => [approval, second],
  },
);

test("an event is delivered once, before or after the wait begins, over a restart too", async () => {
  // Its time does not pass: nothing here may depend on how fast the second event comes.
  const all = { store: memoryStore(), sagas: [approved.on(new Script())], clock: virtualClock() };
  const first = await Coordinator.open(all);
  const run = await first.start(approved, null, { id: "r" });
  await run.send("approval", { by: "me" });
  await expect(run.send("aproval")).rejects.toMatchObject({ code: "no-such-event" });
  while ((await run.status()).nodes[2]?.state !== "waiting") await new Promise(setImmediate);
  await first.close();
  const second = await Coordinator.open(all);
  const again = await second.run("r");
  await again?.send("approval", 2);
  expect(await again?.result()).toEqual([{ by: "me" }, 2]);
  await expect(again?.send("approval", 3)).rejects.toMatchObject({ code: "run-finished" });
  await second.close();
});

test("an event that does not come in time is a failure with a code", async () => {
  const coordinator = await open([approved.on(new Script())]);
  const run = await coordinator.start(approved, null);
  await run.send("approval");
  await expect(run.result()).rejects.toMatchObject({
    node: "second",
    cause: { code: "event-timeout" },
  });
  await coordinator.close();
});

test("another process sends an event through the store", async () => {
  const store = memoryStore();
  const clock = virtualClock();
  const sagas = [approved.on(new Script())];
  const coordinator = await Coordinator.open({ store, sagas, clock });
  const run = await coordinator.start(approved, null, { id: "r" });
  const reader = await store.reader();
  // Both are there before time passes in which the owner looks for them.
  for (const payload of [1, 2]) {
    await reader.request("send", "r", JSON.stringify({ event: "approval", payload }));
  }
  let result: unknown;
  void run.result().then((value) => (result = value));
  while (result === undefined) await clock.next();
  expect(result).toEqual([1, 2]);
  const log = await reader.events("r");
  expect(log.filter(({ type }) => type === "event-received").length).toBe(2);
  await coordinator.close();
});

const child = define(
  [act("work")],
  {
    nodes: { work: says(({ params }) => String(params)) },
    output: ({ work }: Values) => work,
  },
  "Child.saga",
);
const parent = define(
  [
    { name: "detached", kind: "spawn", target: "Child.saga", after: [] },
    { name: "child", kind: "spawn", target: "Child.saga", wait: true, after: ["detached"] },
    act("last", ["child"]),
  ],
  {
    nodes: {
      detached: { params: () => "alone", id: () => "lonely" },
      child: { params: ({ params }: Values) => params },
      last: says(({ child }) => `last ${child}`),
    },
    output: ({ detached, last }: Values) => [detached, last],
  },
);

test("a run starts others, under ids of its own, and waits for one's result", async () => {
  const script = new Script();
  const coordinator = await open([parent.on(script), child.on(script)]);
  const run = await coordinator.start(parent, "good", { id: "p" });
  expect(await run.result()).toEqual(["lonely", "last good!!"]);
  expect(await (await coordinator.run("p.child"))?.result()).toBe("good!");
  expect(await (await coordinator.run("lonely"))?.result()).toBe("alone!");
  const failing = await coordinator.start(parent, "bad", { id: "q" });
  await expect(failing.result()).rejects.toMatchObject({
    node: "child",
    cause: { code: "saga-failed" },
  });
  await coordinator.close();
});

test("a restart finds the run that was started, and what it came to", async () => {
  const store = memoryStore();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  class Slow extends Script {
    override async act(text: string): Promise<string> {
      if (text === "good") await held;
      return super.act(text);
    }
  }
  const script = new Slow();
  const sagas = [parent.on(script), child.on(script)];
  const first = await open(sagas, store);
  const run = await first.start(parent, "good", { id: "p" });
  while ((await run.status()).nodes[1]?.state !== "waiting") await new Promise(setImmediate);
  const closing = first.close();
  release();
  await closing;
  const second = await open(sagas, store);
  expect(await (await second.run("p"))?.result()).toEqual(["lonely", "last good!!"]);
  expect(script.calls.filter((call) => call === "good")).toEqual(["good"]);
  await second.close();
});

test("a saga whose other saga is not there cannot be opened", async () => {
  await expect(open([parent.on(new Script())])).rejects.toMatchObject({
    code: "definition-not-open",
  });
});
