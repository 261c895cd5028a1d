/**
 * What can go wrong at a node, by name, and where it can: from the manifest alone. How a fault is
 * brought about is in `intercept.ts` and `scenario.ts`.
 */
import type { ActionNode, Graph, Manifest, Node } from "../../manifest.js";

/** What goes wrong in one place; its text is `<node> <what>`, as in the name of a scenario. */
export interface Fault {
  /** The node's path; {@link PROCESS} for the process. */
  readonly node: string;
  readonly what: string;
}

/** The place of faults of the coordinator's process. */
export const PROCESS = "(process)";

/** Each fault of a node, in the order of the columns of the table, and what it means. */
export const NODE_FAULTS = {
  fails: "each attempt fails, and has had no effect",
  "half-fails": "each attempt fails after it has had its effect",
  retries: "the first attempt fails after it has had its effect; the second does not",
  repeats: "each attempt calls the action twice",
  "loses-request": "the first attempt never arrives, until it times out",
  "loses-answer":
    "the first attempt has its effect, and its answer never arrives, until it times out",
  slow: "it begins when all else has come to rest",
  "unwound-after": "an operator has the run undone after it",
  "undo-fails": "each attempt of its undo fails, until an operator has seen to it",
  "undo-retries": "the first attempt of its undo fails after it has had its effect",
  "undo-repeats": "each attempt of its undo calls it twice",
  "undo-loses-answer": "its undo has its effect, and its answer never arrives, until it times out",
  "undo-slow": "its undo begins when all else has come to rest",
} as const;

export type NodeFault = keyof typeof NODE_FAULTS;

/** What the process does at its nth commit, from 1: `dies-before-3`. */
export const DEATH = /^dies-(before|after)-(\d+)$/;

/** Each name of a scenario is made here, and read again by {@link parseFaults}. */
export function nameOf(faults: readonly Fault[]): string {
  return faults.map(({ node, what }) => `${node} ${what}`).join(" + ") || "good run";
}

/** The faults of a name; `undefined` if it is none. */
export function parseFaults(name: string): readonly Fault[] | undefined {
  if (name === "good run") return [];
  const faults: Fault[] = [];
  for (const text of name.split(" + ")) {
    const at = text.lastIndexOf(" ");
    const fault = { node: text.slice(0, at), what: text.slice(at + 1) };
    const known = fault.node === PROCESS ? DEATH.test(fault.what) : isNodeFault(fault.what);
    if (at < 0 || !known) return undefined;
    faults.push(fault);
  }
  return faults;
}

export function isNodeFault(what: string): what is NodeFault {
  return Object.hasOwn(NODE_FAULTS, what);
}

/** Whether the fault only delays or repeats: a saga has to come to the same end in spite of it. */
export function isHarmless({ what }: Fault): boolean {
  return !["fails", "half-fails", "unwound-after"].includes(what);
}

/** A node of the manifest, with its path in which items are `[*]`. */
export interface Place {
  readonly path: string;
  readonly node: Node;
  /** The nodes that hold its graph, outermost first. */
  readonly inside: readonly Place[];
  /** It is in the `catch` of the scope that holds it. */
  readonly handler: boolean;
}

/** All nodes, in source order, those inside of a node after it. */
export function placesOf(manifest: Manifest): readonly Place[] {
  const places: Place[] = [];
  const add = (graph: Graph, prefix: string, inside: readonly Place[], handler: boolean): void => {
    for (const node of graph.nodes) {
      const place: Place = { path: prefix + node.name, node, inside, handler };
      places.push(place);
      if (!("graph" in node)) continue;
      const item = node.kind === "map" || node.kind === "loop" ? "[*]" : "";
      add(node.graph, `${place.path}${item}/`, [...inside, place], false);
      if (node.kind === "scope" && node.handler !== undefined) {
        add(node.handler, `${place.path}/`, [...inside, place], true);
      }
    }
  };
  add(manifest, "", [], false);
  return places;
}

/** The path of a node in the manifest: of all items the same. */
export function generalPath(path: string): string {
  return path.replace(/\[[^\]]*\](?=\/|$)/g, "[*]");
}

/** The faults of a node going forward. */
export function forwardFaults(node: Node): readonly NodeFault[] {
  if (node.kind === "compute" || (node.kind === "spawn" && node.wait === true)) return ["fails"];
  if (node.kind === "event") return node.timeoutMs === undefined ? [] : ["fails"];
  if (node.kind !== "action") return [];
  const forever = node.retry?.attempts === "forever";
  const attempts = node.retry?.attempts ?? 1;
  return [
    ...(forever ? [] : ["fails" as const]),
    ...(node.undoWhen === "started" && !forever ? ["half-fails" as const] : []),
    ...(attempts === 1 ? [] : ["retries" as const]),
    "repeats",
    ...(node.timeoutMs === undefined ? [] : (["loses-request", "loses-answer"] as const)),
  ];
}

/** The faults of a node's undo. */
export function undoFaults(node: ActionNode): readonly NodeFault[] {
  return [
    "undo-fails",
    "undo-retries",
    "undo-repeats",
    ...(node.undoTimeoutMs === undefined ? [] : ["undo-loses-answer" as const]),
  ];
}

/** Whether a node has an undo of its own. */
export function hasUndo(node: Node): node is ActionNode {
  return node.kind === "action" && node.undo !== "none";
}
