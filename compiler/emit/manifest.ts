/** Makes the manifest of a saga: what of the model the runtime needs to know, as plain data. */
import {
  MANIFEST_VERSION,
  type Graph,
  type Manifest,
  type Node,
  type Position,
} from "steno-runtime/manifest";
import type { NodeModel, SagaModel, Span } from "../model.js";
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

function graphOf(saga: SagaModel, locate: Locate | undefined): Graph {
  return { nodes: saga.nodes.map((node) => nodeOf(node, locate)) };
}

function nodeOf(node: NodeModel, locate: Locate | undefined): Node {
  const { name, after } = node;
  const position = locate && { position: locate(node.span) };
  switch (node.kind) {
    case "action": {
      const { method, retry, timeoutMs, undo } = node.action;
      const undone = undo === "none" ? undefined : undo;
      return {
        name,
        kind: "action",
        action: method,
        undo: undone?.method ?? "none",
        ...(undone?.when && { undoWhen: undone.when }),
        after,
        ...(retry && { retry }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(undone?.retry && { undoRetry: undone.retry }),
        ...(undone?.timeoutMs !== undefined && { undoTimeoutMs: undone.timeoutMs }),
        ...position,
      };
    }
    case "compute":
      return { name, kind: "compute", after, ...position };
    case "subsaga":
      return {
        name,
        kind: "subsaga",
        saga: node.saga.name,
        after,
        graph: graphOf(node.saga, locate),
        ...position,
      };
    default:
      throw new Error(`no emission for a node of kind ${node.kind}`);
  }
}
