/**
 * Reduces each node's `after` to the nodes directly before it. A name is dropped if another name in
 * the same list comes, directly or through others, after it: also where nodes are skipped, since a node
 * that is skipped has waited too. Nothing else about order is decided here.
 */
import type { ConditionModel, GraphModel, NodeModel } from "../model.js";
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
  const sometimesBefore: (readonly Sometimes[])[] = [];
  /** The longest way to a node from the start: what is reached from a node is on a lower level. */
  const levels: number[] = [];
  return nodes.map((node) => {
    const given = new Set<number>();
    const conditional: Sometimes[] = [];
    for (const after of node.after) {
      const index = indexes.get(typeof after === "string" ? after : after.node);
      if (index === undefined) continue;
      if (typeof after === "string") given.add(index);
      else conditional.push({ index, when: after.when });
    }
    const direct = given.size < 2 ? [...given] : withoutReachable([...given], before, levels);
    direct.sort((a, b) => a - b);
    const left = withoutImplied(conditional, direct, before, sometimesBefore);
    before.push(direct);
    sometimesBefore.push(left);
    levels.push(direct.reduce((level, index) => Math.max(level, (levels[index] ?? 0) + 1), 0));
    const nameOf = (index: number): string => nodes[index]?.name ?? "";
    const after = left.map(({ index, when }) => ({ node: nameOf(index), when }));
    return { ...inside(node), after: [...direct.map(nameOf), ...after] };
  });
}

/** A node that is waited for only if some conditions hold. */
interface Sometimes {
  readonly index: number;
  readonly when: readonly ConditionModel[];
}

/**
 * A conditional wait goes if another wait of the list implies it: one that is always there, or whose
 * conditions hold whenever its own do; each with what is waited for behind it under these conditions.
 */
function withoutImplied(
  conditional: readonly Sometimes[],
  direct: readonly number[],
  before: readonly (readonly number[])[],
  sometimesBefore: readonly (readonly Sometimes[])[],
): Sometimes[] {
  const left = [...conditional];
  for (const each of conditional.toReversed()) {
    const others = left.filter((other) => other !== each && implies(each.when, other.when));
    const waiting = [...direct, ...others.map(({ index }) => index)];
    const reached = new Set<number>();
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      // What is before a node has a lower index.
      if (reached.has(index) || index < each.index) continue;
      reached.add(index);
      waiting.push(...(before[index] ?? []));
      for (const { index: earlier, when } of sometimesBefore[index] ?? []) {
        if (implies(each.when, when)) waiting.push(earlier);
      }
    }
    if (reached.has(each.index)) left.splice(left.indexOf(each), 1);
  }
  return left;
}

/** Whether the second conditions hold wherever the first do. */
function implies(first: readonly ConditionModel[], second: readonly ConditionModel[]): boolean {
  return second.every((wanted) =>
    first.some(
      ({ decision, arm, not }) =>
        decision === wanted.decision && arm === wanted.arm && not === wanted.not,
    ),
  );
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
