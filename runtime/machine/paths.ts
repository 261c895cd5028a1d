/**
 * Nodes by their paths in a definition: also those that a run has not come to. Where a node of a run
 * is, `placeOf` in `state.ts` tells.
 */
import type { Node } from "../manifest.js";
import type { Plan } from "./plan.js";

/** The node that a path names: `payment`, `alloc/pick`, `nics[0]/create`; `nics[*]/create` is that of any item. */
export function nodeInPlan(plan: Plan, path: string): Node | undefined {
  // A handler shares its prefix with what it handles.
  let plans: readonly Plan[] = [plan];
  const segments = path.split("/");
  for (const [place, segment] of segments.entries()) {
    const [, name = "", item] = /^(.*?)(\[[^\]]*\])?$/s.exec(segment) ?? [];
    const within = plans.find(({ index }) => index.has(name));
    const index = within?.index.get(name);
    if (within === undefined || index === undefined) return undefined;
    const node = within.nodes[index] as Node;
    const isLast = place === segments.length - 1;
    const isList = node.kind === "map" || node.kind === "loop";
    if (isList && !isLast ? item === undefined : item !== undefined) return undefined;
    if (isLast) return node;
    plans = [within.plans.get(index), within.handlers.get(index)].filter(
      (each) => each !== undefined,
    );
  }
  return undefined;
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
