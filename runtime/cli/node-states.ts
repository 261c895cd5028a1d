/**
 * The state of each node of a run, as `steno show` prints it: a projection of the saga log onto the
 * manifest's tree, for people. It decides nothing and runs no saga; what happens next is decided by
 * the machine alone.
 */
import type { LoggedEvent } from "../events.js";
import type { Graph, Node } from "../manifest.js";
import type { RunStatus } from "../stores/store.js";

/** Steno's words, and `skipped` for nodes whose branch was not taken. */
export type NodeState =
  | ("blocked" | "working" | "done" | "failed" | "undo-working" | "undone")
  | ("undo-failed" | "abandoned" | "skipped" | "waiting" | "in-doubt");

/** A node with its state, and its own nodes if it holds a graph. */
export interface NodeView {
  /** `hotel`, `serverAlloc/pick`. */
  readonly path: string;
  readonly node: Node;
  readonly state: NodeState;
  readonly attempts: number;
  /** When a pause between two attempts or a timer ends, if the node waits for that. */
  readonly dueAt?: number;
  readonly children: readonly NodeView[];
}

interface Progress {
  state: NodeState;
  attempts: number;
  dueAt?: number | undefined;
}

/** The states of all nodes of a graph, in source order. */
export function nodeStates(
  graph: Graph,
  events: readonly LoggedEvent[],
  status: RunStatus,
): readonly NodeView[] {
  const progress = new Map<string, Progress>();
  for (const event of events) if ("node" in event) record(progress, event);
  return viewsOf(graph, "", progress, status);
}

function record(progress: Map<string, Progress>, event: LoggedEvent & { node: string }): void {
  const state = stateAfter(event);
  if (state === undefined) return;
  const before = progress.get(event.node);
  const attempt = "attempt" in event && !event.type.startsWith("und") ? event.attempt : 0;
  progress.set(event.node, {
    state,
    attempts: Math.max(before?.attempts ?? 0, attempt),
    dueAt: "dueAt" in event ? event.dueAt : undefined,
  });
}

/** The state that an event leaves its node in; `undefined` if it changes nothing that is shown. */
function stateAfter(event: LoggedEvent): NodeState | undefined {
  switch (event.type) {
    case "started":
      return "working";
    case "succeeded":
    case "decided":
      return "done";
    case "attempt-failed":
    case "timer-set":
      return "waiting";
    case "failed":
      return "failed";
    case "in-doubt":
      return "in-doubt";
    case "undo-started":
    case "undo-attempt-failed":
    case "retry-requested":
      return "undo-working";
    case "undone":
    case "undo-settled":
      return "undone";
    case "undo-failed":
      return "undo-failed";
    case "skipped":
      return "skipped";
    case "expanded":
      return "working";
    default:
      return undefined;
  }
}

/** A graph that waits to be viewed. An explicit stack: nesting may be deep. */
interface Pending {
  readonly node: Node;
  readonly path: string;
  readonly children: NodeView[];
  readonly into: NodeView[];
}

function viewsOf(
  graph: Graph,
  prefix: string,
  progress: ReadonlyMap<string, Progress>,
  status: RunStatus,
): readonly NodeView[] {
  const top: NodeView[] = [];
  const found: Pending[] = [];
  const open: { graph: Graph; prefix: string; into: NodeView[] }[] = [{ graph, prefix, into: top }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const node of next.graph.nodes) {
      const path = `${next.prefix}${node.name}`;
      const pending: Pending = { node, path, children: [], into: next.into };
      found.push(pending);
      if ("graph" in node) {
        open.push({ graph: node.graph, prefix: `${path}/`, into: pending.children });
      }
    }
  }
  // From the inside out, so that what holds a graph sees the states in it.
  for (const { node, path, children, into } of found.reverse()) {
    children.reverse();
    const own = progress.get(path);
    const state = settle(node, holderState(own?.state, inheritedState(children)), status);
    const dueAt = own?.dueAt;
    into.push({
      ...{ path, node, state, children, attempts: own?.attempts ?? 0 },
      ...(dueAt !== undefined && { dueAt }),
    });
  }
  return top.reverse();
}

/** A node that holds others is as they are, unless its own events say more. */
function holderState(own: NodeState | undefined, inherited: NodeState): NodeState {
  if (own === undefined) return inherited;
  // Before the first of them and after the last one, only its own events tell.
  const quiet = inherited === "blocked" || inherited === "done";
  return quiet || own === "failed" ? own : inherited;
}

/** What the states of the nodes in a node come to. */
function inheritedState(children: readonly NodeView[]): NodeState {
  const states = new Set(children.map((child) => child.state));
  const only = (...allowed: NodeState[]): boolean =>
    states.size > 0 && [...states].every((state) => allowed.includes(state));
  if (states.size === 0 || only("blocked")) return "blocked";
  if (only("abandoned")) return "abandoned";
  if (only("skipped")) return "skipped";
  if (only("done", "skipped")) return "done";
  for (const state of ["undo-failed", "undo-working", "failed"] as const) {
    if (states.has(state)) return state;
  }
  return only("undone", "abandoned", "skipped") ? "undone" : "working";
}

/** What the end of the run means for a node of which the log says no more. */
function settle(node: Node, state: NodeState, status: RunStatus): NodeState {
  if (state === "blocked" && status !== "running") {
    return status === "succeeded" ? "skipped" : "abandoned";
  }
  // What has nothing to undo is undone without an event.
  return state === "done" && status === "undone" ? "undone" : state;
}
