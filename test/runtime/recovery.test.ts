/** What a coordinator makes of a store that another one left, with definitions written by hand. */
import { actionContext, Coordinator, SagaFailedError } from "steno-runtime";
import { afterEach, describe, expect, test } from "vitest";
import type { Write } from "../../runtime/stores/store.js";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { gate, keptLog, until, watchedStore, type WatchedStore } from "./watched-store.js";

const chain = scripted([action("a"), action("b", ["a"]), action("c", ["b"])]);
const log = keptLog();
afterEach(() => void log.said.splice(0));

function open(store: WatchedStore, script: Script, saga = chain, crashLimit?: number) {
  return Coordinator.open({
    store,
    sagas: [saga.on(script)],
    logger: log,
    ...(crashLimit !== undefined && { crashLimit }),
  });
}

/** Starts a run whose node `b` hangs, and dies there. */
async function dieAtB(store: WatchedStore, params: unknown, saga = chain): Promise<void> {
  let reached = false;
  const hang = scriptOf((node) => {
    if (node !== "b") return;
    reached = true;
    return new Promise(() => undefined);
  });
  const coordinator = await open(store, hang, saga);
  await coordinator.start(saga, params, { id: "r" });
  await until(() => reached);
  await store.kill();
}

describe("a run whose attempts end with the process again and again", () => {
  test("is paused with the reason `crash-loop`, and goes on when it is resumed", async () => {
    const store = watchedStore();
    await dieAtB(store, 1);
    const attempts: number[] = [];
    const hang = scriptOf(() => {
      attempts.push(actionContext().attempt);
      return new Promise(() => undefined);
    });
    for (const attempt of [2, 3]) {
      await open(store, hang);
      await until(() => attempts.includes(attempt));
      await store.kill();
    }
    const reader = await store.reader();
    expect((await reader.run("r"))?.reason).toBeUndefined();

    const coordinator = await open(
      store,
      scriptOf(() => void attempts.push(0)),
    );
    expect((await reader.run("r"))?.reason).toBe("crash-loop");
    expect(log.said).toEqual([expect.stringMatching(/`r` is paused.*3 times/)]);
    await coordinator.drain();
    expect(attempts).toEqual([2, 3]);
    const run = await coordinator.run("r");
    expect(await run?.status()).toMatchObject({ status: "running", reason: "crash-loop" });
    await run?.resume();
    expect(await run?.result()).toBe(1);
    expect(attempts).toEqual([2, 3, 0, 0]);
    expect(await reader.run("r")).toMatchObject({ status: "succeeded", reason: undefined });
    await coordinator.close();
  });

  test("the limit can be set, and a limit that is none is refused", async () => {
    const store = watchedStore();
    await dieAtB(store, 1);
    for (const wrong of [0, -1, 1.5, NaN]) {
      await expect(
        open(
          store,
          scriptOf(() => 1),
          chain,
          wrong,
        ),
      ).rejects.toMatchObject({
        code: "bad-crash-limit",
      });
    }
    const coordinator = await open(
      store,
      scriptOf(() => 1),
      chain,
      1,
    );
    expect(await (await coordinator.run("r"))?.status()).toMatchObject({ reason: "crash-loop" });
    await coordinator.close();
  });
});

describe("a run without its definition", () => {
  const other = scripted([action("x")], "Other.saga");

  test("stays, and says what is missing and what changed; the others are served", async () => {
    const store = watchedStore();
    await dieAtB(store, 1);
    const calls: string[] = [];
    const script = scriptOf((node) => void calls.push(node));
    const changed = scripted([
      action("a", [], { undo: "act" }),
      action("c", ["a"]),
      action("d", ["c"]),
    ]);
    const coordinator = await Coordinator.open({
      store,
      sagas: [changed.on(script), other.on(script)],
      logger: log,
    });
    expect(coordinator.unrecovered).toEqual([
      {
        id: "r",
        saga: "Test.saga",
        reason: "definition-missing",
        message: expect.stringContaining(chain.manifest.hash),
        difference:
          '`a` has `undo` "act" and had "undo", `c` has `after` ["a"] and had ["b"], ' +
          "`d` is new, `b` is gone",
      },
    ]);
    expect(log.said).toEqual([expect.stringContaining("`b` is gone")]);
    const run = await coordinator.run("r");
    await expect(run?.result()).rejects.toMatchObject({ code: "definition-missing" });
    await expect(run?.pause()).rejects.toMatchObject({ code: "definition-missing" });
    // Where it is can be seen all the same.
    expect(await run?.status()).toMatchObject({
      status: "running",
      reason: "definition-missing",
      nodes: [{ state: "done" }, { state: "working" }, { state: "blocked" }],
    });
    expect(await (await coordinator.start(other, 5)).result()).toBe(5);
    expect(calls).toEqual(["x"]);
    await coordinator.close();

    // With its definition beside the newer one, it goes on.
    const next = await Coordinator.open({
      store,
      sagas: [changed.on(script), chain.on(script)],
      logger: log,
    });
    expect(await (await next.run("r"))?.result()).toBe(1);
    expect(calls).toEqual(["x", "b", "c"]);
    expect(await (await store.reader()).run("r")).toMatchObject({ reason: undefined });
    await expect(next.start(chain, 1)).rejects.toMatchObject({ code: "definition-not-open" });
    expect(await (await next.start(changed, 6)).result()).toBe(6);
    await next.close();
  });
});

test("params that are undefined are undefined before and after a crash", async () => {
  const optional = scripted([action("b")]);
  const store = watchedStore();
  await dieAtB(store, undefined, optional);
  const coordinator = await open(
    store,
    scriptOf(() => undefined),
    optional,
  );
  expect(await (await coordinator.run("r"))?.result()).toBeUndefined();
  expect(await (await coordinator.start(optional, undefined, { id: "r" })).result()).toBe(
    undefined,
  );
  await expect(coordinator.start(optional, null, { id: "r" })).rejects.toMatchObject({
    code: "run-exists",
  });
  await coordinator.close();
});

test("a result is the same before and after a crash, and so is a failure", async () => {
  const store = watchedStore();
  const params = { list: [1, { deep: "ü" }], gone: undefined, nothing: null };
  const script = scriptOf((node) => {
    if (node !== "c" || actionContext().sagaId !== "bad") return;
    throw new TypeError("no car", { cause: new RangeError("no wheel", { cause: "no tyre" }) });
  });
  const first = await open(store, script);
  const good = await first.start(chain, params, { id: "good" });
  const bad = await first.start(chain, params, { id: "bad" });
  const outcome = async (run: typeof good | undefined): Promise<unknown> =>
    run?.result().catch((error: unknown) => error);
  const before = [await outcome(good), await outcome(bad)];
  await store.kill();
  const second = await open(store, script);
  const after = [await outcome(await second.run("good")), await outcome(await second.run("bad"))];
  expect(before[0]).toEqual({ list: [1, { deep: "ü" }], nothing: null });
  expect(after).toEqual(before);
  expect(after[1]).toBeInstanceOf(SagaFailedError);
  expect((after[1] as SagaFailedError).cause).toMatchObject({
    name: "TypeError",
    cause: { name: "RangeError", cause: "no tyre" },
  });
  await second.close();
});

test("a coordinator that lost its store to another says so, and its bodies write nothing", async () => {
  const store = watchedStore();
  const held = gate();
  const calls: string[] = [];
  const stale = await open(
    store,
    scriptOf(async (node) => {
      calls.push(`stale ${node}`);
      if (node === "b") await held.opened;
    }),
  );
  const run = await stale.start(chain, 1, { id: "r" });
  const result = run.result().catch((error: unknown) => error);
  const drained = stale.drain().catch((error: unknown) => error);
  await until(() => calls.includes("stale b"));
  await store.kill();
  const next = await open(
    store,
    scriptOf((node) => void calls.push(`next ${node}`)),
  );
  expect(await (await next.run("r"))?.result()).toBe(1);
  const { length } = store.commits;
  held.open();
  for (const end of [await result, await drained])
    expect(end).toMatchObject({ code: "store-lost" });
  expect(store.commits).toHaveLength(length);
  expect(calls).toEqual(["stale a", "stale b", "next b", "next c"]);
  expect(log.said).toEqual([expect.stringContaining("nothing goes on")]);
  for (const call of [stale.start(chain, 2), stale.run("r"), run.result(), run.pause()]) {
    await expect(call).rejects.toMatchObject({ code: "store-lost" });
  }
  await stale.close();
  await next.close();
});

test("a chain of n actions takes n + 1 commits, and its row is written at its ends only", async () => {
  const store = watchedStore();
  const nodes = Array.from({ length: 10 }, (_, i) => action(`n${i}`, i === 0 ? [] : [`n${i - 1}`]));
  const saga = scripted(nodes);
  const coordinator = await open(
    store,
    scriptOf(() => 1),
    saga,
  );
  await (await coordinator.start(saga, 1)).result();
  expect(store.commits).toHaveLength(11);
  const kinds = store.commits.map((writes: readonly Write[]) => writes.map(({ kind }) => kind));
  expect(kinds[0]).toEqual(["define", "create", "append"]);
  expect(kinds.at(-1)).toEqual(["append", "update"]);
  for (const each of kinds.slice(1, -1)) expect(each).toEqual(["append"]);
  // Many at once share them.
  await Promise.all([...Array(100)].map(async () => (await coordinator.start(saga, 1)).result()));
  expect(store.commits).toHaveLength(22);
  await coordinator.close();
});
