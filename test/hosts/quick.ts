/**
 * A definition whose pauses and sleeps take a millisecond, for hosts that have no clock of a test's.
 * Nothing of this is in the hash: it is the same saga.
 */
import { defineSaga, type SagaDefinition } from "steno-runtime";
import type { Graph, Node, RetryPolicy } from "steno-runtime/manifest";
import type { GraphBindings, NodeBindings } from "../../runtime/definition.js";
import { DEFAULT_UNDO_RETRY } from "../../runtime/manifest.js";

export function quick<T extends object, P, R>(
  definition: SagaDefinition<T, P, R>,
): SagaDefinition<T, P, R> {
  const { spec } = definition;
  const manifest = { ...spec.manifest, nodes: spec.manifest.nodes.map(quickNode) };
  return defineSaga<T, P, R>({ ...spec, ...quickBindings(spec), manifest });
}

function quickGraph<G extends Graph>(graph: G): G {
  return { ...graph, nodes: graph.nodes.map(quickNode) };
}

function quickNode(node: Node): Node {
  if (node.kind === "action") {
    // Bodies wait for the test.
    const { timeoutMs: _timeout, undoTimeoutMs: _undoTimeout, ...rest } = node;
    return {
      ...rest,
      ...(node.retry !== undefined && { retry: quickRetry(node.retry) }),
      undoRetry: quickRetry(node.undoRetry ?? DEFAULT_UNDO_RETRY),
    };
  }
  if (node.kind === "event") {
    const { timeoutMs: _timeout, ...rest } = node;
    return rest;
  }
  if (!("graph" in node)) return node;
  const graph = quickGraph(node.graph);
  if (node.kind !== "scope" || node.handler === undefined) return { ...node, graph };
  return { ...node, graph, handler: quickGraph(node.handler) };
}

function quickRetry(policy: RetryPolicy): RetryPolicy {
  return { ...policy, delayMs: 1, maxDelayMs: 1, jitter: false };
}

function quickBindings(graph: GraphBindings): GraphBindings {
  const nodes = Object.entries(graph.nodes).map(([name, node]): [string, NodeBindings] => [
    name,
    {
      ...node,
      ...(node.duration !== undefined && { duration: () => 1 }),
      ...(node.graph !== undefined && { graph: quickBindings(node.graph) }),
      ...(node.handler !== undefined && { handler: quickBindings(node.handler) }),
    },
  ]);
  return { ...graph, nodes: Object.fromEntries(nodes) };
}
