/**
 * The state of a run, as the machine keeps it: a tree of frames, each an instance of one graph.
 * It is the fold of the saga log and nothing else. How it changes is in `machine.ts`.
 */
import { StenoError } from "./errors.js";
import type { ActionNode, Node } from "./manifest.js";
import type { Plan } from "./machine/plan.js";

/** Where a node is. Numbers, since a frame keeps them in a typed array. */
export const PHASE = {
  /** Something before it is not complete. */
  blocked: 0,
  /** It may start, and has not. */
  ready: 1,
  /** Its body is called. */
  working: 2,
  /** An attempt failed; there will be another. */
  backoff: 3,
  /** An attempt ended without an answer; there will be another. */
  doubt: 4,
  /** A subsaga whose graph is being run, or unwound. */
  open: 5,
  done: 6,
  failed: 7,
  /** It never ran, and will not. */
  abandoned: 8,
  undoReady: 9,
  undoWorking: 10,
  undoBackoff: 11,
  undone: 12,
  undoFailed: 13,
  /** In doubt after all its attempts: the run is stuck here. */
  doubtStuck: 14,
} as const;

/** The words for phases, by number: steno's own where steno has one. */
export const PHASE_NAMES = [
  "blocked",
  "queued-todo",
  "working",
  "waiting-to-retry",
  "in-doubt",
  "working",
  "done",
  "failed",
  "abandoned",
  "queued-undo",
  "undo-working",
  "waiting-to-retry-undo",
  "undone",
  "undo-failed",
  "stuck-in-doubt",
] as const;

export type NodeState = (typeof PHASE_NAMES)[number];

/** One instance of a graph: the saga's own, or a subsaga's. */
export interface Frame {
  readonly plan: Plan;
  readonly parent: Frame | undefined;
  /** The place in the parent of the node that holds this graph. */
  readonly index: number;
  /** What the paths of its nodes begin with: `""`, `serverAlloc/`. */
  readonly prefix: string;
  /**
   * JSON text of the params, `undefined` for `undefined`; of a subsaga, as `started` has them: an
   * array of one or none.
   */
  readonly params: string | undefined;
  readonly phase: Uint8Array;
  /** How many nodes before each one are not complete. */
  readonly waiting: Int32Array;
  readonly attempt: Int32Array;
  /** JSON text. */
  readonly inputs: (string | undefined)[];
  readonly outputs: (string | undefined)[];
  readonly frames: Map<number, Frame>;
  /** How many nodes are not complete. */
  left: number;
  /** What a run without failures does not need; made on first use. */
  trouble: Trouble | undefined;
  unwinding: Unwinding | undefined;
}

/** Of a frame in which something did not go at the first attempt. */
export interface Trouble {
  /** Attempts that do not count against the policy: ended by a crash, or before an operator's retry. */
  readonly free: Int32Array;
  readonly undoFree: Int32Array;
  /** Attempts that ended with the process, since an operator last resumed the run. */
  readonly crashes: Int32Array;
  readonly dueAt: Float64Array;
  /** JSON text of the last error or doubt. */
  readonly last: (string | undefined)[];
}

/** Of a frame while its run unwinds. */
export interface Unwinding {
  /** How many nodes after each one are not settled. */
  readonly waiting: Int32Array;
  readonly attempt: Int32Array;
  /** How many nodes are not settled: undone, abandoned, or failed with nothing to undo. */
  unsettled: number;
  /** All that follows the node that holds the frame is settled. */
  open: boolean;
}

/** One recorded failure. */
export interface Failure {
  readonly node: string;
  readonly attempt: number;
  /** JSON text: the error, or the doubt that counts as one. */
  readonly error: string;
}

export interface RunState {
  readonly root: Frame;
  /** All frames, parents first. */
  readonly frames: Frame[];
  readonly byPrefix: Map<string, Frame>;
  /** In the order in which they were recorded. */
  readonly failures: Failure[];
  unwinding: boolean;
  /** JSON text of why it is paused. */
  paused: string | undefined;
  /** Bodies that are called now. */
  inFlight: number;
  /** Nodes that wait for an operator. */
  stuck: number;
  finished: "succeeded" | "undone" | undefined;
  /** JSON text of the result. */
  output: string | undefined;
}

/** A node of a run. `index` -1 is the graph itself, of the saga or a subsaga. */
export interface Place {
  readonly frame: Frame;
  readonly index: number;
}

export function makeFrame(
  plan: Plan,
  params: string | undefined,
  parent: Frame | undefined,
  index: number,
): Frame {
  const count = plan.nodes.length;
  return {
    plan,
    parent,
    index,
    prefix: parent === undefined ? "" : `${pathOf(parent, index)}/`,
    params,
    phase: new Uint8Array(count),
    waiting: plan.parentCount.slice(),
    attempt: new Int32Array(count),
    inputs: [],
    outputs: [],
    frames: new Map(),
    left: count,
    trouble: undefined,
    unwinding: undefined,
  };
}

export function nodeOf(frame: Frame, index: number): Node {
  return frame.plan.nodes[index] as Node;
}

/** `payment`, `serverAlloc/pick`; `""` is the run itself. */
export function pathOf(frame: Frame, index: number): string {
  return frame.prefix + nodeOf(frame, index).name;
}

/** The node of a path. Fails on a path that the run does not have. */
export function placeOf(state: RunState, path: string): Place {
  const slash = path.lastIndexOf("/");
  const frame = slash < 0 ? state.root : state.byPrefix.get(path.slice(0, slash + 1));
  const index = frame?.plan.index.get(path.slice(slash + 1));
  if (frame === undefined || index === undefined) {
    throw new StenoError("no-such-node", `the run has no node \`${path}\`: see \`steno show\``);
  }
  return { frame, index };
}

export function troubleOf(frame: Frame): Trouble {
  const count = frame.plan.nodes.length;
  return (frame.trouble ??= {
    free: new Int32Array(count),
    undoFree: new Int32Array(count),
    crashes: new Int32Array(count),
    dueAt: new Float64Array(count),
    last: [],
  });
}

/** Whether the node's fate need not be known: it is undone whatever it did, or never. */
export function endsOnAbort(node: Node): boolean {
  return node.kind === "action" && (node.undoWhen === "started" || node.undo === "none");
}

/** Whether a failed attempt of the node is undone. */
export function undoesFailed(node: Node): node is ActionNode {
  return node.kind === "action" && node.undoWhen === "started" && node.undo !== "none";
}

/** Whether nothing may start now. */
export function isHeld(state: RunState): boolean {
  return state.paused !== undefined || state.stuck > 0;
}

/** Where the run is, in the words of its row. */
export function statusOf(
  state: RunState,
): "running" | "unwinding" | "stuck" | "succeeded" | "undone" {
  if (state.finished !== undefined) return state.finished;
  if (state.stuck > 0 && state.inFlight === 0) return "stuck";
  return state.unwinding ? "unwinding" : "running";
}
