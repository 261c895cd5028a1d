/**
 * The spans of a run and of its nodes. The id of the trace is made of the run's nonce, so that
 * whichever process goes on with it after a crash adds to the same trace.
 *
 * Spans of nodes are exported when the run is finished, since only its log knows how long they were
 * over crashes and long waits, and so that none is exported twice. As long as this process has seen
 * the run from its beginning, and keeps it in memory, they are begun when the nodes are, so that
 * attempts are within them; else the log makes them, and attempts are directly within the run.
 */
import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { createHash } from "node:crypto";
import type { LoggedEvent } from "../events.js";
import type { NodeStatus } from "../reading/history.js";
import type { ObservedRun } from "./observing.js";

/** Of a run in memory. */
interface Begun {
  readonly span: Span;
  readonly context: Context;
  /** Whether its nodes were seen from the first on. */
  readonly whole: boolean;
  endedAt: number;
  /** By their paths; undos have a key of their own. */
  readonly nodes: Map<string, { readonly span: Span; readonly context: Context }>;
}

export class RunSpans {
  readonly #tracer: Tracer;
  readonly #sampled: (run: ObservedRun) => boolean;
  /** By the nonce of the run, since an id may be used again. */
  readonly #runs = new Map<string, Begun>();

  constructor(tracer: Tracer, sampled: (run: ObservedRun) => boolean) {
    this.#tracer = tracer;
    this.#sampled = sampled;
  }

  durable(run: ObservedRun, events: readonly LoggedEvent[]): void {
    for (const event of events) {
      if (event.type === "created") this.#begin(run, true);
      else if ("node" in event && event.node !== "" && BEGINNINGS.has(event.type)) {
        const begun = this.#runs.get(run.nonce);
        if (begun?.whole !== true) return;
        const undo = event.type === "undo-started";
        // What has nothing inside is made when the run is finished.
        const holds = undo || event.type === "started" || event.type === "expanded";
        if (holds) this.#node(begun, run, event.node, undo, event.at);
        else this.#around(begun, run, event.node, event.at);
      }
    }
    const last = events.at(-1);
    if (run.finished !== undefined && last !== undefined) this.#of(run).endedAt = last.at;
  }

  /** The context that an attempt at a node is in. */
  parentOfAttempt(run: ObservedRun, node: string, undo: boolean): Context {
    const begun = this.#of(run);
    return begun.nodes.get(keyOf(node, undo))?.context ?? begun.context;
  }

  /** The run is not in memory any more: what was begun is made anew when it is finished. */
  left({ nonce }: ObservedRun): void {
    this.#runs.delete(nonce);
  }

  finished(run: ObservedRun, nodes: readonly NodeStatus[]): void {
    const begun = this.#of(run);
    this.#runs.delete(run.nonce);
    const times = timesOf(nodes);
    const open = nodes.map((node) => ({ node, around: begun.context }));
    // A list and not a recursion: nesting may be deeper than the stack.
    for (let next = 0; next < open.length; next++) {
      const { node, around } = open[next] as (typeof open)[number];
      const ran = times.get(node);
      if (ran === undefined) continue;
      const parent = node.kind === "item" ? around : this.#endNode(begun, run, node, ran, around);
      for (const inner of insideOf(node)) open.push({ node: inner, around: parent });
    }
    const { span, endedAt } = begun;
    span.setAttributes({ "steno.outcome": run.finished ?? "" });
    if (run.finished === "undone") {
      span.setStatus({ code: SpanStatusCode.ERROR, message: "undone" });
    }
    span.end(endedAt);
  }

  #of(run: ObservedRun): Begun {
    return this.#runs.get(run.nonce) ?? this.#begin(run, false);
  }

  #begin(run: ObservedRun, whole: boolean): Begun {
    const parent = this.#root(run);
    const attributes = attributesOf(run);
    const span = this.#tracer.startSpan(run.saga, { startTime: run.createdAt, attributes }, parent);
    const inside = trace.setSpan(parent, span);
    const begun = { span, context: inside, whole, endedAt: run.createdAt, nodes: new Map() };
    this.#runs.set(run.nonce, begun);
    return begun;
  }

  /** Begins the span of a node, and of what is around it. */
  #node(begun: Begun, run: ObservedRun, path: string, undo: boolean, at: number): Context {
    const key = keyOf(path, undo);
    const known = begun.nodes.get(key);
    if (known !== undefined) return known.context;
    const parent = this.#around(begun, run, path, at);
    const span = this.#startNode(
      run,
      path,
      undo ? `undo ${nameOf(path)}` : nameOf(path),
      at,
      parent,
    );
    const inside = trace.setSpan(parent, span);
    begun.nodes.set(key, { span, context: inside });
    return inside;
  }

  #around(begun: Begun, run: ObservedRun, path: string, at: number): Context {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return begun.context;
    // An item is no node: what is in it is in its list.
    const holder = path.slice(0, slash).replace(/\[[^\]/]*\]$/, "");
    return this.#node(begun, run, holder, false, at);
  }

  #startNode(run: ObservedRun, path: string, name: string, at: number, parent: Context): Span {
    const attributes = { ...attributesOf(run), "steno.node": path };
    return this.#tracer.startSpan(name, { startTime: at, attributes }, parent);
  }

  /** Ends the span of a node that is begun, or makes it; and that of its undo. Gives its context. */
  #endNode(
    begun: Begun,
    run: ObservedRun,
    node: NodeStatus,
    { from, to }: Times,
    parent: Context,
  ): Context {
    const { kind, name, path, state, attempts, error } = node;
    const { span, context: inside } = this.#take(
      begun,
      run,
      keyOf(path, false),
      node,
      from,
      parent,
    );
    span.updateName(`${kind} ${name}`);
    span.setAttributes({
      ...{ "steno.node.kind": kind, "steno.outcome": state, "steno.attempts": attempts },
      ...(kind === "action" && { "code.function.name": node.label }),
    });
    if (FAILED.has(state)) {
      if (error !== undefined) span.setAttributes({ "error.type": error.name });
      span.setStatus({ code: SpanStatusCode.ERROR, message: error?.message ?? state });
    }
    span.end(to);
    this.#endUndo(begun, run, node, parent);
    return inside;
  }

  #endUndo(begun: Begun, run: ObservedRun, node: NodeStatus, parent: Context): void {
    const { undoStartedAt: from, undoneAt, path, name, state, undoAttempts } = node;
    if (from === undefined) return;
    const { span } = this.#take(begun, run, keyOf(path, true), node, from, parent);
    span.updateName(`undo ${name}`);
    const outcome = { "steno.outcome": state, "steno.attempts": undoAttempts };
    span.setAttributes({ "steno.node.kind": node.kind, "steno.undo": true, ...outcome });
    span.end(undoneAt ?? from);
  }

  #take(
    begun: Begun,
    run: ObservedRun,
    key: string,
    { path, name }: NodeStatus,
    from: number,
    parent: Context,
  ): { readonly span: Span; readonly context: Context } {
    const known = begun.nodes.get(key);
    if (known !== undefined) return known;
    const span = this.#startNode(run, path, name, from, parent);
    return { span, context: trace.setSpan(parent, span) };
  }

  /** What the trace begins with: the same in each process that has the run, and never exported. */
  #root(run: ObservedRun): Context {
    const hash = createHash("sha256").update(`steno ${run.nonce}`).digest("hex");
    return trace.setSpanContext(context.active(), {
      traceId: hash.slice(0, 32),
      spanId: hash.slice(32, 48),
      traceFlags: this.#sampled(run) ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    });
  }
}

/** Events with which something begins that is a span, or is inside of one that has no events. */
const BEGINNINGS: ReadonlySet<LoggedEvent["type"]> = new Set([
  ...(["started", "expanded", "undo-started"] as const),
  ...(["timer-set", "decided", "succeeded", "failed", "failure-held"] as const),
]);

const FAILED: ReadonlySet<NodeStatus["state"]> = new Set(["failed", "undo-failed"]);

function attributesOf({ saga, id }: ObservedRun): Attributes {
  return { "steno.saga.name": saga, "steno.saga.id": id };
}

function keyOf(path: string, undo: boolean): string {
  return undo ? `undo ${path}` : path;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function insideOf({ nodes = [], handler = [] }: NodeStatus): readonly NodeStatus[] {
  return [...nodes, ...handler];
}

interface Times {
  readonly from: number;
  readonly to: number;
}

/**
 * When nodes ran, of those that did. Of what holds others, from the first to the last that is known
 * of it and of them, their undos included; a `try` and an item have no times of their own.
 */
function timesOf(nodes: readonly NodeStatus[]): ReadonlyMap<NodeStatus, Times> {
  const all = [...nodes];
  for (let next = 0; next < all.length; next++) all.push(...insideOf(all[next] as NodeStatus));
  const found = new Map<NodeStatus, Times>();
  // What is inside before what holds it.
  for (const node of all.reverse()) {
    const { startedAt, endedAt, undoneAt } = node;
    const inside = insideOf(node);
    let [from, to] = [startedAt ?? Infinity, endedAt ?? startedAt ?? -Infinity];
    if (node.nodes === undefined && endedAt === undefined) to = Math.max(to, undoneAt ?? to);
    for (const each of inside) {
      const times = found.get(each);
      from = Math.min(from, times?.from ?? from);
      to = Math.max(to, times?.to ?? to, each.undoneAt ?? to);
    }
    if (from <= to) found.set(node, { from, to });
  }
  return found;
}
