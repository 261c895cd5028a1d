/** Random graphs of the whole language, as a compiler could emit them. It runs none. */
import type { After, Condition, Exit, Graph, Node } from "../../runtime/manifest.js";
import type { Choice } from "./host.js";

/** From 0 up to, and without, `below`. */
export type Choose = (below: number) => number;

interface Context {
  readonly choose: Choose;
  /** Names are unique in a method; here in all of a saga. */
  count: number;
}

export function randomGraph(choose: Choose): Graph {
  return graphOf({ choose, count: 0 }, 3, undefined);
}

/** Each node after some of those before it; some hold graphs, `depth` deep at most. */
function graphOf(context: Context, depth: number, inside: "loop" | "scope" | undefined): Graph {
  const { choose } = context;
  const nodes: Node[] = [];
  const length = 1 + choose(depth === 3 ? 6 : 3);
  while (nodes.length < length) nodes.push(nodeOf(context, depth, nodes));
  const { exits } = inside === undefined ? {} : exitsOf(choose, nodes, inside);
  return exits === undefined ? { nodes } : { nodes, exits };
}

function exitsOf(
  choose: Choose,
  nodes: readonly Node[],
  inside: "loop" | "scope",
): { readonly exits?: readonly Exit[] } {
  const when = conditionOn(choose, nodes);
  if (when === undefined || choose(2) === 0) return {};
  const to = (["break", "return", "continue"] as const)[choose(inside === "scope" ? 3 : 2)];
  return { exits: [{ to: to ?? "return", when: [when] }] };
}

/** A condition on one of the nodes, if one of them can have one. */
function conditionOn(choose: Choose, nodes: readonly Node[]): Condition | undefined {
  const found = nodes.filter(({ kind }) => ["decision", "loop", "scope"].includes(kind));
  const node = found[choose(found.length || 1)];
  if (node === undefined) return undefined;
  const arms =
    node.kind === "decision" ? node.arms : node.kind === "loop" ? ["return"] : ["caught", "return"];
  const condition = { decision: node.name, arm: arms[choose(arms.length)] as string };
  return choose(3) === 0 ? { ...condition, not: true } : condition;
}

function nodeOf(context: Context, depth: number, before: readonly Node[]): Node {
  const { choose } = context;
  const name = `n${context.count++}`;
  const after = new Map<string, After>();
  for (const each of before) if (choose(3) === 0) after.set(each.name, each.name);
  const when = choose(3) === 0 ? conditionOn(choose, before) : undefined;
  if (when !== undefined) after.set(when.decision, when.decision);
  const waits = choose(4) === 0 ? conditionOn(choose, before) : undefined;
  const held = before[choose(before.length || 1)];
  if (waits !== undefined && held !== undefined && !after.has(held.name)) {
    after.set(waits.decision, waits.decision);
    if (!after.has(held.name)) after.set(held.name, { node: held.name, when: [waits] });
  }
  const base = { name, after: [...after.values()], ...(when && { when: [when] }) };
  return ofKind(context, depth, base);
}

type Base = Pick<Node, "name" | "after" | "when">;

function ofKind(context: Context, depth: number, base: Base): Node {
  const { choose } = context;
  const kind = choose(depth > 0 ? 18 : 13);
  const next = depth - 1;
  switch (kind) {
    case 0:
      return { ...base, kind: "compute" };
    case 1:
    case 2:
      return { ...base, kind: "decision", arms: ["then", "else"] };
    case 3:
      return choose(3) === 0 ? { ...base, kind: "fail" } : actionOf(choose, base);
    case 4:
      return { ...base, kind: "sleep" };
    case 5: {
      const timeout = choose(2) === 0 ? { timeoutMs: 50 } : {};
      return { ...base, kind: "event", target: `e${choose(2)}`, ...timeout };
    }
    case 6:
      return {
        ...base,
        kind: "spawn",
        target: "Other",
        ...(choose(2) === 0 && { wait: true as const }),
      };
    case 13:
      return {
        ...base,
        kind: "subsaga",
        saga: base.name,
        graph: graphOf(context, next, undefined),
      };
    case 14: {
      const limit = choose(2) === 0 ? { concurrency: 1 + choose(2) } : {};
      return { ...base, kind: "map", graph: graphOf(context, next, undefined), ...limit };
    }
    case 15:
      return { ...base, kind: "loop", graph: graphOf(context, next, "loop") };
    case 16:
    case 17: {
      const graph = graphOf(context, next, "scope");
      if (choose(5) === 0) return { ...base, kind: "scope", graph };
      return { ...base, kind: "scope", graph, handler: graphOf(context, next, "scope") };
    }
    default:
      return actionOf(choose, base);
  }
}

function actionOf(choose: Choose, base: Base): Node {
  const flavour = choose(6);
  const pivot = choose(50) === 0;
  return {
    ...base,
    kind: "action",
    action: base.name,
    undo: flavour === 0 || pivot ? "none" : "u",
    ...(flavour === 1 && !pivot && { undoWhen: "started" as const }),
    ...(pivot && { pivot: true as const }),
    ...(choose(12) === 0 && { onFailure: "pause" as const }),
  };
}

/** Chosen by a seed and not by fast-check itself: graphs are large, and a seed can be read. */
export function chooseFrom(seed: number): Choose {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Decides by the path alone, so that a recovered run would decide the same. */
export function chooseByPath(seed: number): Choice {
  return ((path: string, node: Node) => {
    let hash = seed;
    for (const character of path) hash = (hash * 31 + character.charCodeAt(0)) % 1_000_003;
    if (node.kind === "decision") return node.arms[hash % node.arms.length];
    return hash % 4;
  }) as Choice;
}
