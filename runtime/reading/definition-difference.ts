/**
 * How two definitions of one saga differ, in words, for somebody whose run misses its own. It judges
 * nothing: whether a run could go on with another definition is not known here.
 */
import type { Graph, Manifest, Node } from "../manifest.js";

/** Not part of what a definition means, and so not of its hash; or told by the nodes inside. */
const SILENT: ReadonlySet<string> = new Set([
  ...["name", "position", "graph", "handler"],
  ...["retry", "timeoutMs", "undoRetry", "undoTimeoutMs", "concurrency"],
]);

/** Beyond this many a list says no more. */
const LIMIT = 20;

/** What changed from one definition to the other, by the paths of nodes. */
export function differenceOf(old: Manifest, now: Manifest): string {
  const before = nodesOf(old);
  const after = nodesOf(now);
  const said: string[] = [];
  for (const [path, node] of after) {
    const was = before.get(path);
    if (was === undefined) said.push(`\`${path}\` is new`);
    else said.push(...changesOf(path, was, node));
  }
  for (const path of before.keys()) if (!after.has(path)) said.push(`\`${path}\` is gone`);
  if (said.length === 0) return "the nodes are the same, what feeds them is not";
  const more = said.length - LIMIT;
  return said.slice(0, LIMIT).join(", ") + (more > 0 ? `, and ${more} more` : "");
}

function nodesOf(manifest: Manifest): Map<string, Node> {
  const found = new Map<string, Node>();
  const open: (readonly [string, Graph])[] = [["", manifest]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [prefix, { nodes }] = next;
    for (const node of nodes) {
      const path = prefix + node.name;
      found.set(path, node);
      if ("graph" in node) open.push([`${path}/`, node.graph]);
      if ("handler" in node && node.handler !== undefined) open.push([`${path}/`, node.handler]);
    }
  }
  return found;
}

function changesOf(path: string, old: Node, now: Node): string[] {
  const was = old as unknown as Readonly<Record<string, unknown>>;
  const is = now as unknown as Readonly<Record<string, unknown>>;
  const keys = new Set([...Object.keys(was), ...Object.keys(is)]);
  const changed = [...keys].filter(
    (key) => !SILENT.has(key) && JSON.stringify(was[key]) !== JSON.stringify(is[key]),
  );
  return changed.map(
    (key) => `\`${path}\` has \`${key}\` ${inWords(is[key])} and had ${inWords(was[key])}`,
  );
}

function inWords(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
