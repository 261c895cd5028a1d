/** Traces and metrics with the real SDK: what is exported for runs, their attempts, and after a crash. */
import { context, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";
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
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { readdirSync, readFileSync } from "node:fs";
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

/** One line for each span, with its outcome, below what it is in; in the order of their starts. */
function treeOf(spans: readonly ReadableSpan[]): string[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const lines: string[] = [];
  const list = (parent: string | undefined, indent: string): void => {
    const inside = spans.filter(({ parentSpanContext }) => {
      const id = parentSpanContext?.spanId ?? "";
      return parent === undefined ? !ids.has(id) : id === parent;
    });
    // Undos last: they may begin in the millisecond of what they undo.
    const undo = ({ attributes }: ReadableSpan): number => Number(attributes["steno.undo"] ?? 0);
    inside.sort(
      (a, b) =>
        undo(a) - undo(b) || a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1],
    );
    for (const span of inside) {
      const outcome = span.attributes["steno.outcome"];
      lines.push(`${indent}${span.name}${outcome === undefined ? "" : ` ${String(outcome)}`}`);
      list(span.spanContext().spanId, `${indent}  `);
    }
  };
  list(undefined, "");
  return lines;
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
  expect(treeOf(spans)).toEqual([
    "Test.saga succeeded",
    "  action a done",
    "    act succeeded",
    "      query a",
    "  action b done",
    "    act attempt-failed",
    "      query b",
    "    act succeeded",
    "      query b",
  ]);
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

const nested = scripted([
  { name: "total", kind: "compute", after: [] },
  {
    name: "sub",
    kind: "subsaga",
    saga: "S.s",
    graph: { nodes: [action("x"), { name: "rest", kind: "sleep", after: ["x"] }] },
    after: ["total"],
  },
  {
    name: "try",
    kind: "scope",
    graph: { nodes: [action("y"), action("z", ["y"])] },
    handler: { nodes: [] },
    after: ["sub"],
  },
  { name: "all", kind: "loop", graph: { nodes: [action("each")] }, after: ["try"] },
  action("last", ["all"]),
]);

/** `z` fails, which is caught, and so does `last`; and the first attempt of an undo. */
function mishaps(): Script {
  let undos = 0;
  const act = (node: string): string => {
    if (node === "try/z" || node === "last") throw new RangeError(`no ${node}`);
    return node;
  };
  return scriptOf(act, (_, node) => {
    if (node === "try/y" && (undos += 1) === 1) throw new Error("not yet");
  });
}

const wholeTree = [
  "Test.saga undone",
  "  compute total undone",
  "  subsaga sub undone",
  "    action x undone",
  "      act succeeded",
  "    sleep rest undone",
  "    undo x undone",
  "      undo undone",
  "  scope try undone",
  "    action y undone",
  "      act succeeded",
  "    action z failed",
  "      act failed",
  "    undo y undone",
  "      undo undo-attempt-failed",
  "      undo undone",
  "  loop all undone",
  "    action each undone",
  "      act succeeded",
  "    action each undone",
  "      act succeeded",
  "    undo each undone",
  "      undo undone",
  "    undo each undone",
  "      undo undone",
  "  action last failed",
  "    act failed",
];

const opened = (store: WatchedStore, script: Script, tracer: Tracer, shortWaitMs?: number) =>
  Coordinator.open({
    store,
    sagas: [nested.on(script)],
    observers: [openTelemetry({ tracer })],
    logger: { warn: () => undefined },
    ...(shortWaitMs !== undefined && { shortWaitMs }),
  });

test("each node that runs is a span, within what holds it, and so is each undo", async () => {
  const { exporter, tracer } = telemetry();
  const coordinator = await opened(watchedStore(), mishaps(), tracer);
  const run = await coordinator.start(nested, 1, { id: "r" });
  await run.result().catch(() => undefined);
  await coordinator.close();
  const spans = exporter.getFinishedSpans();
  expect(treeOf(spans)).toEqual(wholeTree);
  expect(spans.find(({ name }) => name === "action z")).toMatchObject({
    attributes: {
      "steno.saga.id": "r",
      "steno.node": "try/z",
      "steno.node.kind": "action",
      "steno.attempts": 1,
      "code.function.name": "act",
      "error.type": "RangeError",
    },
    status: { code: SpanStatusCode.ERROR, message: "no try/z" },
  });
  const each = spans.filter(({ name }) => name === "action each");
  expect(each.map(({ attributes }) => attributes["steno.node"])).toEqual([
    "all[0]/each",
    "all[1]/each",
  ]);
});

test("over a long wait, and a crash, each node is one span of the trace all the same", async () => {
  const nodesOf = (lines: readonly string[]): string[] =>
    lines.filter((line) => !/^ *(act|undo) [a-z-]+$/.test(line)).sort();
  const { exporter, tracer } = telemetry();
  // It leaves memory while it sleeps.
  const coordinator = await opened(watchedStore(), mishaps(), tracer, 0);
  const run = await coordinator.start(nested, 1, { id: "r" });
  await run.result().catch(() => undefined);
  await coordinator.close();
  const waited = exporter.getFinishedSpans();
  expect(nodesOf(treeOf(waited))).toEqual(nodesOf(wholeTree));

  const [first, second] = [telemetry(), telemetry()];
  const store = watchedStore();
  let reached = false;
  const script = mishaps();
  const hanging = scriptOf((node) => {
    if (node !== "try/y") return script.act(node);
    reached = true;
    return new Promise(() => undefined);
  });
  const dead = await opened(store, hanging, first.tracer);
  await dead.start(nested, 1, { id: "r" });
  await until(() => reached);
  await store.kill();
  const next = await opened(store, script, second.tracer);
  await next.drain();
  await next.close();
  const all = [...first.exporter.getFinishedSpans(), ...second.exporter.getFinishedSpans()];
  expect(nodesOf(treeOf(all))).toEqual(nodesOf(wholeTree));
  expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
  const sub = all.find(({ name }) => name === "subsaga sub");
  const whole = all.find(({ name }) => name === "Test.saga");
  expect(sub?.parentSpanContext?.spanId).toBe(whole?.spanContext().spanId);
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
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/^(dist|node_modules)\b/.test(file),
  );
  const needing = files.filter((file) =>
    readFileSync(join(folder, file), "utf8").includes('from "@opentelemetry'),
  );
  expect(needing.sort()).toEqual(["observing/opentelemetry-spans.ts", "opentelemetry.ts"]);
  expect(readFileSync(join(folder, "index.ts"), "utf8")).not.toContain("opentelemetry.js");
  expect(trace.getActiveSpan()).toBeUndefined();
});
