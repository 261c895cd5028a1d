/** Limits on attempts that run at the same time: they hold, are fair, and stop nothing for ever. */
import fc from "fast-check";
import { Coordinator, type Limit, type LimitedAttempt, memoryStore } from "steno-runtime";
import { expect, onTestFinished, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { gate, until } from "./watched-store.js";

const undoRetry = { attempts: 3, delayMs: 1, factor: 1, maxDelayMs: 1, jitter: false };
const retry = undoRetry;
const one = scripted([action("a")], "One.saga");
const wide = scripted(
  [
    action("a", [], { undoRetry }),
    action("b", ["a"], { undoRetry, undoWhen: "started" }),
    action("c", ["a"], { undoRetry, retry }),
    action("d", ["b", "c"], { undoRetry }),
  ],
  "Wide.saga",
);

test("those that wait begin in the order in which they came, and say what they wait for", async () => {
  const begun: string[] = [];
  const gates = [gate(), gate(), gate()];
  const script: Script = scriptOf(() => gates[begun.push("") - 1]?.opened);
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [one.on(script)],
    limits: [{ saga: "One.saga", atMost: 1 }],
  });
  const runs = [];
  for (const id of ["x", "y", "z"]) runs.push(await coordinator.start(one, 1, { id }));
  await until(() => begun.length === 1);
  expect(await runs[1]?.status()).toMatchObject({
    reason: "waiting-limit",
    holds: [{ reason: "waiting-limit", node: "a", limit: "One.saga" }],
  });
  // One that is paused is in nobody's way.
  await runs[1]?.pause();
  gates[0]?.open();
  await until(() => begun.length === 2);
  expect((await runs[2]?.status())?.reason).toBeUndefined();
  await runs[1]?.resume();
  expect((await runs[1]?.status())?.reason).toBe("waiting-limit");
  gates[1]?.open();
  await until(() => begun.length === 3);
  expect((await runs[2]?.status())?.status).toBe("succeeded");
  gates[2]?.open();
  await coordinator.drain();
  await coordinator.close();
});

test("an undo is before all that would still start, of its own run too", async () => {
  const order: string[] = [];
  const held = gate();
  const failing = scripted([action("a"), action("b", ["a"]), action("c", ["a"])], "Fails.saga");
  const script = scriptOf(
    async (node) => {
      order.push(node);
      await held.opened;
      if (node === "b") throw new Error("no");
    },
    (node) => void order.push(`undo ${String(node)}`),
  );
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [failing.on(script), one.on(script)],
    limits: [{ atMost: 1 }],
  });
  const run = await coordinator.start(failing, 1);
  for (let i = 0; i < 5; i++) await coordinator.start(one, 1);
  held.open();
  await expect(run.result()).rejects.toMatchObject({ code: "saga-failed" });
  await coordinator.drain();
  // `b` had waited behind the five; once it failed, `c` did not start and the undo did not wait.
  expect(order.slice(0, 7)).toEqual(["a", "a", "a", "a", "a", "a", "b"]);
  expect(order[7]).toMatch(/^undo/);
  await coordinator.close();
});

test("a limit is a whole number from 1", async () => {
  const opening = Coordinator.open({ store: memoryStore(), sagas: [], limits: [{ atMost: 0 }] });
  await expect(opening).rejects.toMatchObject({ code: "bad-limit" });
});

/** How many of each key run now, and whether there were ever more than may. */
class Watch {
  readonly running = new Map<string, number>();
  most = 0;
  wrong: string[] = [];
  constructor(readonly limit: Limit) {}

  change(attempt: Pick<LimitedAttempt, "saga" | "params">, by: 1 | -1): void {
    const { saga, key, atMost } = this.limit;
    if (saga !== undefined && saga !== attempt.saga) return;
    const found = key === undefined ? "" : key(attempt as LimitedAttempt);
    if (found === undefined) return;
    const now = (this.running.get(String(found)) ?? 0) + by;
    this.running.set(String(found), now);
    this.most = Math.max(this.most, now);
    if (now > atMost) this.wrong.push(`${saga} ${found}: ${now}`);
  }
}

test("limits of sagas, actions and keys hold over random runs, failures, undos and pauses, and all end", async () => {
  let reached = 0;
  const property = fc.asyncProperty(fc.infiniteStream(fc.nat(999)), async (stream) => {
    const choose = (below: number): number => (stream.next().value as number) % below;
    const key = ({ params }: LimitedAttempt): string | undefined =>
      params === 0 ? undefined : `c${String(params)}`;
    const limits: Limit[] = [
      { saga: "Wide.saga", atMost: 1 + choose(4) },
      { action: "act", atMost: 2 + choose(5) },
      { key, atMost: 1 + choose(2) },
    ];
    const watches = limits.map((limit) => new Watch(limit));
    const saga = new Map<string, string>();
    const calls: string[] = [];
    const body = async (undo: boolean, fails: boolean, id: string, node: string): Promise<void> => {
      const attempt = { saga: saga.get(id) ?? "", params: Number(id.split("-")[1]) };
      calls.push(`${id} ${undo ? "undo " : ""}${node}`);
      for (const watch of watches) watch.change(attempt, 1);
      for (let turns = choose(4); turns > 0; turns--) await new Promise(setImmediate);
      for (const watch of watches) watch.change(attempt, -1);
      if (fails) throw new Error("no");
    };
    const { actionContext } = await import("steno-runtime");
    const script = scriptOf(
      (node) => body(false, choose(4) === 0, actionContext().sagaId, node),
      () => body(true, choose(8) === 0, actionContext().sagaId, actionContext().node),
    );
    const coordinator = await Coordinator.open({
      store: memoryStore(),
      sagas: [wide.on(script), one.on(script)],
      limits,
      logger: { warn: () => undefined },
    });
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      const params = choose(4);
      const definition = choose(3) === 0 ? one : wide;
      const id = `${i}-${params}`;
      saga.set(id, definition === one ? "One.saga" : "Wide.saga");
      ids.push((await coordinator.start(definition, params, { id })).id);
      if (choose(3) === 0) {
        const run = await coordinator.run(ids[choose(ids.length)] as string);
        await run?.pause().catch(() => undefined);
      }
    }
    for (const id of ids) await (await coordinator.run(id))?.resume().catch(() => undefined);
    await coordinator.drain();
    const ends = (await coordinator.runs()).runs.map(({ status }) => status);
    expect(ends.filter((status) => !["succeeded", "undone", "stuck"].includes(status))).toEqual([]);
    expect(watches.flatMap(({ wrong }) => wrong)).toEqual([]);
    // `d` is after `b` and `c` in each run, whatever waited for what.
    for (const id of ids) {
      const own = calls.filter((each) => each.startsWith(`${id} `));
      const first = own.indexOf(`${id} d`);
      if (first >= 0) expect(own.slice(first + 1)).not.toContain(`${id} b`);
    }
    reached += watches.filter(({ most, limit }) => most === limit.atMost).length;
    await coordinator.close();
  });
  await fc.assert(property, { numRuns: 15, seed: 7, endOnFailure: true });
  expect(reached).toBeGreaterThan(10);
});

test("a run that a breakpoint pauses while it waits for a place leaves memory, and goes on when it is resumed", async () => {
  const event = { name: "e", kind: "event", target: "go", after: [] } as const;
  const saga = scripted([action("b"), event]);
  const held = gate();
  let calls = 0;
  const script = scriptOf(async () => void (calls++ === 0 && (await held.opened)));
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [saga.on(script)],
    limits: [{ atMost: 1 }],
    shortWaitMs: 0,
  });
  onTestFinished(() => coordinator.close());
  const first = await coordinator.start(saga, 1, { id: "first" });
  await until(() => calls === 1);
  const second = await coordinator.start(saga, 2, { id: "second" });
  await second.setBreakpoint({ node: "e", at: "after" });
  await second.send("go");
  await until(async () => (await second.status()).reason === "breakpoint");
  held.open();
  await first.send("go");
  expect(await first.result()).toBe(1);
  expect(calls).toBe(1);
  await second.resume();
  expect(await second.result()).toBe(2);
});

test("an undo that follows its action at once takes a place of its own", async () => {
  const started = { undoWhen: "started" } as const;
  const beside = scripted(
    [action("a"), action("b", ["a"], started), action("c", ["a"])],
    "Beside.saga",
  );
  let [running, most] = [0, 0];
  const body = async (): Promise<void> => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setTimeout(resolve, 2));
    running -= 1;
  };
  const script = scriptOf(async (node) => {
    await body();
    // Undone at once: it failed itself, or succeeded after the other had failed.
    if (node === "b") throw new Error("no");
  }, body);
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [beside.on(script)],
    limits: [{ atMost: 2 }],
    logger: { warn: () => undefined },
  });
  for (let run = 0; run < 6; run++) await coordinator.start(beside, run);
  await coordinator.drain();
  await coordinator.close();
  expect(most).toBe(2);
});

test("who gets the place that an action leaves, and fails, does not take from the action what follows", async () => {
  // What is computed follows `a` at once, and makes its place free; `x`, whose turn that is, fails.
  const computed = { name: "c", kind: "compute", after: ["a"] } as const;
  const saga = scripted([action("a"), computed, action("x")], "Beside.saga");
  const held = gate();
  const undone: string[] = [];
  const script = scriptOf(
    (node) => (node === "a" ? held.opened : undefined),
    async (node) => void undone.push(node),
  );
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [saga.on(script)],
    limits: [{ atMost: 1 }],
  });
  onTestFinished(() => coordinator.close());
  const run = await coordinator.start(saga, 1);
  await run.inject({ node: "x", error: "a drill" });
  held.open();
  await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: "x" });
  expect(undone).toEqual(["a"]);
});
