/** The coordinator on the memory store, with definitions written by hand. */
import { actionContext, Coordinator, memoryStore, type Store } from "steno-runtime";
import { expect, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";

const chain = scripted([action("a"), action("b", ["a"]), action("c", ["b"])]);

async function open(script: Script, saga = chain, store: Store = memoryStore()) {
  return Coordinator.open({ store, sagas: [saga.on(script)], random: () => 0 });
}

test("a chain runs in order and gives its result", async () => {
  const calls: string[] = [];
  const coordinator = await open(scriptOf((node) => void calls.push(node)));
  const run = await coordinator.start(chain, { x: 1 }, { id: "r" });
  expect(await run.result()).toEqual({ x: 1 });
  expect(calls).toEqual(["a", "b", "c"]);
  expect((await run.status()).nodes.map(({ state }) => state)).toEqual(["done", "done", "done"]);
  await coordinator.close();
});

test("a failure undoes what ran, in reverse, and the error is the recorded one", async () => {
  const undone: unknown[] = [];
  const script = scriptOf(
    (node) => {
      if (node === "c") throw Object.assign(new TypeError("no car"), { code: "E_CAR" });
      return `${node}!`;
    },
    (node, output) => void undone.push([node, output]),
  );
  const coordinator = await open(script);
  const run = await coordinator.start(chain, null);
  await expect(run.result()).rejects.toMatchObject({
    code: "saga-failed",
    node: "c",
    cause: { name: "TypeError", message: "no car", code: "E_CAR" },
  });
  expect(undone).toEqual([
    ["b", "b!"],
    ["a", "a!"],
  ]);
  await coordinator.close();
});

test("the same id is the same run; with other params it is an error", async () => {
  const coordinator = await open(scriptOf(() => 1));
  const [first, second] = await Promise.all([
    coordinator.start(chain, 1, { id: "x" }),
    coordinator.start(chain, 1, { id: "x" }),
  ]);
  expect([await first?.result(), await second?.result()]).toEqual([1, 1]);
  await expect(coordinator.start(chain, 2, { id: "x" })).rejects.toMatchObject({
    code: "run-exists",
  });
  expect(await (await coordinator.run("x"))?.result()).toBe(1);
  expect(await coordinator.run("y")).toBeUndefined();
  await coordinator.close();
});

test("what is unfinished at close goes on at the next open", async () => {
  const store = memoryStore();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const calls: string[] = [];
  const script = scriptOf(async (node) => {
    calls.push(node);
    if (node === "b") await held;
  });
  const first = await open(script, chain, store);
  const run = await first.start(chain, 7, { id: "r" });
  const result = run.result().catch((error: unknown) => error);
  while (!calls.includes("b")) await new Promise(setImmediate);
  const closing = first.close();
  release();
  await closing;
  expect(await result).toMatchObject({ code: "coordinator-closed" });
  expect(calls).toEqual(["a", "b"]);
  const second = await open(script, chain, store);
  expect(await (await second.run("r"))?.result()).toBe(7);
  expect(calls).toEqual(["a", "b", "c"]);
  await second.close();
});

test("an undo that fails for good makes the run stuck, until an operator frees it", async () => {
  let broken = true;
  const saga = scripted([
    action("a", [], {
      undoRetry: { attempts: 1, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: false },
    }),
    action("b", ["a"]),
  ]);
  const script = scriptOf(
    (node) => {
      if (node === "b") throw new Error("b fails");
    },
    () => {
      if (broken) throw new Error("undo fails");
    },
  );
  const coordinator = await open(script, saga);
  const run = await coordinator.start(saga, null, { id: "r" });
  await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck", node: "a" });
  expect((await run.status()).status).toBe("stuck");
  broken = false;
  await run.retry("a", "mended");
  await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: "b" });
  await coordinator.close();
});

test("a timeout leaves doubt: the run is stuck there, and can be retried", async () => {
  const keys: string[] = [];
  const saga = scripted([action("a", [], { timeoutMs: 20 })]);
  const script = scriptOf(async () => {
    const { idempotencyKey, signal } = actionContext();
    keys.push(idempotencyKey);
    if (keys.length > 1) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
  const coordinator = await open(script, saga);
  const run = await coordinator.start(saga, 5);
  await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck", node: "a" });
  await run.retry("a");
  expect(await run.result()).toBe(5);
  expect(keys[0]).toMatch(/^[0-9a-f]{18}\.a\.a$/);
  expect(keys[1]).toBe(keys[0]);
  await coordinator.close();
});

test("nodes of subsagas run in their place and are undone with their parent", async () => {
  const log: string[] = [];
  const inner = { nodes: [action("x"), action("y", ["x"])] };
  const saga = scripted([
    action("a"),
    { name: "sub", kind: "subsaga", saga: "S.s", after: ["a"], graph: inner },
    action("z", ["sub"]),
  ]);
  const script = scriptOf(
    (node) => {
      log.push(node);
      if (node === "z") throw new Error("z fails");
    },
    (node) => void log.push(`undo ${node}`),
  );
  const coordinator = await open(script, saga);
  const run = await coordinator.start(saga, null);
  await expect(run.result()).rejects.toMatchObject({ node: "z" });
  expect(log).toEqual(["a", "sub/x", "sub/y", "z", "undo sub/y", "undo sub/x", "undo a"]);
  await coordinator.close();
});

test("params that JSON cannot hold are refused with their path, and nothing is stored", async () => {
  const store = memoryStore();
  const coordinator = await open(
    scriptOf(() => 1),
    chain,
    store,
  );
  await expect(
    coordinator.start(chain, { list: [{ when: new Date() }] }, { id: "r" }),
  ).rejects.toMatchObject({
    code: "params-invalid",
    message: expect.stringMatching(/params\.list\[0\]\.when must be a JSON value, and is a Date/),
  });
  expect(await coordinator.run("r")).toBeUndefined();
  await coordinator.close();
});

test("another process can pause, resume and unwind through the store", async () => {
  const store = memoryStore();
  const coordinator = await open(
    scriptOf(() => new Promise((done) => setTimeout(done, 20))),
    chain,
    store,
  );
  const run = await coordinator.start(chain, 1, { id: "r" });
  const reader = await store.reader();
  const ask = async (command: string, id = "r"): Promise<unknown> => {
    const request = await reader.request(command, id, "{}");
    for (;;) {
      const answer = await reader.answer(request);
      if (answer !== undefined) return answer;
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  await run.pause();
  expect((await run.status()).reason).toBe("paused");
  expect(await ask("unwind")).toEqual({ ok: true });
  expect(await ask("resume")).toEqual({ ok: true });
  await expect(run.result()).rejects.toMatchObject({ cause: { code: "unwind-requested" } });
  expect(await ask("pause", "nobody")).toMatchObject({ ok: false, code: "no-such-run" });
  await coordinator.close();
});

test("runs are listed a page at a time, finished or not", async () => {
  const saga = scripted([action("a")]);
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [saga.on(scriptOf((node) => node))],
  });
  for (const id of ["a1", "b1", "a2", "a3"]) await coordinator.start(saga, 1, { id });
  await coordinator.drain();
  const first = await coordinator.runs({ idPrefix: "a", limit: 2, status: "succeeded" });
  expect(first.runs.map(({ id }) => id)).toEqual(["a1", "a2"]);
  await coordinator.start(saga, 1, { id: "a4" });
  await coordinator.drain();
  const { next: cursor = "" } = first;
  const second = await coordinator.runs({ idPrefix: "a", limit: 2, cursor });
  expect(second).toMatchObject({ runs: [{ id: "a3" }, { id: "a4", status: "succeeded" }] });
  expect(second.next).toBeUndefined();
  await expect(coordinator.runs({ cursor: "a1" })).rejects.toMatchObject({ code: "bad-cursor" });
  await expect(coordinator.runs({ limit: 0 })).rejects.toMatchObject({ code: "bad-limit" });
  await coordinator.close();
});
