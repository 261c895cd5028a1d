/** The ends of a coordinator: `close()`, `drain()`, a store that fails; and calls that race with them. */
import { Coordinator, StoreError } from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { gate, keptLog, until, watchedStore, type WatchedStore } from "./watched-store.js";

const chain = scripted([action("a"), action("b", ["a"])]);
const never = new Promise<void>(() => undefined);
const log = keptLog();
afterEach(() => void log.said.splice(0));

const open = (store: WatchedStore, script: Script, saga = chain) =>
  Coordinator.open({ store, sagas: [saga.on(script)], logger: log });

const code = (expected: string): object => ({ code: expected });

describe("close()", () => {
  test("waits for the bodies that run, and starts nothing more", async () => {
    const store = watchedStore();
    const held = gate();
    const calls: string[] = [];
    const coordinator = await open(
      store,
      scriptOf(async (node) => {
        calls.push(node);
        if (node === "a") await held.opened;
      }),
    );
    await coordinator.start(chain, 1, { id: "r" });
    await until(() => calls.includes("a"));
    let closed = false;
    const closing = coordinator.close().then(() => (closed = true));
    expect(coordinator.close()).toBe(coordinator.close());
    await expect(coordinator.start(chain, 2)).rejects.toMatchObject(code("coordinator-closed"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(closed).toBe(false);
    held.open();
    await closing;
    const events = await (await store.reader()).events("r");
    expect(events.at(-1)).toMatchObject({ type: "succeeded", node: "a" });
    expect(calls).toEqual(["a"]);
  });

  test("does not wait for pauses; they are over when they would have been", async () => {
    const store = watchedStore();
    const clock = virtualClock();
    const retry = { attempts: 2, delayMs: 60_000, factor: 1, maxDelayMs: 60_000, jitter: false };
    const saga = scripted([action("a", [], { retry })]);
    const times: number[] = [];
    const script = scriptOf(() => {
      times.push(clock.now());
      if (times.length === 1) throw new Error("busy");
    });
    const options = { store, sagas: [saga.on(script)], clock };
    const first = await Coordinator.open(options);
    const run = await first.start(saga, 1, { id: "r" });
    const result = run.result().catch((error: unknown) => error);
    await clock.advance(20_000);
    await first.close();
    expect(await result).toMatchObject(code("coordinator-closed"));
    expect(await clock.next()).toBe(false);
    const second = await Coordinator.open(options);
    while (await clock.next());
    expect(await (await second.run("r"))?.result()).toBe(1);
    expect(times).toEqual([0, 60_000]);
    await second.close();
  });

  test("says what it waits for when that takes long", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let running = false;
    const coordinator = await open(
      watchedStore(),
      scriptOf(() => {
        running = true;
        return never;
      }),
    );
    await coordinator.start(chain, 1, { id: "r" });
    while (!running) await new Promise(setImmediate);
    void coordinator.close();
    vi.advanceTimersByTime(9999);
    expect(log.said).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log.said).toEqual([expect.stringMatching(/`a` of run `r`.*timeout/)]);
  });

  test("ends what waits, and every later call says that it is closed", async () => {
    const store = watchedStore();
    const coordinator = await open(
      store,
      scriptOf(() => 1),
    );
    const done = await coordinator.start(chain, 1, { id: "done" });
    await done.result();
    const found = await coordinator.run("done");
    const paused = await coordinator.start(chain, 1, { id: "paused" });
    await paused.pause();
    const waiting = paused.result().catch((error: unknown) => error);
    await coordinator.close();
    expect(await waiting).toMatchObject(code("coordinator-closed"));
    // What it holds in memory it still knows.
    expect(await done.result()).toBe(1);
    const calls = [
      () => coordinator.start(chain, 1),
      () => coordinator.run("done"),
      () => coordinator.drain(),
      () => found?.result(),
      () => paused.result(),
      () => paused.resume(),
    ];
    for (const call of calls) {
      await expect(Promise.resolve().then(call)).rejects.toMatchObject(code("coordinator-closed"));
    }
  });

  test("while a start() is on its way: the run is durable, or it is not there", async () => {
    for (const id of [undefined, "r"]) {
      const store = watchedStore();
      const coordinator = await open(
        store,
        scriptOf(() => 1),
      );
      const starting = coordinator.start(chain, 1, id === undefined ? {} : { id });
      const settled = starting.then(
        () => true,
        (error: { readonly code?: string }) => {
          expect(error.code).toBe("coordinator-closed");
          return false;
        },
      );
      await coordinator.close();
      const rows = await (await store.reader()).runs({});
      expect(rows).toHaveLength((await settled) ? 1 : 0);
    }
  });
});

describe("drain()", () => {
  test("waits for the runs that move, and not for those that need an operator", async () => {
    const store = watchedStore();
    const held = gate();
    const undoRetry = { attempts: 1, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: false };
    const saga = scripted([action("a", [], { undoRetry }), action("b", ["a"])]);
    const script: Script = scriptOf(
      async (node) => {
        if (node === "b") await held.opened;
        if (node === "b") throw new Error("b fails");
      },
      () => {
        throw new Error("undo fails");
      },
    );
    const coordinator = await open(store, script, saga);
    await coordinator.drain();
    const stuck = await coordinator.start(saga, 1, { id: "stuck" });
    const paused = await coordinator.start(saga, 1, { id: "paused" });
    await paused.pause();
    let drained = false;
    const draining = coordinator.drain().then(() => (drained = true));
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(drained).toBe(false);
    held.open();
    await draining;
    const rows = await (await store.reader()).runs({});
    expect(rows.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ["stuck", "stuck", "stuck"],
      ["paused", expect.stringMatching(/running|unwinding/), "paused"],
    ]);
    // A command after which it is stuck all the same leaves it at rest.
    await stuck.pause();
    await expect(stuck.result()).rejects.toMatchObject(code("saga-stuck"));
    await stuck.resume();
    await expect(stuck.result()).rejects.toMatchObject(code("saga-stuck"));
    await stuck.retry("a");
    await expect(stuck.result()).rejects.toMatchObject(code("saga-stuck"));
    await coordinator.drain();
    await coordinator.close();
  });

  test("a run that is stuck in doubt and then unwound on request still rests", async () => {
    const saga = scripted([action("a", [], { timeoutMs: 5 })]);
    let first = true;
    const script = scriptOf(() => (first ? ((first = false), never) : 1));
    const coordinator = await open(watchedStore(), script, saga);
    const run = await coordinator.start(saga, 1);
    await expect(run.result()).rejects.toMatchObject(code("saga-stuck"));
    await run.unwind("not wanted any more");
    await expect(run.result()).rejects.toMatchObject(code("saga-stuck"));
    await run.retry("a");
    await expect(run.result()).rejects.toMatchObject({ cause: code("unwind-requested") });
    await coordinator.close();
  });
});

describe("a store that fails", () => {
  const full = new StoreError("store-full", "there is no space left");

  test("ends the coordinator with the store's code, and never the process", async () => {
    const store = watchedStore();
    const held = gate();
    const calls: string[] = [];
    const script = scriptOf(async (node) => {
      calls.push(node);
      await held.opened;
    });
    const loud = { warn: () => void log.warn("loud") };
    const throwing = {
      warn: () => {
        loud.warn();
        throw new Error("the logger fails");
      },
    };
    const sagas = [chain.on(script)];
    const coordinator = await Coordinator.open({ store, sagas, logger: throwing });
    const run = await coordinator.start(chain, 1, { id: "r" });
    await until(() => calls.length > 0);
    const ends = [run.result(), coordinator.drain()].map((each) => each.catch((e: unknown) => e));
    store.failure = full;
    const refused = run.pause();
    await expect(refused).rejects.toBe(full);
    expect(await Promise.all(ends)).toEqual([full, full]);
    expect(log.said).toEqual(["loud"]);
    await expect(coordinator.start(chain, 3)).rejects.toBe(full);
    let closed = false;
    const closing = coordinator.close().then(() => (closed = true));
    await new Promise(setImmediate);
    expect(closed).toBe(false);
    held.open();
    await closing;
    expect(calls).toEqual(["a"]);

    store.failure = undefined;
    const next = await open(
      store,
      scriptOf(() => 1),
    );
    expect(await (await next.run("r"))?.result()).toBe(1);
    expect(await next.run("s")).toBeUndefined();
    await next.close();
  });

  test("while it is opened: it is closed again", async () => {
    const store = watchedStore();
    const first = await open(
      store,
      scriptOf(() => never),
    );
    await first.start(chain, 1, { id: "r" });
    await store.kill();
    store.failure = full;
    await expect(
      open(
        store,
        scriptOf(() => 1),
      ),
    ).rejects.toBe(full);
    store.failure = undefined;
    const next = await open(
      store,
      scriptOf(() => 1),
    );
    expect(await (await next.run("r"))?.result()).toBe(1);
    await next.close();
  });
});

test("a hundred calls of start() with one id at the same time are one run", async () => {
  const calls: string[] = [];
  const coordinator = await open(
    watchedStore(),
    scriptOf((node) => void calls.push(node)),
  );
  const runs = await Promise.all(
    [...Array(100)].map((_, i) =>
      coordinator
        .start(chain, i % 10 === 9 ? { b: 1, a: 3 } : { a: 2, b: 1 }, { id: "r" })
        .then((run) => run.result())
        .catch((error: { readonly code: string }) => error.code),
    ),
  );
  expect(runs.filter((end) => end === "run-exists")).toHaveLength(10);
  expect(runs.filter((end) => typeof end === "object")).toHaveLength(90);
  // Equal as values, in another order.
  expect(await (await coordinator.start(chain, { b: 1, a: 2 }, { id: "r" })).id).toBe("r");
  expect(calls).toEqual(["a", "b"]);
  await coordinator.close();
});
