/**
 * `steno-runtime/opentelemetry`: traces and metrics of runs, as an observer. It is an entry of its own,
 * so that nothing else needs `@opentelemetry/api`. What is a span within what, and when it is made, is
 * in `opentelemetry-spans.ts`; here are the attempts, and what is measured.
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
  type Tracer,
} from "@opentelemetry/api";
import type { LoggedEvent } from "./events.js";
import type { ObservedCall, ObservedRun, Observer } from "./observing/observing.js";
import type { NodeStatus } from "./reading/history.js";
import { RunSpans } from "./observing/opentelemetry-spans.js";
import { reviveError } from "./codec/recorded-error.js";

export interface OpenTelemetryOptions {
  /** Default: those of the global providers. */
  readonly tracer?: Tracer;
  readonly meter?: Meter;
  /** Whether the trace of a run is sampled, if your sampler asks the parent. Default: always. */
  readonly sampled?: (run: ObservedRun) => boolean;
}

const NAME = "steno-runtime";

/**
 * An observer for `Coordinator.open({ observers: [openTelemetry()] })`. A run is a trace, and a span
 * in it; so is each node that ran (`action payment`, `compute total`, `sleep rest`, …), as they are
 * within each other, and each undo (`undo payment`): exported when the run is finished, with the times
 * of its log. Each attempt of an action or undo is a span, active in its body, within that of its
 * node, and exported when it ends; one of an earlier process, or from before a long wait, is in the
 * same trace, and no more within its node. Metrics: `steno.run.started`, `steno.run.stuck` (how often an operator
 * was needed, also when a coordinator takes such a run over), `steno.run.duration` and
 * `steno.attempt.duration` (seconds).
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Observer {
  return new OpenTelemetry(options);
}

class OpenTelemetry implements Observer {
  readonly #tracer: Tracer;
  readonly #runSpans: RunSpans;
  /** Of the attempts that run. */
  readonly #spans = new Map<
    string,
    { readonly span: Span; readonly attributes: Attributes; readonly at: number }
  >();
  readonly #started;
  readonly #stuck;
  readonly #runs;
  readonly #attempts;

  constructor({ tracer, meter, sampled = () => true }: OpenTelemetryOptions) {
    this.#tracer = tracer ?? trace.getTracer(NAME);
    this.#runSpans = new RunSpans(this.#tracer, sampled);
    const from = meter ?? metrics.getMeter(NAME);
    this.#started = from.createCounter("steno.run.started", { description: "Runs started" });
    this.#stuck = from.createCounter("steno.run.stuck", {
      description: "Runs that came to need an operator",
    });
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
      this.#runSpans.parentOfAttempt(run, node, undo),
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
    this.#runSpans.durable(run, events);
    for (const event of events) {
      if (event.type === "created") this.#started.add(1, { "steno.saga.name": run.saga });
      const undo = ENDS.get(event.type);
      if (undo === undefined || !("attempt" in event)) continue;
      this.#end(keyOf(run, event.node, undo, event.attempt), event);
    }
    const last = events.at(-1);
    if (run.finished !== undefined && last !== undefined) this.#finish(run, run.finished, last.at);
  }

  stuck(run: ObservedRun, reason: string): void {
    this.#stuck.add(1, { "steno.saga.name": run.saga, "steno.reason": reason });
  }

  finished(run: ObservedRun, nodes: readonly NodeStatus[]): void {
    this.#runSpans.finished(run, nodes);
  }

  left(run: ObservedRun): void {
    this.#runSpans.left(run);
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
    this.#runs.record((at - run.createdAt) / 1000, attributes);
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
