/**
 * Walks the graphs of one method: its own, and those of the maps, loops and scopes in it. A saga that
 * is embedded is another method, and not entered.
 */
import type { GraphModel, NodeModel } from "../model.js";

/** The graphs that a node holds. */
export function graphsOf(node: NodeModel): readonly GraphModel[] {
  if (node.kind === "map" || node.kind === "loop") return [node.graph];
  return node.kind === "scope" ? [node.graph, node.handler] : [];
}

/** All nodes of a graph and of those inside, each in front of what it holds. */
export function nodesOf(graph: GraphModel): NodeModel[] {
  return graph.nodes.flatMap((node) => [node, ...graphsOf(node).flatMap(nodesOf)]);
}

/** A graph with all its nodes changed, those inside first. */
export function changed(graph: GraphModel, change: (node: NodeModel) => NodeModel): GraphModel {
  const inside = (inner: GraphModel): GraphModel => changed(inner, change);
  const nodes = graph.nodes.map((node) => {
    if (node.kind === "map" || node.kind === "loop") {
      return change({ ...node, graph: inside(node.graph) });
    }
    if (node.kind !== "scope") return change(node);
    return change({ ...node, graph: inside(node.graph), handler: inside(node.handler) });
  });
  return { ...graph, nodes };
}
