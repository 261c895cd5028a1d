/** Traces and metrics with the real SDK: what is exported for runs, their attempts, and after a crash. */
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Coordinator, type Observer } from "steno-runtime";
import { openTelemetry } from "steno-runtime/opentelemetry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { until, watchedStore, type WatchedStore } from "./watched-store.js";

beforeAll(
  () => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()),
);
afterAll(() => context.disable());

const retry = { attempts: 2, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: false };
const chain = scripted([action("a"), action("b", ["a"], { retry })]);

function telemetry() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: measured });
  const meters = new MeterProvider({ readers: [reader] });
  const tracer = provider.getTracer("test");
  return { exporter, tracer, measured, reader, meter: meters.getMeter("test") };
}

const open = (store: WatchedStore, script: Script, observers: readonly Observer[]) =>
  Coordinator.open({
    store,
    sagas: [chain.on(script)],
    observers,
    logger: { warn: () => undefined },
  });

test("a run is a trace, an attempt a span that is active in its body, and both are measured", async () => {
  const { exporter, tracer, measured, reader, meter } = telemetry();
  let failed = false;
  const body = scriptOf(async (node) => {
    await Promise.resolve();
    // What the body itself traces is inside.
    tracer.startSpan(`query ${node}`).end();
    if (node === "b" && !failed) {
      failed = true;
      throw new TypeError("not yet");
    }
  });
  const coordinator = await open(watchedStore(), body, [openTelemetry({ tracer, meter })]);
  const run = await coordinator.start(chain, 1, { id: "r" });
  await run.result();
  await coordinator.close();
  const spans = exporter.getFinishedSpans();
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  expect(spans.map(({ name }) => name).sort()).toEqual(
    ["Test.saga", "act", "act", "act", "query a", "query b", "query b"].sort(),
  );
  const attempts = spans.filter(({ name }) => name === "act");
  expect(attempts.map(({ attributes }) => attributes)).toMatchObject([
    { "steno.saga.id": "r", "steno.node": "a", "steno.attempt": 1, "steno.outcome": "succeeded" },
    {
      "steno.node": "b",
      "steno.attempt": 1,
      "steno.outcome": "attempt-failed",
      "error.type": "TypeError",
    },
    { "steno.node": "b", "steno.attempt": 2, "steno.undo": false, "code.function.name": "act" },
  ]);
  expect(attempts[1]?.status).toEqual({ code: SpanStatusCode.ERROR, message: "not yet" });
  expect(attempts[1]?.events[0]?.attributes).toMatchObject({ "exception.type": "TypeError" });
  const inner = spans.find(({ name }) => name === "query a");
  expect(inner?.parentSpanContext?.spanId).toBe(attempts[0]?.spanContext().spanId);
  await reader.forceFlush();
  const metrics = measured
    .getMetrics()
    .flatMap((each) => each.scopeMetrics.flatMap((of) => of.metrics));
  const points = Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.length]),
  );
  // Attempts that succeeded, and those that failed.
  expect(points).toEqual({
    "steno.run.started": 1,
    "steno.run.duration": 1,
    "steno.attempt.duration": 2,
  });
});

test("what lasts without a body has spans when the run is finished, within each other; who is stuck is counted", async () => {
  const { exporter, tracer, measured, reader, meter } = telemetry();
  const inner = [action("x"), { name: "rest", kind: "sleep", after: ["x"] } as const];
  const saga = scripted([
    { name: "sub", kind: "subsaga", saga: "S.s", graph: { nodes: inner }, after: [] },
    action("last", ["sub"], { onFailure: "pause" }),
  ]);
  let fails = true;
  const body = scriptOf((node) => {
    if (node === "last" && fails) throw new Error("no");
    return node;
  });
  const coordinator = await Coordinator.open({
    store: watchedStore(),
    sagas: [saga.on(body)],
    observers: [openTelemetry({ tracer, meter })],
    logger: { warn: () => undefined },
  });
  const run = await coordinator.start(saga, 1, { id: "r" });
  await run.result().catch(() => undefined);
  fails = false;
  await run.retry("last");
  await run.result();
  await coordinator.close();
  const spans = exporter.getFinishedSpans();
  const sub = spans.find(({ name }) => name === "subsaga sub");
  const sleep = spans.find(({ name }) => name === "sleep rest");
  expect(sub?.attributes).toMatchObject({ "steno.node": "sub", "steno.outcome": "done" });
  expect(sleep?.attributes["steno.node"]).toBe("sub/rest");
  expect(sleep?.parentSpanContext?.spanId).toBe(sub?.spanContext().spanId);
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1000 + nanos / 1e6;
  expect(ms(sleep?.duration ?? [0, 0])).toBeGreaterThanOrEqual(19);
  expect(ms(sub?.duration ?? [0, 0])).toBeGreaterThanOrEqual(ms(sleep?.duration ?? [0, 0]));
  await reader.forceFlush();
  const stuck = measured
    .getMetrics()
    .flatMap((each) => each.scopeMetrics.flatMap((of) => of.metrics))
    .find(({ descriptor }) => descriptor.name === "steno.run.stuck");
  expect(stuck?.dataPoints).toMatchObject([
    { value: 1, attributes: { "steno.saga.name": "Test.saga", "steno.reason": "action-failed" } },
  ]);
});

test("the process that goes on after a crash adds to the same trace; a failed run says so", async () => {
  const [first, second] = [telemetry(), telemetry()];
  const store = watchedStore();
  let reached = false;
  const hanging = scriptOf((node) => {
    if (node === "a") return 1;
    reached = true;
    return new Promise(() => undefined);
  });
  const before = await open(store, hanging, [openTelemetry(first)]);
  await before.start(chain, 1, { id: "r" });
  await until(() => reached);
  await store.kill();
  const failing = scriptOf(() => {
    throw new Error("no");
  });
  const next = await open(store, failing, [openTelemetry(second)]);
  await next.drain();
  await next.close();
  const [done] = first.exporter.getFinishedSpans();
  const spans = second.exporter.getFinishedSpans();
  const traces = [done, ...spans].map((span) => span?.spanContext().traceId);
  expect(new Set(traces).size).toBe(1);
  const whole = spans.find(({ name }) => name === "Test.saga");
  expect(whole?.attributes["steno.outcome"]).toBe("undone");
  expect(whole?.status.code).toBe(SpanStatusCode.ERROR);
  // It began in the other process.
  expect(whole?.startTime[0]).toBeLessThanOrEqual(done?.startTime[0] ?? 0);
  expect(spans.some(({ attributes }) => attributes["steno.undo"] === true)).toBe(true);
});

test("an observer that throws changes nothing, and calls no body twice", async () => {
  let calls = 0;
  const bad: Observer = {
    durable: () => {
      throw new Error("bad");
    },
    call: (_, body) => {
      body();
      throw new Error("bad");
    },
  };
  const body = scriptOf(() => (calls += 1));
  const coordinator = await open(watchedStore(), body, [bad, {}]);
  expect(await (await coordinator.start(chain, 4)).result()).toBe(4);
  expect(calls).toBe(2);
  await coordinator.close();
});

test("nothing but its own entry needs the package", () => {
  const folder = join(import.meta.dirname, "../../runtime");
  const index = readFileSync(join(folder, "index.ts"), "utf8");
  expect(index).not.toContain("opentelemetry.js");
  expect(readFileSync(join(folder, "observing.ts"), "utf8")).not.toContain('from "@opentelemetry');
  expect(trace.getActiveSpan()).toBeUndefined();
});
