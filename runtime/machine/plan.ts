/**
 * A plan: a graph with its edges counted and indexed once per definition, so that a run costs time
 * in the number of its edges. It is the same for all runs and never changes.
 */
import type { Condition, Exit, Graph, Manifest, Node } from "../manifest.js";

/** The edges of all nodes in one array: those of node `i` are `at[start[i]] … at[start[i + 1] - 1]`. */
export interface Edges {
  readonly start: Int32Array;
  readonly at: Int32Array;
}

/** An edge that counts only if its conditions hold. */
export interface ConditionalEdge {
  readonly parent: number;
  readonly child: number;
  readonly when: readonly Condition[];
}

/** The conditional edges of a graph. */
export interface ConditionalEdges {
  readonly all: readonly ConditionalEdge[];
  /** By node: those that its end can make waited for no more. */
  readonly watched: ReadonlyMap<number, readonly number[]>;
  /** By the node after the edge. */
  readonly before: ReadonlyMap<number, readonly number[]>;
}

export interface Plan {
  /** The saga whose method declares the graph. */
  readonly saga: string;
  /** Where the graph is: absent for a saga's own, and for a subsaga's. */
  readonly holder: { readonly plan: Plan; readonly index: number } | undefined;
  /** The graph of the method: of the saga, or of a subsaga. */
  readonly method: Plan;
  readonly nodes: readonly Node[];
  readonly index: ReadonlyMap<string, number>;
  /** How many nodes are directly before, and directly after, each. */
  readonly parentCount: Int32Array;
  readonly childCount: Int32Array;
  /** The edges without conditions; {@link parentCount} and {@link childCount} count all. */
  readonly parents: Edges;
  readonly children: Edges;
  readonly conditional: ConditionalEdges | undefined;
  readonly exits: readonly Exit[];
  /** The places of the pivots in this graph; and whether there is one in it or inside of it. */
  readonly pivots: readonly number[];
  readonly hasPivot: boolean;
  /** The plan of each node that holds a graph. */
  readonly plans: ReadonlyMap<number, Plan>;
  /** The plan of each scope's handler. */
  readonly handlers: ReadonlyMap<number, Plan>;
}

/** Makes the plan of a manifest that `parseManifest` has accepted. */
export function makePlan(manifest: Manifest): Plan {
  const root = planGraph(manifest.name, manifest, undefined);
  const open = [root];
  /** Each in front of those inside it. */
  const made: OpenPlan[] = [];
  // A list and not a recursion: nesting may be deeper than the stack.
  for (let plan = open.pop(); plan !== undefined; plan = open.pop()) {
    made.push(plan);
    for (const [index, node] of plan.nodes.entries()) {
      if (!("graph" in node)) continue;
      const isMethod = node.kind === "subsaga";
      const holder = isMethod ? undefined : { plan, index };
      const inner = planGraph(isMethod ? node.saga : plan.saga, node.graph, holder);
      plan.plans.set(index, inner);
      open.push(inner);
      if (node.kind !== "scope") continue;
      const handler = planGraph(plan.saga, node.handler ?? { nodes: [] }, holder);
      plan.handlers.set(index, handler);
      open.push(handler);
    }
  }
  for (const plan of made.reverse()) {
    plan.hasPivot =
      plan.pivots.length > 0 ||
      [...plan.plans.values(), ...plan.handlers.values()].some(({ hasPivot }) => hasPivot);
  }
  return root;
}

type OpenPlan = Omit<Plan, "hasPivot"> & {
  hasPivot: boolean;
  readonly plans: Map<number, OpenPlan>;
  readonly handlers: Map<number, OpenPlan>;
};

function planGraph(saga: string, { nodes, exits = [] }: Graph, holder: Plan["holder"]): OpenPlan {
  const index = new Map<string, number>();
  const parentsOf: number[][] = [];
  const childrenOf: number[][] = nodes.map(() => []);
  const conditional: ConditionalEdge[] = [];
  for (const [place, node] of nodes.entries()) {
    const parents: number[] = [];
    for (const after of node.after) {
      const name = typeof after === "string" ? after : after.node;
      const parent = index.get(name) as number;
      if (typeof after !== "string") {
        conditional.push({ parent, child: place, when: after.when });
        continue;
      }
      childrenOf[parent]?.push(place);
      parents.push(parent);
    }
    parentsOf.push(parents);
    index.set(node.name, place);
  }
  const parentCount = Int32Array.from(nodes, ({ after }) => after.length);
  const childCount = Int32Array.from(childrenOf, (list) => list.length);
  for (const { parent } of conditional) childCount[parent] = (childCount[parent] as number) + 1;
  const plan: { -readonly [Key in keyof OpenPlan]: OpenPlan[Key] } = {
    saga,
    holder,
    method: undefined as never,
    nodes,
    index,
    parentCount,
    childCount,
    parents: edges(parentsOf),
    children: edges(childrenOf),
    conditional: conditional.length === 0 ? undefined : watch(conditional, index),
    exits,
    pivots: pivotsOf(nodes),
    hasPivot: false,
    plans: new Map(),
    handlers: new Map(),
  };
  plan.method = holder?.plan.method ?? plan;
  return plan;
}

/** The places of the pivots of a graph. */
function pivotsOf(nodes: readonly Node[]): number[] {
  return nodes.flatMap((node, index) =>
    node.kind === "action" && node.pivot === true ? [index] : [],
  );
}

function edges(lists: readonly (readonly number[])[]): Edges {
  const start = new Int32Array(lists.length + 1);
  lists.forEach((list, i) => (start[i + 1] = (start[i] as number) + list.length));
  return { start, at: Int32Array.from(lists.flat()) };
}

function watch(
  all: readonly ConditionalEdge[],
  index: ReadonlyMap<string, number>,
): ConditionalEdges {
  const watched = new Map<number, number[]>();
  const before = new Map<number, number[]>();
  const add = (to: Map<number, number[]>, node: number, edge: number): void => {
    const list = to.get(node);
    if (list === undefined) to.set(node, [edge]);
    else list.push(edge);
  };
  for (const [edge, { parent, child, when }] of all.entries()) {
    const causes = new Set([parent, ...when.map(({ decision }) => index.get(decision) as number)]);
    for (const cause of causes) add(watched, cause, edge);
    add(before, child, edge);
  }
  return { all, watched, before };
}
