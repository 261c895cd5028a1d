/** What an operator injects at nodes: errors, undo errors, repeats; durable, and each used once. */
import { Coordinator, defineSaga, type Injection, type Run } from "steno-runtime";
import { expect, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import type { LoggedEvent } from "../../runtime/events.js";
import { gate, until, watchedStore, type WatchedStore } from "./watched-store.js";

const undoRetry = { attempts: 3, delayMs: 1, factor: 1, maxDelayMs: 1, jitter: false };
const retry = { attempts: 3, delayMs: 1, factor: 1, maxDelayMs: 1, jitter: false };
const definition = scripted([
  action("a", [], { undoRetry, retry }),
  { name: "v", kind: "compute", after: ["a"] },
  {
    name: "s",
    kind: "subsaga",
    saga: "Test.inner",
    after: ["v"],
    graph: { nodes: [action("x", [], { undoRetry })] },
  },
  action("z", ["s"], { undoRetry, undo: "none" }),
]);

interface Calls extends Script {
  readonly calls: string[];
}

function recording(act: (node: string, calls: readonly string[]) => unknown = () => 0): Calls {
  const calls: string[] = [];
  const script = scriptOf(
    (node) => {
      calls.push(node);
      return act(node, calls);
    },
    (node) => void calls.push(`undo ${node}`),
  );
  // Bodies are looked up in the object, so it is one object.
  return Object.assign(script, { calls });
}

interface Opened {
  readonly run: Run;
  readonly coordinator: Coordinator;
}

async function startWith(
  script: Script,
  injections: readonly Injection[],
  store: WatchedStore = watchedStore(),
): Promise<Opened> {
  const coordinator = await Coordinator.open({ store, sagas: [definition.on(script)] });
  const run = await coordinator.start(definition, 1, { id: "r", paused: true });
  for (const injection of injections) await run.inject(injection);
  await run.resume();
  return { run, coordinator };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "",
    (error: unknown) => (error as { readonly code: string }).code,
  );

test("a run that starts paused calls nothing before it is resumed", async () => {
  const script = recording();
  const store = watchedStore();
  const coordinator = await Coordinator.open({ store, sagas: [definition.on(script)] });
  const run = await coordinator.start(definition, 1, { paused: true });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(script.calls).toEqual([]);
  expect((await run.status()).reason).toBe("paused");
  await run.resume();
  expect(await run.result()).toBe(1);
  await coordinator.close();
});

test.each<[string, string[], string]>([
  // Retries are for real errors: an injected one is the end of its node.
  ["a", [], "a"],
  ["v", ["a", "undo a"], "v"],
  // A subsaga fails when it is complete, so that what it did is undone.
  ["s", ["a", "s/x", "undo s/x", "undo a"], "s"],
  ["s/x", ["a", "undo a"], "s/x"],
  ["z", ["a", "s/x", "undo s/x", "undo a"], "z"],
])("an error at %s: its body is not called, and the run unwinds", async (node, calls, at) => {
  const script = recording();
  const { run, coordinator } = await startWith(script, [{ node, error: "on purpose" }]);
  await expect(run.result()).rejects.toMatchObject({
    code: "saga-failed",
    node: at,
    cause: { message: "on purpose", code: "injected" },
  });
  expect(script.calls).toEqual(calls);
  await coordinator.close();
});

test("an undo error makes the run stuck, without retries, and is used: a retry calls the undo", async () => {
  const script = recording();
  const { run, coordinator } = await startWith(script, [
    { node: "a", undoError: true },
    { node: "z", error: true },
  ]);
  await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck", node: "a" });
  expect(script.calls).toEqual(["a", "s/x", "undo s/x"]);
  await run.retry("a");
  await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: "z" });
  expect(script.calls).toEqual(["a", "s/x", "undo s/x", "undo a"]);
  await coordinator.close();
});

test("a repeat calls the body so often in one attempt, and only the last call counts", async () => {
  const script = recording((node, calls) => {
    if (node === "a" && calls.length < 3) throw new Error("dropped");
    if (node === "z") throw new Error("no");
  });
  const { run, coordinator } = await startWith(script, [
    { node: "a", repeat: { action: 3, undo: 2 } },
  ]);
  await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: "z" });
  expect(script.calls).toEqual(["a", "a", "a", "s/x", "z", "undo s/x", "undo a", "undo a"]);
  const [a] = (await run.status()).nodes;
  expect(a).toMatchObject({ attempts: 1, undoAttempts: 1 });
  await coordinator.close();
});

test("what is injected survives a crash, and is in the log with its reason", async () => {
  const store = watchedStore();
  let reached = false;
  const first = recording(() => {
    reached = true;
    return new Promise(() => undefined);
  });
  const { run } = await startWith(first, [{ node: "s/x", error: "later", reason: "drill" }], store);
  void run.result().catch(() => undefined);
  await until(() => reached);
  await store.kill();
  const second = recording();
  const coordinator = await Coordinator.open({ store, sagas: [definition.on(second)] });
  const again = await coordinator.run("r");
  await expect(again?.result()).rejects.toMatchObject({ node: "s/x", cause: { code: "injected" } });
  const events = await (await store.reader()).events("r");
  const kept = events.find(({ type }) => type === "injected");
  expect(kept).toMatchObject({ node: "s/x", value: expect.stringContaining('"reason":"drill"') });
  await coordinator.close();
});

test("what cannot be injected is refused, and nothing is recorded", async () => {
  const script = recording((node) => (node === "s/x" ? new Promise(() => undefined) : 0));
  const store = watchedStore();
  const { run } = await startWith(script, [], store);
  await until(() => script.calls.includes("s/x"));
  const refused: [Injection, string][] = [
    [{ node: "paymnet", error: true }, "no-such-node"],
    [{ node: "s/y", error: true }, "no-such-node"],
    [{ node: "a/x", error: true }, "no-such-node"],
    [{ node: "s[0]/x", error: true }, "no-such-node"],
    [{ node: "z" }, "bad-injection"],
    [{ node: "z", repeat: 0 }, "bad-injection"],
    [{ node: "z", error: 7 as never }, "bad-injection"],
    [{ node: "s", repeat: 2 }, "bad-injection"],
    [{ node: "s", undoError: true }, "bad-injection"],
    [{ node: "z", undoError: true }, "bad-injection"],
    [{ node: "a", error: true }, "node-ended"],
    [{ node: "a", repeat: { action: 2 } }, "node-ended"],
  ];
  const found: [Injection, string][] = [];
  for (const [injection] of refused) found.push([injection, await codeOf(run.inject(injection))]);
  expect(found).toEqual(refused);
  // The undo of what has succeeded is still to come, if it comes.
  await run.inject({ node: "a", undoError: true });
  const events = await (await store.reader()).events("r");
  expect(events.filter(({ type }) => type === "injected")).toHaveLength(1);
  await store.kill();
});

/** A saga that starts a run of another and waits for it, and both on a store. */
function spawning(store: WatchedStore, act: () => unknown) {
  const child = scripted([action("c")], "Child.saga");
  const node = {
    name: "other",
    kind: "spawn",
    target: "Child.saga",
    wait: true,
    after: [],
  } as const;
  const parent = defineSaga<Script, unknown, unknown>({
    manifest: { steno: 1, name: "Parent.saga", hash: "sha256-parent", nodes: [node] },
    nodes: { other: { params: () => 1 } },
  });
  const script = scriptOf(act);
  return {
    parent,
    open: () => Coordinator.open({ store, sagas: [parent.on(script), child.on(script)] }),
  };
}

test("a node that waits for a run fails with what is injected when that run ends", async () => {
  const ended = gate();
  const { parent, open } = spawning(watchedStore(), () => ended.opened);
  const coordinator = await open();
  const run = await coordinator.start(parent, 1);
  await until(async () => (await run.status()).nodes[0]?.state === "waiting");
  await run.inject({ node: "other", error: "as if" });
  ended.open();
  await expect(run.result()).rejects.toMatchObject({ node: "other", cause: { message: "as if" } });
  await coordinator.close();
});

test("so does one whose process died before it had started the run", async () => {
  const store = watchedStore();
  const { parent, open } = spawning(store, () => 0);
  const injected = { type: "injected", node: "other", value: JSON.stringify({ error: "{}" }) };
  // Somebody injects, and the process dies, between the commit of `started` and that of the child.
  const dying: WatchedStore = {
    ...store,
    open: async () => {
      const owner = await store.open();
      const commit = owner.commit.bind(owner);
      owner.commit = async (writes) => {
        const last = writes
          .flatMap((write) => (write.kind === "append" ? write.events : []))
          .at(-1);
        if (last?.type !== "started") return commit(writes);
        const event = { ...injected, at: 1, seq: last.seq + 1 } as LoggedEvent;
        await commit([...writes, { kind: "append", run: "p", events: [event] }]);
        await owner.close();
      };
      return owner;
    },
  };
  const first = await spawning(dying, () => 0).open();
  first.start(parent, 1, { id: "p" }).catch(() => undefined);
  await until(async () => (await (await store.reader()).events("p")).length === 3);
  const second = await open();
  const run = await second.run("p");
  await expect(run?.result()).rejects.toMatchObject({ node: "other" });
  await second.close();
});

test("nodes of graphs that have not begun are found by their paths; what is no node of a run is not", async () => {
  const list = scripted([
    action("a"),
    {
      name: "try",
      kind: "scope",
      after: ["a"],
      graph: {
        nodes: [{ name: "all", kind: "map", graph: { nodes: [action("each")] }, after: [] }],
      },
      handler: { nodes: [action("told")] },
    },
  ]);
  const calls: string[] = [];
  const script = scriptOf((node) => void calls.push(node));
  const coordinator = await Coordinator.open({ store: watchedStore(), sagas: [list.on(script)] });
  const run = await coordinator.start(list, 1, { id: "r", paused: true });
  for (const node of ["try/all[*]/each", "try/all/each", "try/all[0]", "told", "try/all[0]/told"]) {
    expect(await codeOf(run.inject({ node, error: true }))).toBe("no-such-node");
  }
  await run.inject({ node: "try/all[1]/each", error: "no second" });
  await run.inject({ node: "try/told", repeat: 2 });
  await run.setBreakpoint({ node: "try/all[*]/each", at: "after" });
  await run.setBreakpoint({ node: "try/told", at: "after" });
  await expect(run.setBreakpoint({ node: "try/all/each" })).rejects.toThrow("has no node");
  await run.resume();
  const paused = async (): Promise<boolean> => (await run.status()).reason === "breakpoint";
  await until(paused);
  // The list is known now, and one that is not in it is not.
  expect(await codeOf(run.inject({ node: "try/all[2]/each", error: true }))).toBe("no-such-node");
  await run.clearBreakpoint({ node: "try/all[*]/each", at: "after" });
  await run.resume();
  await until(paused);
  expect(await codeOf(run.inject({ node: "try/told", error: true }))).toBe("node-ended");
  await run.resume();
  expect(await run.result()).toBe(1);
  expect(calls).toEqual(["a", "try/all/each", "try/told", "try/told"]);
  await coordinator.close();
});
