/**
 * Reduces each node's `after` to the nodes directly before it. A name is dropped if another name in
 * the same list comes, directly or through others, after it. Nothing else about order is decided here.
 */
import type { AfterModel, GraphModel, NodeModel } from "../model.js";
import type { Pass } from "./pass.js";

export const reduceOrder: Pass = {
  name: "reduce-order",
  doc: "Leaves in each node's `after` only the nodes directly before it (transitive reduction).",
  codes: [],
  run: (saga) => ({ ...saga, nodes: reduce(saga.nodes) }),
};

/** The graphs inside of a node are reduced each on its own: edges stay in a graph. */
function inside(node: NodeModel): NodeModel {
  const reduced = (graph: GraphModel): GraphModel => ({ ...graph, nodes: reduce(graph.nodes) });
  if (node.kind === "map" || node.kind === "loop") return { ...node, graph: reduced(node.graph) };
  if (node.kind !== "scope") return node;
  return { ...node, graph: reduced(node.graph), handler: reduced(node.handler) };
}

function reduce(nodes: readonly NodeModel[]): NodeModel[] {
  const indexes = new Map(nodes.map((node, index) => [node.name, index]));
  const before: number[][] = [];
  /** The longest way to a node from the start: what is reached from a node is on a lower level. */
  const levels: number[] = [];
  return nodes.map((node) => {
    const indexOf = (after: AfterModel): number =>
      indexes.get(typeof after === "string" ? after : after.node) ?? -1;
    const plain = node.after.filter((after) => typeof after === "string").map(indexOf);
    const given = [...new Set(plain)].filter((index) => index >= 0);
    const direct = given.length < 2 ? given : withoutReachable(given, before, levels);
    direct.sort((a, b) => a - b);
    // A conditional wait replaces nothing, and goes if something that is always waited for implies it.
    const sometimes = node.after.filter(
      (after) =>
        typeof after !== "string" &&
        withoutReachable([indexOf(after), ...direct], before, levels).includes(indexOf(after)) &&
        !direct.includes(indexOf(after)),
    );
    before.push(direct);
    levels.push(direct.reduce((level, index) => Math.max(level, (levels[index] ?? 0) + 1), 0));
    const names = direct.flatMap((index) => nodes[index]?.name ?? []);
    return { ...inside(node), after: [...names, ...sometimes] };
  });
}

/**
 * Walks back from the candidates, on edges that are reduced already, and no further than the lowest
 * level of a candidate: so a chain costs nothing, and a ladder one look at each node.
 */
function withoutReachable(
  candidates: readonly number[],
  before: readonly (readonly number[])[],
  levels: readonly number[],
): number[] {
  const level = (index: number): number => levels[index] ?? 0;
  const lowest = Math.min(...candidates.map(level));
  const reached = new Set<number>();
  const waiting = [...candidates];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (level(index) <= lowest) continue;
    for (const earlier of before[index] ?? []) {
      if (reached.has(earlier)) continue;
      reached.add(earlier);
      waiting.push(earlier);
    }
  }
  return candidates.filter((index) => !reached.has(index));
}
