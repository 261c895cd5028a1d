/** What an operator sees of runs, and does to all of them: reasons, times, draining, breakpoints of a saga. */
import { Coordinator, type Hold, memoryStore, type RunRow, type Store } from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import { afterEach, expect, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { gate, keptLog, until, watchedStore } from "./watched-store.js";

const log = keptLog();
afterEach(() => expect(log.said.splice(0)).toEqual([]));

const chain = scripted([action("a"), action("b", ["a"])]);

test("a coordinator that is being drained starts nothing new, and finds what is there", async () => {
  const held = gate();
  const script: Script = scriptOf(() => held.opened);
  const coordinator = await Coordinator.open({
    store: watchedStore(),
    sagas: [chain.on(script)],
    logger: log,
  });
  await coordinator.start(chain, 1, { id: "r" });
  let drained = false;
  const draining = coordinator.drain().then(() => (drained = true));
  const late = coordinator.start(chain, 1, { id: "s" });
  await expect(late).rejects.toMatchObject({ code: "coordinator-draining" });
  expect((await coordinator.start(chain, 1, { id: "r" })).id).toBe("r");
  expect(drained).toBe(false);
  held.open();
  await draining;
  await (await coordinator.start(chain, 1, { id: "s" })).result();
  await coordinator.close();
});

test("an operator drains from another process, until they say that it ends", async () => {
  const store = watchedStore();
  const coordinator = await Coordinator.open({
    store,
    sagas: [chain.on(scriptOf((node) => node))],
    logger: log,
  });
  const reader = await store.reader();
  const ask = async (args: object): Promise<void> => {
    const request = await reader.request("drain", undefined, JSON.stringify(args));
    await until(async () => (await reader.answer(request))?.ok);
  };
  await ask({});
  const refused = coordinator.start(chain, 1);
  await expect(refused).rejects.toMatchObject({ code: "coordinator-draining" });
  await ask({ clear: true });
  await (await coordinator.start(chain, 1)).result();
  await coordinator.close();
});

test("a breakpoint of a saga holds for all its runs, and for those of the next coordinator", async () => {
  const store = watchedStore();
  const calls: string[] = [];
  const open = (): Promise<Coordinator> =>
    Coordinator.open({
      store,
      sagas: [chain.on(scriptOf((node) => void calls.push(node)))],
      logger: log,
    });
  const first = await open();
  await first.setBreakpoint("Test.saga", { node: "b" });
  const wrong = first.setBreakpoint("Test.saga", { node: "c" });
  await expect(wrong).rejects.toMatchObject({ code: "no-such-node" });
  const none = first.setBreakpoint("Test.other", { node: "b" });
  await expect(none).rejects.toMatchObject({ code: "definition-not-open" });
  const run = await first.start(chain, 1, { id: "r" });
  await first.drain();
  const hit: Hold = { reason: "breakpoint", node: "b", at: "before" };
  expect(await run.status()).toMatchObject({ reason: "breakpoint", holds: [hit] });
  await first.close();

  const second = await open();
  const other = await second.start(chain, 1, { id: "s" });
  await second.drain();
  expect(await other.status()).toMatchObject({ reason: "breakpoint", holds: [hit] });
  expect(calls).toEqual(["a", "a"]);
  await second.clearBreakpoint("Test.saga", { node: "b" });
  for (const id of ["r", "s"]) await (await second.run(id))?.resume();
  await second.drain();
  expect((await second.runs({ status: "succeeded" })).runs).toHaveLength(2);
  await second.start(chain, 1, { id: "t" });
  await second.drain();
  await second.close();

  const third = await open();
  expect((await (await third.run("t"))?.status())?.status).toBe("succeeded");
  await third.close();
});

test("a run that waits for its next attempt says so: the time, the error, the attempts", async () => {
  const clock = virtualClock();
  const retry = { attempts: 2, delayMs: 60_000, factor: 1, maxDelayMs: 60_000, jitter: false };
  const saga = scripted([action("a", [], { retry }), action("b", ["a"])]);
  let calls = 0;
  const store = watchedStore();
  const coordinator = await Coordinator.open({
    store,
    sagas: [saga.on(scriptOf(() => (calls++ === 0 ? Promise.reject(new RangeError("full")) : 1)))],
    logger: log,
    clock,
  });
  const begun = clock.now();
  const run = await coordinator.start(saga, 1, { id: "r" });
  await until(async () => (await run.status()).reason === "waiting-retry");
  const report = await run.status();
  const due = begun + 60_000;
  expect(report.holds).toEqual([{ reason: "waiting-retry", node: "a", until: due }]);
  expect(report.nodes[0]).toMatchObject({
    state: "waiting-to-retry",
    attempts: 1,
    dueAt: due,
    startedAt: begun,
    error: { name: "RangeError", message: "full" },
  });
  expect((await coordinator.runs({ reason: "waiting-retry" })).runs).toHaveLength(1);
  await clock.advance(60_000);
  await run.result();
  const after = await run.status();
  expect(after).toMatchObject({ status: "succeeded", reason: undefined, holds: [] });
  expect(after.nodes[0]).toMatchObject({ attempts: 2, startedAt: begun, endedAt: due });
  await coordinator.close();
});

test("the status of a run is not older than its log, whatever was read of its row before", async () => {
  const inner = memoryStore();
  let stale: RunRow | undefined;
  const store: Store = {
    reader: () => inner.reader(),
    open: async () => {
      const owner = await inner.open();
      const read = owner.run.bind(owner);
      owner.run = async (id) => stale ?? read(id);
      return owner;
    },
  };
  const definition = scripted([action("a")]);
  const coordinator = await Coordinator.open({
    store,
    sagas: [definition.on(scriptOf(() => 1))],
  });
  const run = await coordinator.start(definition, 1, { id: "r" });
  await run.result();
  const row = (await (await inner.reader()).run("r")) as RunRow;
  stale = { ...row, status: "running", reason: "waiting-retry" };
  expect(await run.status()).toMatchObject({ status: "succeeded", reason: undefined });
  stale = undefined;
  await coordinator.close();
});
