/**
 * A plan: a graph with its edges counted and indexed once per definition, so that a run costs time
 * in the number of its edges. It is the same for all runs and never changes.
 */
import { StenoError } from "../errors.js";
import type { Graph, Manifest, Node } from "../manifest.js";

/** The edges of all nodes in one array: those of node `i` are `at[start[i]] … at[start[i + 1] - 1]`. */
export interface Edges {
  readonly start: Int32Array;
  readonly at: Int32Array;
}

export interface Plan {
  /** The saga whose method declares the graph. */
  readonly saga: string;
  readonly nodes: readonly Node[];
  readonly index: ReadonlyMap<string, number>;
  /** How many nodes are directly before, and directly after, each. */
  readonly parentCount: Int32Array;
  readonly childCount: Int32Array;
  readonly parents: Edges;
  readonly children: Edges;
  /** The plan of each node that holds a graph. */
  readonly plans: ReadonlyMap<number, Plan>;
}

/** Makes the plan of a manifest that `parseManifest` has accepted. */
export function makePlan(manifest: Manifest): Plan {
  const root = planGraph(manifest.name, manifest);
  const open = [root];
  // A list and not a recursion: nesting may be deeper than the stack.
  for (let plan = open.pop(); plan !== undefined; plan = open.pop()) {
    for (const [index, node] of plan.nodes.entries()) {
      if (node.kind !== "subsaga") continue;
      const inner = planGraph(node.saga, node.graph);
      plan.plans.set(index, inner);
      open.push(inner);
    }
  }
  return root;
}

type OpenPlan = Plan & { readonly plans: Map<number, OpenPlan> };

function planGraph(saga: string, { nodes }: Graph): OpenPlan {
  const index = new Map<string, number>();
  const parentsOf: number[][] = [];
  const childrenOf: number[][] = nodes.map(() => []);
  for (const [place, node] of nodes.entries()) {
    refuseUnsupported(saga, node);
    parentsOf.push(
      node.after.map((name) => {
        const parent = index.get(name as string) as number;
        childrenOf[parent]?.push(place);
        return parent;
      }),
    );
    index.set(node.name, place);
  }
  return {
    saga,
    nodes,
    index,
    parentCount: Int32Array.from(parentsOf, (list) => list.length),
    childCount: Int32Array.from(childrenOf, (list) => list.length),
    parents: edges(parentsOf),
    children: edges(childrenOf),
    plans: new Map(),
  };
}

function edges(lists: readonly (readonly number[])[]): Edges {
  const start = new Int32Array(lists.length + 1);
  lists.forEach((list, i) => (start[i + 1] = (start[i] as number) + list.length));
  return { start, at: Int32Array.from(lists.flat()) };
}

function refuseUnsupported(saga: string, node: Node): void {
  const known = node.kind === "action" || node.kind === "compute" || node.kind === "subsaga";
  const conditional =
    node.when !== undefined || node.after.some((each) => typeof each !== "string");
  if (known && !conditional) return;
  const what = known ? "a condition" : `of kind \`${node.kind}\``;
  throw new StenoError(
    "unsupported-node",
    `node \`${node.name}\` of \`${saga}\` is ${known ? "under " : ""}${what}, which this version ` +
      "of steno-runtime does not run: use the steno-runtime that fits your steno-compiler",
  );
}
