/** Finished runs: exported whole, and removed by age and number, but for those that are waited for. */
import { join } from "node:path";
import {
  actionContext,
  Coordinator,
  type CoordinatorOptions,
  type ExportRecord,
  memoryStore,
  sqliteStore,
  type Store,
  type Run,
} from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { prune } from "../../runtime/operating/retention.js";
import type { StoreOwner } from "../../runtime/stores/store.js";
import { temporaryFolder } from "../stores/sample.js";
import { action, scripted, scriptOf } from "./sagas.js";
import { gate, keptLog, until } from "./watched-store.js";

const one = scripted([action("a")], "One.saga");
const waiting = scripted(
  [
    { name: "child", kind: "spawn", target: "One.saga", wait: true, after: [] },
    { name: "go", kind: "event", target: "go", after: [] },
  ],
  "Waiting.saga",
);
const script = scriptOf(() => 1);
const code = (expected: string): object => ({ code: expected });

async function all(records: AsyncIterable<ExportRecord>): Promise<ExportRecord[]> {
  const found: ExportRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

describe.each([
  ["in memory", () => memoryStore()],
  ["in SQLite", () => sqliteStore(join(temporaryFolder(), "a.db"))],
] as const)("%s", (_title, makeStore) => {
  function open(more: Partial<CoordinatorOptions> = {}, store: Store = makeStore()) {
    const sagas = [one.on(script), waiting.on(script)];
    return Coordinator.open({ store, sagas, logger: keptLog(), ...more });
  }
  const ids = async (coordinator: Coordinator): Promise<string[]> =>
    (await coordinator.runs({ limit: 999 })).runs.map(({ id }) => id);

  test("are removed by age and by number, and so are their logs", async () => {
    const clock = virtualClock(1000);
    const coordinator = await open({ clock });
    for (let i = 0; i < 40; i++) {
      await (await coordinator.start(one, i, { id: `r${i}` })).result();
      await clock.advance(100);
    }
    expect(await coordinator.prune({ olderThanMs: 3000 })).toBe(10);
    expect((await ids(coordinator))[0]).toBe("r10");
    expect(await coordinator.prune({ keep: 25, olderThanMs: 0 })).toBe(5);
    expect(await coordinator.prune({ keep: 25 })).toBe(0);
    const gone = await coordinator.run("r0");
    expect(gone).toBeUndefined();
    expect(await coordinator.prune({ keep: 0 })).toBe(25);
    expect(await ids(coordinator)).toEqual([]);
    for (const wrong of [{}, { keep: -1 }, { keep: 1.5 }, { olderThanMs: NaN }]) {
      await expect(coordinator.prune(wrong)).rejects.toMatchObject(code("bad-retention"));
    }
    await coordinator.close();
  });

  test("a run that an unfinished one waits for stays, and goes with it", async () => {
    const held = gate();
    const slow = scriptOf(() => held.opened);
    const coordinator = await open({
      shortWaitMs: 0,
      sagas: [one.on(slow), waiting.on(slow)],
    });
    const run = await coordinator.start(waiting, null, { id: "parent" });
    await until(async () => (await ids(coordinator)).includes("parent.child"));
    // What is paused is not told of the end of what it waits for.
    await run.pause();
    held.open();
    await (await coordinator.run("parent.child"))?.result();
    await (await coordinator.start(one, 1, { id: "other" })).result();
    expect(await coordinator.prune({ keep: 0 })).toBe(1);
    expect(await ids(coordinator)).toEqual(["parent", "parent.child"]);
    await run.resume();
    await run.send("go");
    await run.result();
    await coordinator.prune({ keep: 0 });
    expect(await ids(coordinator)).toEqual([]);
    await coordinator.close();
  });

  test("an id that is used again has other idempotency keys", async () => {
    const keys: string[] = [];
    const noting = scriptOf(() => void keys.push(actionContext().idempotencyKey));
    const store = makeStore();
    const coordinator = await Coordinator.open({
      store,
      sagas: [one.on(noting)],
      logger: keptLog(),
    });
    for (const params of [1, 2]) {
      expect(await (await coordinator.start(one, params, { id: "same" })).result()).toBe(params);
      // As long as it is there, the id is that run.
      await expect(coordinator.start(one, 3, { id: "same" })).rejects.toMatchObject(
        code("run-exists"),
      );
      expect(await coordinator.prune({ keep: 0 })).toBe(1);
    }
    expect(new Set(keys).size).toBe(2);
    await coordinator.close();
  });

  test("whoever asks for one that is removed is told so", async () => {
    const coordinator = await open();
    const run = await coordinator.start(one, 1, { id: "gone" });
    const other = await coordinator.run("gone");
    await run.result();
    await coordinator.prune({ keep: 0 });
    // Who asked before has it.
    for (const asked of [run.status(), other?.result(), other?.status()]) {
      await expect(asked).rejects.toMatchObject({
        code: "run-pruned",
        message: expect.stringContaining("removed") as string,
      });
    }
    await expect(run.pause()).rejects.toMatchObject(code("run-pruned"));
    expect(await run.result()).toBe(1);
    await coordinator.close();
  });

  test("also where it has come to its end, and was removed, while it was read", async () => {
    const inner = makeStore();
    let meanwhile: (() => Promise<unknown>) | undefined;
    const store: Store = {
      reader: () => inner.reader(),
      open: async (...args) => {
        const owner = await inner.open(...args);
        const events = owner.events.bind(owner);
        owner.events = async (...given) => {
          const act = meanwhile;
          meanwhile = undefined;
          await act?.();
          return events(...given);
        };
        return owner;
      },
    };
    const held = gate();
    const sagas = [one.on(scriptOf(() => held.opened))];
    const coordinator = await open({ sagas }, store);
    const run = await coordinator.start(one, 1, { id: "gone" });
    meanwhile = async () => {
      held.open();
      await run.result();
      expect(await coordinator.prune({ keep: 0 })).toBe(1);
    };
    await expect(run.status()).rejects.toMatchObject(code("run-pruned"));
    await coordinator.close();
  });

  test("a handle of one that is removed is not one of the run that has its id now", async () => {
    const held = gate();
    let calls = 0;
    const script = scriptOf(() => (calls++ > 0 ? held.opened : undefined));
    const coordinator = await open({ sagas: [one.on(script)] });
    const old = await coordinator.start(one, 1, { id: "same" });
    const other = await coordinator.run("same");
    await old.result();
    await coordinator.prune({ keep: 0 });
    const now = await coordinator.start(one, 2, { id: "same" });
    const gone = async (): Promise<void> => {
      const asked = [other?.status(), other?.result(), other?.outputs()];
      const told = [other?.pause(), other?.unwind(), other?.inject({ node: "a", error: true })];
      for (const each of [...asked, ...told]) {
        await expect(each).rejects.toMatchObject(code("run-pruned"));
      }
      for await (const event of (other as Run).events()) expect.unreachable(event.type);
    };
    await gone();
    held.open();
    // Who asked before has it.
    expect([await old.result(), await now.result()]).toEqual([1, 2]);
    await gone();
    await coordinator.close();
  });

  test("with them, answers that nobody looks for any more", async () => {
    const store = makeStore();
    const coordinator = await open({}, store);
    const reader = await store.reader();
    const request = await reader.request("drain", undefined, "{}");
    await until(async () => (await reader.answer(request)) !== undefined);
    await coordinator.prune({ keep: 0 });
    expect(await reader.answer(request)).toEqual({ ok: true });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_700_000 });
    onTestFinished(() => void vi.useRealTimers());
    await coordinator.prune({ keep: 0 });
    expect(await reader.answer(request)).toBeUndefined();
    await reader.close();
    await coordinator.close();
  });

  test("are exported whole, each definition before its first run", async () => {
    const coordinator = await open();
    await (await coordinator.start(one, { x: [1] }, { id: "r1" })).result();
    await (await coordinator.start(one, undefined, { id: "r2" })).result();
    const held = await coordinator.start(waiting, null, { id: "unfinished" });
    await held.pause();
    const records = await all(coordinator.export({ idPrefix: "r" }));
    expect(records.map(({ kind }) => kind)).toEqual(["definition", "run", "run"]);
    expect(records[0]).toMatchObject({ steno: 1, manifest: one.manifest });
    expect(records[1]).toMatchObject({
      run: {
        id: "r1",
        saga: "One.saga",
        status: "succeeded",
        params: { x: [1] },
        output: { x: [1] },
      },
      events: [
        { seq: 0, type: "created", value: { x: [1] } },
        { seq: 1, type: "started", node: "a", value: ["a"] },
        { seq: 2, type: "succeeded", node: "a", value: 1 },
        { seq: 3, type: "succeeded", node: "" },
      ],
    });
    expect(records[2]).toMatchObject({ run: { id: "r2" } });
    expect("params" in ((records[2] as { run?: object }).run ?? {})).toBe(false);
    // Each is a line of JSON that says all of it.
    for (const record of records) expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    const unfinished = await all(coordinator.export({ status: "running", saga: "Waiting.saga" }));
    expect(unfinished).toHaveLength(2);
    await coordinator.close();
  });

  test("are removed by and by where the coordinator is told to", async () => {
    await expect(open({ retention: {} })).rejects.toMatchObject(code("bad-retention"));
    const coordinator = await open({ retention: { keep: 3, everyMs: 5 } });
    const starts = Array.from({ length: 200 }, (_, i) =>
      coordinator.start(one, i, { id: `r${i}` }),
    );
    const results = await Promise.all(
      starts.map(async (start) => (await start).result().catch((error: unknown) => error)),
    );
    // Whoever waits for a run has its result before it goes.
    expect(results).toEqual(Array.from({ length: 200 }, (_, i) => i));
    await until(async () => (await ids(coordinator)).length === 3);
    await coordinator.close();
  });
});

test("where a commit takes long in a database, batches grow all the same", async () => {
  let left = Array.from({ length: 300 }, (_, i) => `r${i}`);
  const batches: number[] = [];
  const removed = await prune(
    {
      owner: {
        fleet: {},
        prunable: async ({ limit }: { readonly limit: number }) => left.slice(0, limit),
        unswept: async () => false,
      } as unknown as StoreOwner,
      now: () => 0,
      commit: async (writes) => {
        batches.push(writes.length);
        await new Promise((resolve) => setTimeout(resolve, 20));
        left = left.slice(writes.length);
      },
    },
    { keep: 0 },
  );
  expect(removed).toEqual({ removed: 300, isDone: true });
  // By one after the other it would be 300.
  expect(batches.length).toBeLessThan(30);
});
