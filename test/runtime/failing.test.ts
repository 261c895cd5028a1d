/**
 * What becomes of a run when actions fail while others run, in the executor with real bodies and
 * signals: who is told, who is waited for, who is in doubt, and that late answers change nothing.
 */
import { actionContext, Coordinator, memoryStore, type SagaFailedError } from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { action, scripted, scriptOf } from "./sagas.js";
import { gate, until } from "./watched-store.js";

/** A run whose bodies a test holds: what was called, in order, and the signals of the actions. */
async function running(
  nodes: Parameters<typeof scripted>[0],
  act: (node: string) => unknown,
  clock = virtualClock(),
) {
  const saga = scripted(nodes);
  const calls: string[] = [];
  const signals = new Map<string, AbortSignal>();
  const script = scriptOf(
    (node) => {
      calls.push(node);
      signals.set(node, actionContext().signal);
      return act(node);
    },
    (node, output) => void calls.push(`undo ${node} ${String(output)}`),
  );
  const store = memoryStore();
  const coordinator = await Coordinator.open({ store, sagas: [saga.on(script)], clock });
  const run = await coordinator.start(saga, null, { id: "r" });
  const reader = await store.reader();
  const log = async (): Promise<string[]> =>
    (await reader.events("r")).map((event) =>
      "node" in event ? `${event.type} ${event.node}` : event.type,
    );
  const failed = run.result().then(
    () => expect.unreachable("it fails"),
    (error: unknown) => error as SagaFailedError,
  );
  return { coordinator, run, calls, signals, log, failed, clock };
}

/** Also what nobody waits for is looked at: a rejection that nobody handles ends the process. */
function noRejections(): unknown[] {
  const seen: unknown[] = [];
  const note = (reason: unknown): void => void seen.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  return seen;
}

test("two that fail in the same instant are both kept; the first recorded is reported", async () => {
  const go = gate();
  const { coordinator, calls, log, failed } = await running(
    [action("a"), action("x"), action("y"), action("b", ["a"])],
    async (node) => {
      if (node === "a") return "one";
      await go.opened;
      // Nothing more is started, however late the answer is.
      throw new Error(`no ${node}`);
    },
  );
  await until(() => calls.length === 4);
  go.open();
  const error = await failed;
  expect(error).toMatchObject({ code: "saga-failed", node: "x", cause: { message: "no x" } });
  expect(error.failures.map(({ node }) => node)).toEqual(["x", "y", "b"]);
  expect(calls).toEqual(["a", "x", "y", "b", "undo a one"]);
  const all = await log();
  expect(all.filter((line) => line.startsWith("failed"))).toEqual([
    "failed x",
    "failed y",
    "failed b",
  ]);
  // What failed is known to be nothing: it is not undone.
  expect(all.filter((line) => line.startsWith("undo-started"))).toEqual(["undo-started a"]);
  await coordinator.close();
});

test("who runs when another fails: told, if nothing of it has to last; else waited for, and undone", async () => {
  const [go, slow] = [gate(), gate()];
  const { coordinator, calls, signals, log, failed } = await running(
    [
      action("first"),
      action("slow", ["first"]),
      action("covered", ["first"], { undoWhen: "started" }),
      action("none", ["first"], { undo: "none" }),
      action("fails", ["first"]),
      action("next", ["slow"]),
    ],
    async (node) => {
      if (node === "first") return "1st";
      if (node === "fails") {
        await go.opened;
        throw new Error("no");
      }
      if (node === "slow") {
        await slow.opened;
        return "late";
      }
      const { signal } = actionContext();
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    },
  );
  await until(() => calls.length === 5);
  expect([...signals.values()].some(({ aborted }) => aborted)).toBe(false);
  go.open();
  await until(() => signals.get("covered")?.aborted === true);
  expect(signals.get("none")?.aborted).toBe(true);
  await until(() => calls.includes("undo covered undefined"));
  // It may have its effect: it is not told, and what it comes after is not undone before it.
  expect(signals.get("slow")?.aborted).toBe(false);
  expect(calls).not.toContain("undo first 1st");
  expect((await log()).at(-1)).not.toBe("undone");
  slow.open();
  expect(await failed).toMatchObject({ node: "fails" });
  expect(calls.slice(5)).toEqual(["undo covered undefined", "undo slow late", "undo first 1st"]);
  expect(calls).not.toContain("next");
  await coordinator.close();
});

test.each([
  ["undo: none", { undo: "none" }, []],
  ["undo when started", { undoWhen: "started" }, ["undo deaf undefined"]],
] as const)(
  "one that ignores its signal is not waited for after its timeout: %s",
  async (_, options, undos) => {
    for (const end of ["answers", "fails"] as const) {
      const rejected = noRejections();
      const late = gate();
      const { coordinator, run, calls, signals, log, failed, clock } = await running(
        [action("a"), action("deaf", ["a"], { timeoutMs: 1000, ...options })],
        async (node) => {
          if (node === "a") return "one";
          await late.opened;
          if (end === "fails") throw new Error("late");
          return "late";
        },
      );
      await until(() => calls.length === 2);
      await clock.advance(1001);
      expect(signals.get("deaf")?.aborted).toBe(true);
      const message = expect.stringContaining("had no answer in time") as string;
      expect(await failed).toMatchObject({ node: "deaf", cause: { code: "in-doubt", message } });
      expect(calls.slice(2)).toEqual([...undos, "undo a one"]);
      const [before, status] = [await log(), await run.status()];
      late.open();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await log()).toEqual(before);
      expect(await run.status()).toEqual(status);
      expect(calls.slice(2)).toEqual([...undos, "undo a one"]);
      await coordinator.close();
      expect(rejected).toEqual([]);
    }
  },
);

test("one that ignores that another failed is waited for no longer than its timeout", async () => {
  const rejected = noRejections();
  const [go, late] = [gate(), gate()];
  const { coordinator, calls, signals, log, failed, clock } = await running(
    [action("deaf", [], { undoWhen: "started", timeoutMs: 5000 }), action("fails")],
    async (node) => {
      if (node === "deaf") {
        await late.opened;
        return "late";
      }
      await go.opened;
      throw new Error("no");
    },
  );
  await until(() => calls.length === 2);
  go.open();
  await until(() => signals.get("deaf")?.aborted === true);
  await clock.advance(5001);
  expect(await failed).toMatchObject({ node: "fails" });
  expect(calls.slice(2)).toEqual(["undo deaf undefined"]);
  const before = await log();
  late.open();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await log()).toEqual(before);
  await coordinator.close();
  expect(rejected).toEqual([]);
});

test("in doubt while another has failed: it is run again, with the same key, to a definite end", async () => {
  const go = gate();
  const keys: string[] = [];
  const retry = { attempts: 3, delayMs: 100, factor: 1, maxDelayMs: 100, jitter: false };
  const { coordinator, calls, failed, clock } = await running(
    [action("slow", [], { timeoutMs: 1000, retry }), action("fails")],
    async (node) => {
      if (node === "fails") {
        await go.opened;
        throw new Error("no");
      }
      const { idempotencyKey, attempt, signal } = actionContext();
      keys.push(idempotencyKey);
      expect(signal.aborted).toBe(false);
      if (attempt === 1) await new Promise(() => undefined);
      return "in the end";
    },
  );
  await until(() => calls.length === 2);
  go.open();
  await clock.advance(2000);
  expect(await failed).toMatchObject({ node: "fails" });
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
  expect(calls).toEqual(["slow", "fails", "slow", "undo slow in the end"]);
  await coordinator.close();
});

const aTry = (after: readonly string[] = []) =>
  ({
    name: "try",
    kind: "scope",
    graph: {
      nodes: [
        action("first"),
        action("slow", ["first"]),
        action("told", ["first"], { undoWhen: "started" }),
        action("fails", ["first"]),
        action("next", ["slow"]),
      ],
    },
    handler: { nodes: [action("handler"), action("handler2", ["handler"])] },
    after,
  }) as const;

/** Runs until its signal is aborted. */
async function untilTold(): Promise<never> {
  const { signal } = actionContext();
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error)),
  );
}

test("a failure in a `try` ends what runs in it alone; its `catch` begins when it is undone, and the rest goes on", async () => {
  const [go, slow, beside] = [gate(), gate(), gate()];
  const saga = scripted([
    action("before"),
    aTry(["before"]),
    action("beside", ["before"], { undoWhen: "started" }),
    action("besideNext", ["beside"]),
    action("after", ["try"]),
  ]);
  const calls: string[] = [];
  let besideSignal: AbortSignal | undefined;
  const script = scriptOf(
    async (node) => {
      calls.push(node);
      if (node === "beside") {
        besideSignal = actionContext().signal;
        await beside.opened;
      }
      if (node === "try/told") await untilTold();
      if (node === "try/slow") await slow.opened;
      if (node === "try/fails") {
        await go.opened;
        throw new Error("no");
      }
      return node;
    },
    (node) => void calls.push(`undo ${node}`),
  );
  const undone = (node: string): boolean => calls.includes(`undo ${node}`);
  const coordinator = await Coordinator.open({ store: memoryStore(), sagas: [saga.on(script)] });
  const run = await coordinator.start(saga, "params", { id: "r" });
  await until(() => calls.includes("try/fails") && calls.includes("beside"));
  go.open();
  await until(() => undone("try/told"));
  // `slow` may have its effect: it is waited for, with all that it comes after.
  expect(undone("try/first")).toBe(false);
  expect(calls).not.toContain("try/handler");
  expect((await run.status()).status).toBe("running");
  // Outside of the `try` nothing was ended: it goes on meanwhile.
  expect(besideSignal?.aborted).toBe(false);
  beside.open();
  await until(() => calls.includes("besideNext"));
  expect(calls).not.toContain("after");
  slow.open();
  expect(await run.result()).toBe("params");
  const inTry = calls.filter((call) => call.includes("try/"));
  expect(inTry.slice(4)).toEqual([
    "undo try/told",
    "undo try/slow",
    "undo try/first",
    "try/handler",
    "try/handler2",
  ]);
  expect(calls.at(-1)).toBe("after");
  expect(calls).not.toContain("try/next");
  expect(undone("before") || undone("beside")).toBe(false);
  await coordinator.close();
});

test.each(["while it runs", "while it unwinds", "while its `catch` runs"] as const)(
  "a failure outside of a `try` ends it %s: nothing more starts in it, and it is undone with all",
  async (when) => {
    const [go, slow, outside, handler] = [gate(), gate(), gate(), gate()];
    const saga = scripted([action("before"), aTry(["before"]), action("outside", ["before"])]);
    const calls: string[] = [];
    const script = scriptOf(
      async (node) => {
        calls.push(node);
        if (node === "outside") {
          await outside.opened;
          throw new Error("outside");
        }
        if (node === "try/told") await untilTold();
        if (node === "try/slow") await slow.opened;
        if (node === "try/handler") await handler.opened;
        if (node === "try/fails") {
          await go.opened;
          throw new Error("inside");
        }
        return node;
      },
      (node) => void calls.push(`undo ${node}`),
    );
    const coordinator = await Coordinator.open({ store: memoryStore(), sagas: [saga.on(script)] });
    const run = await coordinator.start(saga, null, { id: "r" });
    const failed = run.result().catch((error: unknown) => error as SagaFailedError);
    const failedOutside = async (): Promise<boolean> =>
      (await run.status()).nodes.find(({ path }) => path === "outside")?.state === "failed";
    await until(() => calls.includes("try/fails") && calls.includes("outside"));
    if (when !== "while it runs") {
      go.open();
      await until(() => calls.includes("undo try/told"));
    }
    if (when === "while its `catch` runs") {
      slow.open();
      await until(() => calls.includes("try/handler"));
    }
    outside.open();
    await until(failedOutside);
    if (when === "while it runs") await until(() => calls.includes("undo try/told"));
    // What it comes after is undone when it is.
    expect(calls).not.toContain("undo before");
    for (const each of [go, slow, handler]) each.open();
    const error = (await failed) as SagaFailedError;
    // The first that was recorded and not caught, which those in a `try` that has a `catch` are.
    expect(error).toMatchObject({ code: "saga-failed", node: "outside" });
    expect(calls.slice(-1)).toEqual(["undo before"]);
    expect(calls).not.toContain("try/next");
    expect(calls).not.toContain("try/handler2");
    expect(calls.includes("try/handler")).toBe(when === "while its `catch` runs");
    expect(calls.includes("undo try/handler")).toBe(when === "while its `catch` runs");
    const undos = calls.filter((call) => call.startsWith("undo "));
    expect(new Set(undos).size).toBe(undos.length);
    expect(undos).toContain("undo try/first");
    await coordinator.close();
  },
);
