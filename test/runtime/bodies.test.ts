/** How the end of a body is taken: timeouts, late answers, outputs and errors of any kind. */
import { actionContext, Coordinator, memoryStore, systemClock } from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Timer, TimerHeap } from "../../runtime/clock.js";
import { action, type Options, scripted, scriptOf } from "./sagas.js";
import { gate } from "./watched-store.js";

const retry = { attempts: 3, delayMs: 1000, factor: 10, maxDelayMs: 1e9, jitter: false };

describe("an output that JSON cannot hold", () => {
  const start = async (options: Options, unwound: unknown[]) => {
    const saga = scripted([action("before"), action("odd", ["before"], { retry, ...options })]);
    let output: unknown = { at: [new Date(0)] };
    let calls = 0;
    const script = scriptOf(
      (node) => {
        if (node === "before") return "first";
        calls += 1;
        return output;
      },
      (node, given) => void unwound.push([node, given]),
    );
    const coordinator = await Coordinator.open({ store: memoryStore(), sagas: [saga.on(script)] });
    const run = await coordinator.start(saga, null);
    const error: unknown = await run.result().catch((thrown: unknown) => thrown);
    return { coordinator, run, error, calls: () => calls, mend: () => (output = "fine") };
  };
  const cause = {
    code: "value-invalid",
    message: expect.stringContaining("output of `odd`.at[0] must be a JSON value, and is a Date"),
  };

  test("leaves its effect to nobody: the run is stuck there, and can go on", async () => {
    const unwound: unknown[] = [];
    const { coordinator, run, error, calls, mend } = await start({}, unwound);
    expect(error).toMatchObject({ code: "saga-stuck", node: "odd", cause });
    expect((await run.status()).nodes[1]?.state).toBe("stuck-in-doubt");
    expect([calls(), unwound]).toEqual([1, []]);
    mend();
    await run.retry("odd");
    expect(await run.result()).toBeNull();
    expect(calls()).toBe(2);
    await coordinator.close();
  });

  test("is settled by an operator who undid it by hand", async () => {
    const unwound: unknown[] = [];
    const { coordinator, run } = await start({}, unwound);
    await run.settle("odd", "cancelled by phone");
    await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: "odd", cause });
    expect(unwound).toEqual([["before", "first"]]);
    await coordinator.close();
  });

  test("is undone where the undo does without it, and unwinds where there is none", async () => {
    for (const options of [{ undoWhen: "started" }, { undo: "none" }] as const) {
      const unwound: unknown[] = [];
      const { coordinator, error, calls } = await start(options, unwound);
      expect(error).toMatchObject({ code: "saga-failed", node: "odd", cause });
      const own = "undo" in options ? [] : [["odd", undefined]];
      expect(unwound).toEqual([...own, ["before", "first"]]);
      expect(calls()).toBe(1);
      await coordinator.close();
    }
  });
});

test.each<[string, unknown, object]>([
  ["a text", "no luck", { name: "NonError", message: "no luck", value: "no luck" }],
  ["nothing", undefined, { name: "NonError", message: "undefined was thrown, which is no Error" }],
  ["an object", { why: 1 }, { name: "NonError", value: { why: 1 } }],
  [
    "an error with a chain of causes",
    new TypeError("top", { cause: Object.assign(new Error("mid", { cause: "low" }), { code: 7 }) }),
    {
      name: "TypeError",
      stack: expect.stringContaining("bodies.test.ts"),
      cause: { message: "mid", code: 7, cause: "low" },
    },
  ],
])("what is thrown is the cause of the failure: %s", async (_name, thrown, cause) => {
  const saga = scripted([action("a")]);
  const script = scriptOf(() => {
    throw thrown;
  });
  const coordinator = await Coordinator.open({ store: memoryStore(), sagas: [saga.on(script)] });
  const result = (await coordinator.start(saga, null)).result();
  await expect(result).rejects.toMatchObject({ code: "saga-failed", node: "a", cause });
  await coordinator.close();
});

describe("with the virtual clock", () => {
  test("pauses and timeouts take no time, and are as long as they should be", async () => {
    const clock = virtualClock(1_000_000);
    const saga = scripted([action("a", [], { retry, timeoutMs: 60_000 })]);
    const times: number[] = [];
    const script = scriptOf(async () => {
      times.push(clock.now() - 1_000_000);
      const { attempt, signal } = actionContext();
      if (attempt === 1) throw new Error("busy");
      if (attempt === 2) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    const store = memoryStore();
    const coordinator = await Coordinator.open({ store, sagas: [saga.on(script)], clock });
    const began = Date.now();
    const run = await coordinator.start(saga, "done");
    const result = run.result();
    while (await clock.next());
    expect(await result).toBe("done");
    // A second, then a minute of timeout and ten seconds.
    expect(times).toEqual([0, 1000, 71_000]);
    expect(Date.now() - began).toBeLessThan(2000);
    expect((await run.status()).nodes[0]).toMatchObject({ state: "done", attempts: 3 });
    await coordinator.close();
  });

  test("an undo that takes too long is tried again, and its late answer is not heard", async () => {
    const clock = virtualClock();
    const undoRetry = { ...retry, attempts: 2 };
    const saga = scripted([action("a", [], { undoTimeoutMs: 500, undoRetry }), action("b", ["a"])]);
    const late = gate();
    const undos: number[] = [];
    const script = scriptOf(
      (node) => {
        if (node === "b") throw new Error("b fails");
      },
      async () => {
        const { attempt } = actionContext();
        undos.push(clock.now());
        if (attempt < 3) await late.opened;
      },
    );
    const store = memoryStore();
    const coordinator = await Coordinator.open({ store, sagas: [saga.on(script)], clock });
    const run = await coordinator.start(saga, null, { id: "r" });
    const result = run.result().catch((error: unknown) => error);
    while (await clock.next());
    expect(undos).toEqual([0, 1500]);
    expect(await result).toMatchObject({
      code: "saga-stuck",
      node: "a",
      cause: { code: "timeout" },
    });
    late.open();
    await clock.advance(0);
    expect((await run.status()).nodes[0]?.state).toBe("undo-failed");
    await run.retry("a");
    await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: "b" });
    const log = await (await store.reader()).events("r");
    expect(log.filter(({ type }) => type.startsWith("und")).map(({ type }) => type)).toEqual([
      ...["undo-started", "undo-attempt-failed", "undo-started", "undo-failed"],
      ...["undo-started", "undone"],
    ]);
    await coordinator.close();
  });

  test("a late answer of an action is not heard: the next attempt's counts", async () => {
    const clock = virtualClock();
    const saga = scripted([action("a", [], { timeoutMs: 50, retry })]);
    const late = gate();
    const script = scriptOf(async () => {
      if (actionContext().attempt > 1) return "second";
      await late.opened;
      return "first";
    });
    const store = memoryStore();
    const coordinator = await Coordinator.open({ store, sagas: [saga.on(script)], clock });
    const run = await coordinator.start(saga, null, { id: "r" });
    await clock.advance(60);
    late.open();
    await clock.advance(10_000);
    await run.result();
    const log = await (await store.reader()).events("r");
    expect(log.flatMap((event) => (event.type === "succeeded" ? [event] : []))).toMatchObject([
      { node: "a", attempt: 2, value: '"second"' },
      { node: "" },
    ]);
    await coordinator.close();
  });
});

describe("timers", () => {
  afterEach(() => void vi.useRealTimers());

  test("longer than Node's own can be are waited for all the same", () => {
    vi.useFakeTimers();
    const days = 24 * 3600 * 1000;
    const fired: string[] = [];
    systemClock.setTimer(Date.now() + 60 * days, () => fired.push("sixty days"));
    const cancel = systemClock.setTimer(Date.now() + 40 * days, () => fired.push("cancelled"));
    vi.advanceTimersByTime(30 * days);
    cancel();
    vi.advanceTimersByTime(30 * days - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(["sixty days"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("follow a clock that is set, and a machine that was asleep", () => {
    vi.useFakeTimers();
    const hour = 3_600_000;
    const fired: string[] = [];
    systemClock.setTimer(Date.now() + hour, () => fired.push("forward"));
    vi.advanceTimersByTime(1000);
    vi.setSystemTime(Date.now() + 2 * hour);
    vi.advanceTimersByTime(10_000);
    expect(fired).toEqual(["forward"]);
    systemClock.setTimer(Date.now() + 15_000, () => fired.push("back"));
    vi.advanceTimersByTime(9000);
    vi.setSystemTime(Date.now() - hour);
    vi.advanceTimersByTime(hour);
    expect(fired).toEqual(["forward"]);
    vi.advanceTimersByTime(6000);
    expect(fired).toEqual(["forward", "back"]);
  });

  test("fire in order, and those of no interest are not kept", async () => {
    const clock = virtualClock();
    const taken: number[] = [];
    const heap = new TimerHeap<number>(clock, (item) => void taken.push(item));
    const dueAt = (item: number): number => 3_600_000 + ((item * 7919) % 1000);
    const timers: Timer<number>[] = [];
    for (let item = 0; item < 100_000; item++) {
      timers.push(heap.add(dueAt(item), item));
      const before = timers[item - 10];
      if (before !== undefined) heap.cancel(before);
    }
    expect(heap.size).toBeLessThan(2000);
    await clock.advance(3_700_000);
    expect(taken).toEqual(
      [...Array(10).keys()].map((i) => 99_990 + i).sort((a, b) => dueAt(a) - dueAt(b)),
    );
    heap.add(9_000_000, 1);
    heap.clear();
    expect(heap.size).toBe(0);
  });
});
