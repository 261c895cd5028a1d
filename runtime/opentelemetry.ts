/**
 * `steno-runtime/opentelemetry`: traces and metrics of runs, as an observer. It is an entry of its own,
 * so that nothing else needs `@opentelemetry/api`. A run is a trace, whose id is made of the run's
 * nonce: whichever process goes on with it after a crash adds to the same trace.
 */
import {
  type Attributes,
  context,
  metrics,
  type Meter,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { createHash } from "node:crypto";
import type { LoggedEvent } from "./events.js";
import type { ObservedCall, ObservedRun, Observer } from "./observing.js";
import { reviveError } from "./recorded-error.js";

export interface OpenTelemetryOptions {
  /** Default: those of the global providers. */
  readonly tracer?: Tracer;
  readonly meter?: Meter;
  /** Whether the trace of a run is sampled, if your sampler asks the parent. Default: always. */
  readonly sampled?: (run: ObservedRun) => boolean;
}

const NAME = "steno-runtime";

/**
 * An observer for `Coordinator.open({ observers: [openTelemetry()] })`. A span for each attempt of an
 * action or undo, which is active in its body, and one for each run when it is finished. Metrics:
 * `steno.run.started`, `steno.run.duration` and `steno.attempt.duration` (seconds).
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Observer {
  return new OpenTelemetry(options);
}

class OpenTelemetry implements Observer {
  readonly #tracer: Tracer;
  readonly #sampled: (run: ObservedRun) => boolean;
  /** Of the attempts that run. */
  readonly #spans = new Map<
    string,
    { readonly span: Span; readonly attributes: Attributes; readonly at: number }
  >();
  readonly #started;
  readonly #runs;
  readonly #attempts;

  constructor({ tracer, meter, sampled = () => true }: OpenTelemetryOptions) {
    this.#tracer = tracer ?? trace.getTracer(NAME);
    this.#sampled = sampled;
    const from = meter ?? metrics.getMeter(NAME);
    this.#started = from.createCounter("steno.run.started", { description: "Runs started" });
    this.#runs = from.createHistogram("steno.run.duration", {
      unit: "s",
      description: "From start to end, of runs that are finished",
    });
    this.#attempts = from.createHistogram("steno.attempt.duration", {
      unit: "s",
      description: "Of attempts of actions and undos",
    });
  }

  call<T>(what: ObservedCall, body: () => T): T {
    const { run, node, attempt, undo, method } = what;
    const attributes = {
      "steno.saga.name": run.saga,
      "steno.node": node,
      "steno.undo": undo,
      "code.function.name": method,
    };
    const span = this.#tracer.startSpan(
      method,
      {
        kind: SpanKind.INTERNAL,
        attributes: { ...attributes, "steno.saga.id": run.id, "steno.attempt": attempt },
      },
      this.#parent(run),
    );
    const { "steno.node": _, ...measured } = attributes;
    this.#spans.set(keyOf(run, node, undo, attempt), {
      span,
      attributes: measured,
      at: Date.now(),
    });
    return context.with(trace.setSpan(context.active(), span), body);
  }

  durable(run: ObservedRun, events: readonly LoggedEvent[]): void {
    for (const event of events) {
      if (event.type === "created") this.#started.add(1, { "steno.saga.name": run.saga });
      const undo = ENDS.get(event.type);
      if (undo === undefined || !("attempt" in event)) continue;
      this.#end(keyOf(run, event.node, undo, event.attempt), event);
    }
    const last = events.at(-1);
    if (run.finished !== undefined && last !== undefined) this.#finish(run, run.finished, last.at);
  }

  #end(key: string, event: LoggedEvent): void {
    const found = this.#spans.get(key);
    if (found === undefined) return;
    this.#spans.delete(key);
    const { span, attributes, at } = found;
    const outcome = { "steno.outcome": event.type };
    span.setAttributes(outcome);
    const failed = !FINE.has(event.type);
    let errorType = {};
    if (failed && "value" in event && event.value !== undefined) {
      const error = reviveError(event.value);
      errorType = { "error.type": error.name };
      span.recordException(error);
      span.setAttributes(errorType);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span.end();
    this.#attempts.record((Date.now() - at) / 1000, { ...attributes, ...outcome, ...errorType });
  }

  #finish(run: ObservedRun, finished: "succeeded" | "undone", at: number): void {
    const attributes = { "steno.saga.name": run.saga, "steno.outcome": finished };
    const span = this.#tracer.startSpan(
      run.saga,
      {
        startTime: run.createdAt,
        attributes: { ...attributes, "steno.saga.id": run.id },
      },
      this.#parent(run),
    );
    if (finished === "undone") span.setStatus({ code: SpanStatusCode.ERROR, message: "undone" });
    span.end(at);
    this.#runs.record((at - run.createdAt) / 1000, attributes);
  }

  /** The same in each process that has the run: nothing of it has to be kept. */
  #parent(run: ObservedRun) {
    const hash = createHash("sha256").update(`steno ${run.nonce}`).digest("hex");
    return trace.setSpanContext(context.active(), {
      traceId: hash.slice(0, 32),
      spanId: hash.slice(32, 48),
      traceFlags: this.#sampled(run) ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    });
  }
}

/** The events that end an attempt, and whether it is one of an undo. */
const ENDS: ReadonlyMap<LoggedEvent["type"], boolean> = new Map([
  ...(["succeeded", "failed", "failure-held", "attempt-failed", "in-doubt"] as const).map(
    (type) => [type, false] as const,
  ),
  ...(["undone", "undo-failed", "undo-attempt-failed"] as const).map(
    (type) => [type, true] as const,
  ),
]);
const FINE: ReadonlySet<LoggedEvent["type"]> = new Set(["succeeded", "undone"]);

function keyOf({ id }: ObservedRun, node: string, undo: boolean, attempt: number): string {
  return JSON.stringify([id, node, undo, attempt]);
}
