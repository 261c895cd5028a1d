/** Makes the manifest of a saga: what of the model the runtime needs to know, as plain data. */
import {
  MANIFEST_VERSION,
  type Graph,
  type Manifest,
  type Node,
  type Position,
} from "steno-runtime/manifest";
import type { GraphModel, NodeModel, SagaModel, ScopeNodeModel, Span } from "../model.js";
import { hashOf } from "./hash.js";

/** Turns spans into positions; without one, the manifest has no positions. */
export type Locate = (span: Span) => Position;

export function manifestOf(saga: SagaModel, locate?: Locate): Manifest {
  return {
    steno: MANIFEST_VERSION,
    name: saga.name,
    hash: hashOf(saga),
    ...(locate && { position: locate(saga.span) }),
    ...graphOf(saga, locate),
  };
}

/** Whether anything is done when a scope fails. */
export function hasHandler({ handler }: ScopeNodeModel): boolean {
  return handler.nodes.length > 0 || handler.exits.length > 0;
}

function graphOf({ nodes, exits }: GraphModel, locate: Locate | undefined): Graph {
  return {
    nodes: nodes.map((node) => nodeOf(node, locate)),
    ...(exits.length > 0 && { exits }),
  };
}

/** A node as data. What all kinds have stands around what one has, in an order that reads well. */
function nodeOf(node: NodeModel, locate: Locate | undefined): Node {
  const { name, after, when } = node;
  const order = { after, ...(when && when.length > 0 && { when }) };
  const position = locate && { position: locate(node.span) };
  switch (node.kind) {
    case "action":
      return actionOf(node, order, position);
    case "compute":
    case "fail":
    case "sleep":
      return { name, kind: node.kind, ...order, ...position };
    case "decision":
      return { name, kind: "decision", arms: node.arms, ...order, ...position };
    case "subsaga": {
      const graph = graphOf(node.saga, locate);
      return { name, kind: "subsaga", saga: node.saga.name, ...order, graph, ...position };
    }
    case "map":
    case "loop": {
      const { kind, concurrency, key } = node;
      const limit = concurrency === undefined ? {} : { concurrency };
      const keyed = key === undefined ? {} : { keyed: true };
      const graph = graphOf(node.graph, locate);
      return { name, kind, ...limit, ...keyed, ...order, graph, ...position };
    }
    case "scope": {
      const graph = graphOf(node.graph, locate);
      const handler = hasHandler(node) ? { handler: graphOf(node.handler, locate) } : {};
      return { name, kind: "scope", ...order, graph, ...handler, ...position };
    }
    case "event": {
      const { event, timeoutMs } = node;
      const limit = timeoutMs === undefined ? {} : { timeoutMs };
      return { name, kind: "event", target: event.name, ...limit, ...order, ...position };
    }
    case "spawn": {
      const wait = node.wait ? ({ wait: true } as const) : {};
      return { name, kind: "spawn", target: node.saga.name, ...wait, ...order, ...position };
    }
  }
}

function actionOf(
  { name, action }: NodeModel & { readonly kind: "action" },
  order: Pick<Node, "after" | "when">,
  position: { readonly position: Position } | undefined,
): Node {
  const { method, retry, timeoutMs, undo, pivot, onFailure, errors } = action;
  const undone = undo === "none" ? undefined : undo;
  return {
    name,
    kind: "action",
    action: method,
    undo: undone?.method ?? "none",
    ...(undone?.when && { undoWhen: undone.when }),
    ...(pivot && { pivot }),
    ...(onFailure && { onFailure }),
    ...(errors.length > 0 && { errors: errors.map((error) => error.name) }),
    ...order,
    ...(retry && { retry }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(undone?.retry && { undoRetry: undone.retry }),
    ...(undone?.timeoutMs !== undefined && { undoTimeoutMs: undone.timeoutMs }),
    ...position,
  };
}
