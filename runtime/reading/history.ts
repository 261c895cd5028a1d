/**
 * Reading a run: its state from its log, the tree of its nodes' states, and how it ended. Pure
 * functions of a manifest and events, for whoever shows a run; nothing here changes one.
 */
import { SagaFailedError, type SagaFailure, SagaStuckError, StenoError } from "../errors.js";
import type { LoggedEvent, SagaEvent } from "../events.js";
import { advance } from "../machine.js";
import { needsOperator } from "../machine/by-operator.js";
import { type NodeRecords, recordsOf } from "./node-records.js";
import { makePlan, type Plan } from "../machine/plan.js";
import { type Manifest, type Node, type NodeKind, parseManifest } from "../manifest.js";
import { type ErrorClasses, sagaFailure } from "../codec/recorded-error.js";
import {
  type Frame,
  type Inside,
  type NodeState,
  pathOf,
  PHASE,
  PHASE_NAMES,
  type RunState,
} from "../state.js";

/** The state of a node, with those of the nodes inside it. */
export interface NodeStatus {
  /** The node's path. */
  readonly path: string;
  readonly name: string;
  /** `item`: one of a map or loop. */
  readonly kind: NodeKind | "item";
  /** The action, the saga of a subsaga or a spawn, the name of an event; else the kind. */
  readonly label: string;
  readonly state: NodeState;
  /** Attempts of the body so far, and of its undo. */
  readonly attempts: number;
  readonly undoAttempts: number;
  /** When it is tried again, or what it waits for is due, in milliseconds since the epoch. */
  readonly dueAt?: number;
  /** When its first attempt began, and when it came to its end; a `try` and an item have none. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** When the first attempt of its undo began, and when it was undone or settled. */
  readonly undoStartedAt?: number;
  readonly undoneAt?: number;
  /** The last error of an attempt, or of one of its undo. */
  readonly error?: { readonly name: string; readonly message: string };
  /** What is inside: nodes, or the items of a map or loop as far as they are known. */
  readonly nodes?: readonly NodeStatus[];
  /** Of a scope: the nodes of its `catch`. */
  readonly handler?: readonly NodeStatus[];
  /** The nodes directly before it. */
  readonly after: readonly string[];
}

/** Folds a saga log. @throws StenoError `corrupt-log` */
export function foldLog(plan: Plan, events: Iterable<SagaEvent>): RunState {
  let state: RunState | undefined;
  for (const event of events) {
    if ("damaged" in event) throw damaged(event as LoggedEvent);
    state = advance(state ?? plan, event).state;
  }
  if (state !== undefined) return state;
  throw new StenoError("corrupt-log", "the saga log is empty: the store was damaged or changed");
}

/** What is said of a run whose row has another checksum than it was written with. */
export function damagedRow(id: string): StenoError {
  return new StenoError(
    "corrupt-log",
    `the row of run \`${id}\` is not what was written: something has changed it in the store`,
  );
}

function damaged({ seq, type }: LoggedEvent): StenoError {
  return new StenoError(
    "corrupt-log",
    `event ${seq} (\`${type}\`) is not what was written: something has changed it in the store`,
  );
}

/** The states of all nodes of a run, from its manifest and its log. */
export function nodeStates(manifest: Manifest, events: Iterable<SagaEvent>): NodeStatus[] {
  const plan = makePlan(parseManifest(manifest));
  const log = [...events];
  return statusTree(foldLog(plan, log), recordsOf(log));
}

/** A graph whose nodes are still to be listed. */
interface Open {
  readonly plan: Plan;
  readonly frame: Frame | undefined;
  readonly prefix: string;
  /** Where its nodes are if it was never entered. */
  readonly otherwise: number;
  readonly into: NodeStatus[];
}

/** The states of all nodes of a run, as a tree; with what its log says of each. */
export function statusTree(state: RunState, records: NodeRecords = new Map()): NodeStatus[] {
  const { root } = state;
  const roots: NodeStatus[] = [];
  const open: Open[] = [
    { plan: root.plan, frame: root, prefix: "", otherwise: PHASE.blocked, into: roots },
  ];
  // A list and not a recursion: nesting may be deeper than the stack.
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (let index = 0; index < next.plan.nodes.length; index++) {
      next.into.push(statusOfNode(next, index, open, records));
    }
  }
  return roots;
}

function statusOfNode(at: Open, index: number, open: Open[], records: NodeRecords): NodeStatus {
  const { plan, frame, prefix, otherwise } = at;
  const node = plan.nodes[index] as Node;
  const phase = frame?.phase[index] ?? otherwise;
  const path = prefix + node.name;
  const dueAt = DUE.has(phase) ? frame?.trouble?.dueAt[index] : undefined;
  const status = {
    path,
    name: node.name,
    kind: node.kind,
    label: labelOf(node),
    state: PHASE_NAMES[phase] as NodeState,
    attempts: frame?.attempt[index] ?? 0,
    undoAttempts: frame?.unwinding?.attempt[index] ?? 0,
    ...(dueAt ? { dueAt } : {}),
    ...records.get(path),
    after: node.after.map((each) => (typeof each === "string" ? each : each.node)),
  };
  const inner = plan.plans.get(index);
  if (inner === undefined) return status;
  const inside = frame?.inside?.get(index);
  const enter = (graph: Plan, of: Frame | undefined): readonly NodeStatus[] => {
    const into: NodeStatus[] = [];
    const entered = notEntered(phase);
    open.push({ plan: graph, frame: of, prefix: `${path}/`, otherwise: entered, into });
    return into;
  };
  if (node.kind === "map" || node.kind === "loop") {
    const nodes = itemsOf(path, node.kind, phase, inner, inside, open);
    return { ...status, nodes };
  }
  const nodes = enter(inner, inside?.frames[0]);
  const handler = plan.handlers.get(index);
  if (handler === undefined || handler.nodes.length === 0) return { ...status, nodes };
  return { ...status, nodes, handler: enter(handler, inside?.handler) };
}

function labelOf(node: Node): string {
  if (node.kind === "action") return node.action;
  if (node.kind === "subsaga") return node.saga;
  return ("target" in node ? node.target : undefined) ?? node.kind;
}

/** Phases in which a node waits for a time. */
const DUE: ReadonlySet<number> = new Set([
  PHASE.backoff,
  PHASE.doubt,
  PHASE.undoBackoff,
  PHASE.waiting,
]);

/** Where the nodes of a graph are that was never entered, by the phase of the node that holds it. */
function notEntered(phase: number): number {
  if (phase === PHASE.done || phase === PHASE.skipped) return PHASE.skipped;
  const ended = [PHASE.abandoned, PHASE.failed, PHASE.undone] as readonly number[];
  return ended.includes(phase) ? PHASE.abandoned : PHASE.blocked;
}

function itemsOf(
  path: string,
  kind: "map" | "loop",
  phase: number,
  plan: Plan,
  inside: Inside | undefined,
  open: Open[],
): NodeStatus[] {
  const names = (inside?.items ?? []).map((_, ordinal) => `${inside?.keys?.[ordinal] ?? ordinal}`);
  return names.map((key, ordinal) => {
    const frame = inside?.frames[ordinal];
    const otherwise = inside?.exited === undefined ? notEntered(phase) : PHASE.skipped;
    const nodes: NodeStatus[] = [];
    const item = `${path}[${key}]`;
    open.push({ plan, frame, prefix: `${item}/`, otherwise, into: nodes });
    const last = names[ordinal - 1];
    return {
      path: item,
      name: item.slice(item.lastIndexOf("/") + 1),
      kind: "item",
      label: "item",
      state: PHASE_NAMES[frame === undefined ? otherwise : phaseOfFrame(frame)] as NodeState,
      attempts: 0,
      undoAttempts: 0,
      nodes,
      after:
        kind === "map" || last === undefined
          ? []
          : [`${path.slice(path.lastIndexOf("/") + 1)}[${last}]`],
    };
  });
}

function phaseOfFrame({ left, unwinding }: Frame): number {
  if (unwinding?.unsettled === 0) return PHASE.undone;
  return left === 0 && unwinding === undefined ? PHASE.done : PHASE.open;
}

/** The nodes that wait for an operator. */
export function stuckNodes(state: RunState, classes?: ErrorClasses): SagaFailure[] {
  const found: SagaFailure[] = [];
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      const phase = frame.phase[index];
      if (!needsOperator(frame, index)) continue;
      const attempts = phase === PHASE.undoFailed ? frame.unwinding?.attempt : frame.attempt;
      const error = frame.trouble?.last[index] ?? "null";
      const node = pathOf(frame, index);
      found.push(sagaFailure({ node, attempt: attempts?.[index] ?? 0, error }, classes));
    }
  }
  const result = state.heldResult;
  if (result !== undefined)
    found.push(sagaFailure({ node: "", attempt: 1, error: result }, classes));
  return found;
}

/**
 * What a run at rest came to: the JSON of its result; or it throws the error for how it ended.
 * `byMethods`: the command `steno` does nothing where it is.
 */
export function outcomeOf(
  id: string,
  state: RunState,
  classes?: ErrorClasses,
  byMethods?: boolean,
): string | undefined {
  if (state.finished === "succeeded") return state.output;
  const failures = state.failures.map((each) => sagaFailure(each, classes));
  if (state.finished === "undone") throw new SagaFailedError(id, failures);
  throw new SagaStuckError(id, stuckNodes(state, classes), failures, byMethods);
}

/**
 * The states of a run's nodes as steno prints them: one line a node, nodes side by side one level
 * deeper, and what is inside a subsaga between its start and its end.
 */
export function statusText(id: string, nodes: readonly NodeStatus[]): string {
  const lines = [`+ saga execution: ${id}`];
  type Item = { readonly level: number; readonly text: string } | Inner;
  interface Inner {
    readonly level: number;
    readonly nodes: readonly NodeStatus[];
  }
  const todo: Item[] = [{ level: 0, nodes }];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    if ("text" in item) {
      lines.push(`${" ".repeat(8 * item.level)}+-- ${item.text}`);
      continue;
    }
    const items: Item[] = [];
    for (const stage of stages(item.nodes)) {
      const level = stage.length > 1 ? item.level + 1 : item.level;
      if (stage.length > 1) items.push({ level: item.level, text: "(parallel actions):" });
      for (const node of stage) pushNode(items, level, node);
    }
    for (const each of items.reverse()) todo.push(each);
  }
  return `${lines.join("\n")}\n`;

  function pushNode(items: Item[], level: number, node: NodeStatus): void {
    if (node.nodes === undefined) {
      const label = node.label === node.name ? "" : ` (produces "${node.name}")`;
      items.push({ level, text: `${node.state}: ${node.label}${label}` });
      return;
    }
    const { kind, state, name, label } = node;
    const what = kind === "subsaga" ? ` "${label}"` : ` "${name}"`;
    items.push({ level, text: `${state}: (${kind} start:${what})` });
    items.push({ level: level + 1, nodes: node.nodes });
    if (node.handler !== undefined) {
      items.push({ level, text: `${state}: (scope handler)` });
      items.push({ level: level + 1, nodes: node.handler });
    }
    const produces = kind === "subsaga" || kind === "map" ? ` (produces "${name}")` : "";
    items.push({ level, text: `${state}: (${kind} end)${produces}` });
  }
}

/** Nodes by how many are before them on the longest way: those of one stage are side by side. */
function stages(nodes: readonly NodeStatus[]): NodeStatus[][] {
  const depths = new Map<string, number>();
  const found: NodeStatus[][] = [];
  for (const node of nodes) {
    let depth = 0;
    for (const before of node.after) depth = Math.max(depth, (depths.get(before) ?? 0) + 1);
    depths.set(node.name, depth);
    (found[depth] ??= []).push(node);
  }
  return found;
}
