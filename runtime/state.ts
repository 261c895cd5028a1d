/**
 * The state of a run, as the machine keeps it: a tree of frames, each an instance of one graph.
 * It is the fold of the saga log and nothing else. How it changes is in `machine.ts`.
 */
import { StenoError } from "./errors.js";
import type { ActionNode, Node } from "./manifest.js";
import type { Injected } from "./machine/injections.js";
import type { Debugging } from "./machine/breakpoints.js";
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
  /** It holds a graph that is being run, or unwound. */
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
  /** A condition of it does not hold. It counts as complete. */
  skipped: 15,
  /** It has begun to wait: for its time, for an event, for another run. */
  waiting: 16,
  /** It failed, and waits for an operator instead of ending its scope. */
  held: 17,
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
  "skipped",
  "waiting",
  "failure-held",
] as const;

export type NodeState = (typeof PHASE_NAMES)[number];

/** One instance of a graph: of the saga, a subsaga, a scope, its handler, or an item of a list. */
export interface Frame {
  readonly plan: Plan;
  readonly parent: Frame | undefined;
  /** The place in the parent of the node that holds this graph. */
  readonly index: number;
  /** The number of the item, from 0. */
  readonly ordinal: number;
  /** The frame of the saga or subsaga whose method declares the graph: where params are. */
  readonly method: Frame;
  /** The frame that a failure here ends: the innermost `try` around it, or the run. */
  readonly scope: Frame;
  /** What the paths of its nodes begin with: `""`, `serverAlloc/`, `nics[0]/`. */
  readonly prefix: string;
  /**
   * JSON text of the params, `undefined` for `undefined`; of a subsaga, as `started` has them: an
   * array of one or none. Of an item: the item.
   */
  readonly params: string | undefined;
  readonly phase: Uint8Array;
  /** How many nodes before each one are not complete. */
  readonly waiting: Int32Array;
  readonly attempt: Int32Array;
  /** JSON text. */
  readonly inputs: (string | undefined)[];
  readonly outputs: (string | undefined)[];
  /** How many nodes are not complete. */
  left: number;
  /** What is inside the nodes that hold graphs; made on first use. */
  inside: Map<number, Inside> | undefined;
  /** Which conditional edges are waited for no more, by their place in the plan; made on first use. */
  released: Uint8Array | undefined;
  /** Of a scope: in the order in which they were recorded. */
  failures: Failure[] | undefined;
  /** What a run without failures does not need; made on first use. */
  trouble: Trouble | undefined;
  unwinding: Unwinding | undefined;
}

/** What is inside a node that holds graphs. */
export interface Inside {
  /** One; of a map or loop, those of the items that have begun, in order. */
  readonly frames: Frame[];
  /** Of a scope whose failure was caught. */
  handler: Frame | undefined;
  /** Of a map or loop: JSON texts. */
  readonly items: readonly (string | undefined)[];
  readonly keys: readonly string[] | undefined;
  /** How many graphs are not complete. */
  left: number;
  /** What a condition of a later node can ask for: `caught`, `return`. */
  readonly arms: string[];
  /** The item that ended a loop before its end. */
  exited: number | undefined;
  /** All in it was complete, and the node failed all the same. */
  failed: boolean;
  /** Whether its turn to be undone has come, and how many graphs are not settled then. */
  undoing: boolean;
  unsettled: number;
}

/** Of a frame in which something did not go at the first attempt. */
export interface Trouble {
  /** Attempts that do not count against the policy: ended by a crash, or before an operator's retry. */
  readonly free: Int32Array;
  readonly undoFree: Int32Array;
  /** Attempts that ended with the process, since an operator last resumed the run. */
  readonly crashes: Int32Array;
  /** 1: goes on to its end even while other nodes are stuck. */
  readonly freed: Uint8Array;
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
  /** Inner frames; of those with one prefix the first. Made when a path is looked for first. */
  byPrefix: Map<string, Frame> | undefined;
  /** Those of the run itself, in the order in which they were recorded: none that was caught. */
  readonly failures: Failure[];
  /** Whether the run itself unwinds. A scope in it may. */
  unwinding: boolean;
  /** Events that were received and that no node has taken yet, by name: JSON texts. */
  mailbox: Map<string, (string | undefined)[]> | undefined;
  /** Nodes that wait for an event, by its name, in the order in which they began to. */
  waiters: Map<string, Place[]> | undefined;
  /** JSON text of why it is paused. */
  paused: string | undefined;
  /** Of a run that was debugged; made on first use. */
  debugging: Debugging | undefined;
  /** Bodies that are called now. */
  inFlight: number;
  /** Nodes that wait for an operator: undos that failed, nodes in doubt, held failures. */
  stuck: number;
  /** Those of them whose failure is held. */
  held: number;
  /** JSON text of why there is no result, while that waits for an operator. */
  heldResult: string | undefined;
  /** Nodes that go on to their end even while others are stuck. */
  freed: number;
  finished: "succeeded" | "undone" | undefined;
  /** JSON text of the result. */
  output: string | undefined;
  /** What operators have injected, by the node's path; made on first use. */
  injections: Map<string, Injected> | undefined;
}

/** A node of a run. `index` -1 is the run itself. */
export interface Place {
  readonly frame: Frame;
  readonly index: number;
}

/** Where a frame belongs. Absent: nowhere, it is the run's own. */
export interface Holder extends Place {
  /** `scope`: a failure in it is caught there. */
  readonly kind: "subsaga" | "scope" | "handler" | "item";
  readonly ordinal?: number;
  readonly key?: string | undefined;
}

export function makeFrame(plan: Plan, params: string | undefined, holder?: Holder): Frame {
  const count = plan.nodes.length;
  const { frame: parent, index = -1, kind, ordinal = 0, key = ordinal } = holder ?? {};
  const frame: { -readonly [Key in keyof Frame]: Frame[Key] } = {
    plan,
    parent,
    index,
    ordinal,
    method: undefined as never,
    scope: undefined as never,
    prefix:
      parent === undefined ? "" : `${pathOf(parent, index)}${kind === "item" ? `[${key}]` : ""}/`,
    params,
    phase: new Uint8Array(count),
    waiting: plan.parentCount.slice(),
    attempt: new Int32Array(count),
    inputs: [],
    outputs: [],
    left: count,
    inside: undefined,
    released: undefined,
    failures: undefined,
    trouble: undefined,
    unwinding: undefined,
  };
  frame.method = parent === undefined || kind === "subsaga" ? frame : parent.method;
  frame.scope = parent === undefined || kind === "scope" ? frame : parent.scope;
  if (frame.scope === frame) frame.failures = [];
  return frame;
}

/** Makes room for what is inside a node. */
export function makeInside(
  frame: Frame,
  index: number,
  items: readonly (string | undefined)[],
  keys?: readonly string[],
): Inside {
  const inside: Inside = {
    frames: [],
    handler: undefined,
    items,
    keys,
    left: items.length,
    arms: [],
    exited: undefined,
    failed: false,
    undoing: false,
    unsettled: 0,
  };
  (frame.inside ??= new Map()).set(index, inside);
  return inside;
}

export function nodeOf(frame: Frame, index: number): Node {
  return frame.plan.nodes[index] as Node;
}

/** `payment`, `serverAlloc/pick`, `nics[0]/create`. */
export function pathOf(frame: Frame, index: number): string {
  return frame.prefix + nodeOf(frame, index).name;
}

/** The node of a path. Fails on a path that the run does not have. */
export function placeOf(state: RunState, path: string): Place {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const frame = slash < 0 ? state.root : byPrefixOf(state).get(path.slice(0, slash + 1));
  if (frame !== undefined) {
    const index = frame.plan.index.get(name);
    if (index !== undefined) return { frame, index };
    // A handler shares its prefix with what it handles.
    const handler = frame.parent?.inside?.get(frame.index)?.handler;
    const inHandler = handler?.plan.index.get(name);
    if (handler !== undefined && inHandler !== undefined) {
      return { frame: handler, index: inHandler };
    }
  }
  throw new StenoError(
    "no-such-node",
    `the run has no node \`${path}\`: see the nodes in its status`,
  );
}

/** Makes a frame part of the run. */
export function addFrame(state: RunState, frame: Frame): void {
  state.frames.push(frame);
  if (state.byPrefix !== undefined) addPrefix(state.byPrefix, frame);
}

/** While a run goes on, hosts know where its nodes are: paths are for logs, and for operators. */
function byPrefixOf(state: RunState): ReadonlyMap<string, Frame> {
  if (state.byPrefix === undefined) {
    state.byPrefix = new Map<string, Frame>();
    for (const frame of state.frames) if (frame !== state.root) addPrefix(state.byPrefix, frame);
  }
  return state.byPrefix;
}

function addPrefix(byPrefix: Map<string, Frame>, frame: Frame): void {
  if (!byPrefix.has(frame.prefix)) byPrefix.set(frame.prefix, frame);
}

export function troubleOf(frame: Frame): Trouble {
  const count = frame.plan.nodes.length;
  return (frame.trouble ??= {
    free: new Int32Array(count),
    undoFree: new Int32Array(count),
    crashes: new Int32Array(count),
    freed: new Uint8Array(count),
    dueAt: new Float64Array(count),
    last: [],
  });
}

/**
 * Whether the node's fate need not be known: it is undone whatever it did, or never. That of a pivot
 * must: whether the run goes forward or back hangs on it.
 */
export function endsOnAbort(node: Node): boolean {
  if (node.kind !== "action" || node.pivot === true) return false;
  return node.undoWhen === "started" || node.undo === "none";
}

/** Whether a failed attempt of the node is undone. */
export function undoesFailed(node: Node): node is ActionNode {
  return node.kind === "action" && node.undoWhen === "started" && node.undo !== "none";
}

/** Whether nothing may start now. */
export function isHeld(state: RunState): boolean {
  return state.paused !== undefined || state.stuck > 0;
}

/** Whether a paused run was asked to do what this node's turn is for. */
export function isStepping({ debugging }: RunState, frame: Frame, index: number): boolean {
  if (debugging?.stepping === undefined) return false;
  return debugging.stepping === (index < 0 ? "" : pathOf(frame, index));
}

/** Whether a node's next attempt may start now: what an operator asked for does, beside stuck nodes. */
export function mayGoOn(state: RunState, frame: Frame, index: number): boolean {
  if (state.paused !== undefined && !isStepping(state, frame, index)) return false;
  return state.stuck === 0 || frame.trouble?.freed[index] === 1;
}

/** Lets a node go on to its end, also while others are stuck. */
export function setFree(state: RunState, frame: Frame, index: number): void {
  const { freed } = troubleOf(frame);
  if (freed[index] === 1) return;
  freed[index] = 1;
  state.freed += 1;
}

/** The node has come to its end. */
export function endFree(state: RunState, frame: Frame, index: number): void {
  if (frame.trouble?.freed[index] !== 1) return;
  frame.trouble.freed[index] = 0;
  state.freed -= 1;
}

/** Where the run is, in the words of its row. */
export function statusOf(
  state: RunState,
): "running" | "unwinding" | "stuck" | "succeeded" | "undone" {
  if (state.finished !== undefined) return state.finished;
  if (state.stuck > 0 && state.inFlight === 0 && state.freed === 0) return "stuck";
  return state.unwinding ? "unwinding" : "running";
}
