/**
 * Reduces each node's `after` to the nodes directly before it. A name is dropped if another name in
 * the same list comes, directly or through others, after it. Nothing else about order is decided here.
 */
import type { NodeModel } from "../model.js";
import type { Pass } from "./pass.js";

export const reduceOrder: Pass = {
  name: "reduce-order",
  doc: "Leaves in each node's `after` only the nodes directly before it (transitive reduction).",
  codes: [],
  run: (saga) => ({ ...saga, nodes: reduce(saga.nodes) }),
};

function reduce(nodes: readonly NodeModel[]): NodeModel[] {
  const indexes = new Map(nodes.map((node, index) => [node.name, index]));
  const before: number[][] = [];
  /** The longest way to a node from the start: what is reached from a node is on a lower level. */
  const levels: number[] = [];
  return nodes.map((node) => {
    const given = [...new Set(node.after)].flatMap((name) => indexes.get(name) ?? []);
    const direct = given.length < 2 ? given : withoutReachable(given, before, levels);
    direct.sort((a, b) => a - b);
    before.push(direct);
    levels.push(direct.reduce((level, index) => Math.max(level, (levels[index] ?? 0) + 1), 0));
    return { ...node, after: direct.flatMap((index) => nodes[index]?.name ?? []) };
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
