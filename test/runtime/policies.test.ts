/** What becomes of a run that pauses on a failure, or is behind its pivot: through the public API. */
import { Coordinator, type LogFields, type PausedRun } from "steno-runtime";
import { expect, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { watchedStore, type WatchedStore } from "./watched-store.js";

const none = { undo: "none" } as const;
const paying = scripted([
  action("reserve"),
  action("pay", ["reserve"], { ...none, pivot: true }),
  action("ship", ["pay"], { ...none, onFailure: "pause" }),
]);

interface Opened {
  readonly coordinator: Coordinator;
  readonly told: PausedRun[];
  readonly said: [string, string, LogFields][];
}

async function open(store: WatchedStore, script: Script): Promise<Opened> {
  const told: PausedRun[] = [];
  const said: [string, string, LogFields][] = [];
  const logger = {
    info: (message: string, fields: LogFields) => void said.push(["info", message, fields]),
    warn: (message: string, fields: LogFields) => void said.push(["warn", message, fields]),
    error: (message: string, fields: LogFields) => void said.push(["error", message, fields]),
  };
  const onPaused = (run: PausedRun): void => void told.push(run);
  const sagas = [paying.on(script)];
  const coordinator = await Coordinator.open({ store, sagas, logger, onPaused });
  return { coordinator, told, said };
}

const failing = (at: string): Script =>
  scriptOf((node) => {
    if (node === at) throw new Error(`no ${at} today`);
    return node;
  });

test("a failure that pauses is told once it is durable, and again by the next coordinator", async () => {
  const store = watchedStore();
  const first = await open(store, failing("ship"));
  const run = await first.coordinator.start(paying, 1, { id: "r" });
  await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck", node: "ship" });
  expect(await run.status()).toMatchObject({ status: "stuck", reason: "action-failed" });
  expect(first.told).toMatchObject([
    { id: "r", saga: "Test.saga", reason: "action-failed", node: "ship", recovered: false },
  ]);
  expect(first.told[0]?.error?.message).toBe("no ship today");
  expect(first.said.map(([level]) => level)).toEqual(["info", "error"]);
  expect(first.said[1]?.[2]).toMatchObject({ run: "r", node: "ship", reason: "action-failed" });
  await first.coordinator.close();

  const next = await open(store, failing("nothing"));
  expect(next.told).toMatchObject([{ id: "r", node: "ship", recovered: true }]);
  await (await next.coordinator.run("r"))?.retry("ship", "the carrier is back");
  await next.coordinator.drain();
  expect((await store.reader().then((reader) => reader.run("r")))?.status).toBe("succeeded");
  await next.coordinator.close();
});

test("behind the pivot a run goes forward only: no unwinding, no settling without an output", async () => {
  const store = watchedStore();
  const { coordinator } = await open(store, failing("ship"));
  const run = await coordinator.start(paying, 1, { id: "r" });
  await coordinator.drain();
  const passed = { code: "pivot-passed", message: expect.stringContaining("`pay`") };
  await expect(run.unwind()).rejects.toMatchObject(passed);
  await expect(run.settle("ship", "lost")).rejects.toMatchObject(passed);
  await expect(run.settle("ship", "", { output: 1 })).rejects.toMatchObject({
    code: "reason-missing",
  });
  await run.settle("ship", "shipped by hand", { output: { parcel: 7 } });
  expect(await run.result()).toBe(1);
  const events = await (await store.reader()).events("r");
  expect(events.at(-2)).toMatchObject({
    type: "output-settled",
    node: "ship",
    value: '{"reason":"shipped by hand","output":{"parcel":7}}',
  });
  await coordinator.close();
});

test("before the pivot a failure undoes, and so does a pivot that fails", async () => {
  for (const at of ["reserve", "pay"]) {
    const { coordinator, told } = await open(watchedStore(), failing(at));
    const run = await coordinator.start(paying, 1);
    await expect(run.result()).rejects.toMatchObject({ code: "saga-failed", node: at });
    expect(told).toEqual([]);
    await coordinator.close();
  }
});

test("an action that is retried for ever outlives any number of failures, with pauses that are numbers", async () => {
  const retry = {
    attempts: "forever",
    delayMs: 0,
    factor: 10,
    maxDelayMs: 5,
    jitter: true,
  } as const;
  const saga = scripted([action("a", [], { retry })]);
  let attempts = 0;
  const body = scriptOf(() => {
    attempts += 1;
    if (attempts < 400) throw new Error("not yet");
  });
  const store = watchedStore();
  const coordinator = await Coordinator.open({ store, sagas: [saga.on(body)] });
  expect(await (await coordinator.start(saga, 2)).result()).toBe(2);
  expect(attempts).toBe(400);
  await coordinator.close();
});

test("a hook or a logger that throws harms nothing", async () => {
  const store = watchedStore();
  const said: string[] = [];
  const coordinator = await Coordinator.open({
    store,
    sagas: [paying.on(failing("ship"))],
    // As pino does: the fields come first.
    logger: Object.assign(
      {
        warn: (fields: unknown, message?: unknown) => void said.push(`${String(message)}`),
        error: () => {
          throw new Error("disk full");
        },
      },
      { bindings: () => ({}) },
    ),
    onPaused: () => Promise.reject(new Error("no pager")),
  });
  await coordinator.start(paying, 1, { id: "r" });
  await coordinator.drain();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(said).toEqual(["onPaused failed for run `r`: Error: no pager"]);
  await coordinator.close();
});
