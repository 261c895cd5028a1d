/**
 * Nodes by their paths in a definition, and in a run also those that it has not come to. Where a node
 * of a run is that has begun, `placeOf` in `state.ts` tells at less cost.
 */
import type { Node } from "../manifest.js";
import { type Frame, PHASE } from "../state.js";
import type { Plan } from "./plan.js";

export interface Found {
  readonly node: Node;
  /** Where it is; of a graph that has not begun, where its nodes would be. */
  readonly phase: number;
}

/** A graph on the way to a node; without a frame it has not begun, and its nodes are at `otherwise`. */
interface Graph {
  readonly plan: Plan;
  readonly frame?: Frame | undefined;
  readonly handler?: { readonly plan: Plan; readonly frame: Frame | undefined } | undefined;
  readonly otherwise?: number;
}

interface PlaceIn extends Graph, Found {
  readonly index: number;
}

/** The node that a path names: `payment`, `alloc/pick`, `nics[0]/create`. */
export function nodeAt(root: Graph, path: string): Found | undefined {
  let graph: Graph | undefined = root;
  const parts = path.split("/");
  const last = parts.pop() ?? "";
  for (const part of parts) graph = graph && graphIn(graph, part);
  return graph && placeIn(graph, last);
}

/** The node of a definition; `nics[*]/create` is that of any item. */
export function nodeInPlan(plan: Plan, path: string): Node | undefined {
  return nodeAt({ plan }, path)?.node;
}

/** Phases in which a node has not come to its end. */
export const BEFORE_END: ReadonlySet<number> = new Set([
  PHASE.blocked,
  PHASE.ready,
  PHASE.working,
  PHASE.backoff,
  PHASE.doubt,
  PHASE.open,
  PHASE.waiting,
  PHASE.doubtStuck,
]);

function placeIn(graph: Graph, name: string): PlaceIn | undefined {
  const { plan, frame, handler, otherwise = PHASE.blocked } = graph;
  const index = plan.index.get(name);
  // A handler shares its prefix with what it handles.
  if (index === undefined) return handler && placeIn({ ...handler, otherwise }, name);
  const node = plan.nodes[index] as Node;
  return { plan, frame, otherwise, index, node, phase: frame?.phase[index] ?? otherwise };
}

/** The graph that a part of a path before the last names: of a node, or of an item. */
function graphIn(graph: Graph, part: string): Graph | undefined {
  const [, name = "", key] = /^([^[]*)(?:\[([^\]]*)\])?$/.exec(part) ?? [];
  const place = placeIn(graph, name);
  const plan = place?.plan.plans.get(place.index);
  if (place === undefined || plan === undefined) return undefined;
  const { kind } = place.node;
  if ((kind === "map" || kind === "loop") !== (key !== undefined)) return undefined;
  const inside = place.frame?.inside?.get(place.index);
  const otherwise = BEFORE_END.has(place.phase) ? PHASE.blocked : PHASE.abandoned;
  if (key !== undefined) {
    const items = inside?.items.map((_, ordinal) => inside.keys?.[ordinal] ?? `${ordinal}`);
    if (items !== undefined && !items.includes(key)) return undefined;
    return { plan, frame: inside?.frames[items?.indexOf(key) ?? 0], otherwise };
  }
  const handler = place.plan.handlers.get(place.index);
  return {
    plan,
    frame: inside?.frames[0],
    handler: handler && { plan: handler, frame: inside?.handler },
    otherwise,
  };
}

/** Paths of nodes, those of lists with `[*]`; at most so many. */
export function pathsInPlan(plan: Plan, atMost: number): readonly string[] {
  const found: string[] = [];
  const open = [{ plan, prefix: "" }];
  // A list and not a recursion: nesting may be deeper than the stack.
  for (let next = open.shift(); next !== undefined && found.length < atMost; next = open.shift()) {
    for (const [index, node] of next.plan.nodes.entries()) {
      const path = next.prefix + node.name;
      found.push(path);
      const prefix = node.kind === "map" || node.kind === "loop" ? `${path}[*]/` : `${path}/`;
      for (const inner of [next.plan.plans.get(index), next.plan.handlers.get(index)]) {
        if (inner !== undefined) open.push({ plan: inner, prefix });
      }
    }
  }
  return found.slice(0, atMost);
}
