/**
 * `steno-runtime/opentelemetry`: traces and metrics of runs, as an observer. It is an entry of its own,
 * so that nothing else needs `@opentelemetry/api`. A run is a trace, whose id is made of the run's
 * nonce: whichever process goes on with it after a crash adds to the same trace.
 */
import {
  type Attributes,
  type Context,
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
import type { NodeStatus } from "./history.js";
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
 * action or undo, which is active in its body; and when the run is finished, one for it, and for each
 * node that lasts without a body of its own: sleeps, events, spawns, subsagas, lists and `try`s, as
 * they are within each other. Metrics: `steno.run.started`, `steno.run.stuck` (how often an operator
 * was needed, also when a coordinator takes such a run over), `steno.run.duration` and
 * `steno.attempt.duration` (seconds).
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
  readonly #stuck;
  readonly #runs;
  readonly #attempts;

  constructor({ tracer, meter, sampled = () => true }: OpenTelemetryOptions) {
    this.#tracer = tracer ?? trace.getTracer(NAME);
    this.#sampled = sampled;
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

  stuck(run: ObservedRun, reason: string): void {
    this.#stuck.add(1, { "steno.saga.name": run.saga, "steno.reason": reason });
  }

  finished(run: ObservedRun, nodes: readonly NodeStatus[]): void {
    const open = [{ nodes, parent: this.#parent(run) }];
    // A list and not a recursion: nesting may be deeper than the stack.
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const node of next.nodes) {
        const { nodes: inside = [], handler = [] } = node;
        const parent = this.#node(run, node, next.parent) ?? next.parent;
        if (inside.length + handler.length > 0)
          open.push({ nodes: [...inside, ...handler], parent });
      }
    }
  }

  /** The span of a node that lasted without a body; gives the context of what is inside. */
  #node(run: ObservedRun, node: NodeStatus, parent: Context): Context | undefined {
    const { kind, name, path, state } = node;
    const times = LASTING.has(kind) ? timesOf(node) : undefined;
    if (times === undefined) return undefined;
    const span = this.#tracer.startSpan(
      `${kind} ${name}`,
      {
        startTime: times.from,
        attributes: {
          ...{ "steno.saga.name": run.saga, "steno.saga.id": run.id, "steno.node": path },
          ...{ "steno.node.kind": kind, "steno.outcome": state },
        },
      },
      parent,
    );
    if (state === "failed") {
      span.setStatus({ code: SpanStatusCode.ERROR, message: node.error?.message ?? "failed" });
    }
    span.end(times.to);
    return trace.setSpan(parent, span);
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

const LASTING: ReadonlySet<NodeStatus["kind"]> = new Set([
  ...(["sleep", "event", "spawn", "subsaga", "map", "loop", "scope"] as const),
]);

/** From the first to the last that is known of a node and of what is inside; a `try` has none of its own. */
function timesOf(node: NodeStatus): { readonly from: number; readonly to: number } | undefined {
  let [from, to] = [Infinity, -Infinity];
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const at of [next.startedAt, next.endedAt, next.undoneAt]) {
      if (at === undefined) continue;
      from = Math.min(from, at);
      to = Math.max(to, at);
    }
    // What has both is not looked into.
    if (next.startedAt !== undefined && next.endedAt !== undefined) continue;
    open.push(...(next.nodes ?? []), ...(next.handler ?? []));
  }
  return from <= to ? { from, to } : undefined;
}

function keyOf({ id }: ObservedRun, node: string, undo: boolean, attempt: number): string {
  return JSON.stringify([id, node, undo, attempt]);
}
