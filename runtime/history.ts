/**
 * Reading a run: its state from its log, the tree of its nodes' states, and how it ended. Pure
 * functions of a manifest and events, for whoever shows a run; nothing here changes one.
 */
import { decode } from "./codec.js";
import { SagaFailedError, type SagaFailure, SagaStuckError, StenoError } from "./errors.js";
import type { SagaEvent } from "./events.js";
import { advance } from "./machine.js";
import { makePlan, type Plan } from "./machine/plan.js";
import { type Manifest, type NodeKind, parseManifest } from "./manifest.js";
import { sagaFailure } from "./recorded-error.js";
import { type Frame, type NodeState, pathOf, PHASE, PHASE_NAMES, type RunState } from "./state.js";

/** The state of a node, with those of the nodes inside it. */
export interface NodeStatus {
  /** The node's path. */
  readonly path: string;
  readonly name: string;
  readonly kind: NodeKind;
  /** The action, or the saga of a subsaga. */
  readonly label: string;
  readonly state: NodeState;
  /** Attempts of the body so far, and of its undo. */
  readonly attempts: number;
  readonly undoAttempts: number;
  /** When it is tried again, in milliseconds since the epoch. */
  readonly dueAt?: number;
  readonly nodes?: readonly NodeStatus[];
  /** The nodes directly before it. */
  readonly after: readonly string[];
}

/** Folds a saga log. @throws StenoError `corrupt-log` */
export function foldLog(plan: Plan, events: Iterable<SagaEvent>): RunState {
  let state: RunState | undefined;
  for (const event of events) state = advance(state ?? plan, event).state;
  if (state !== undefined) return state;
  throw new StenoError("corrupt-log", "the saga log is empty: the store was damaged or changed");
}

/** The states of all nodes of a run, from its manifest and its log. */
export function nodeStates(manifest: Manifest, events: Iterable<SagaEvent>): NodeStatus[] {
  const plan = makePlan(parseManifest(manifest));
  return statusTree(foldLog(plan, events));
}

/** The states of all nodes of a run, as a tree. */
export function statusTree(state: RunState): NodeStatus[] {
  const roots: NodeStatus[] = [];
  interface Open {
    readonly plan: Plan;
    readonly frame: Frame | undefined;
    readonly prefix: string;
    readonly above: number;
    readonly into: NodeStatus[];
  }
  const open: Open[] = [
    { plan: state.root.plan, frame: state.root, prefix: "", above: PHASE.open, into: roots },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { plan, frame, prefix, above, into } = next;
    for (const [index, node] of plan.nodes.entries()) {
      // A graph that was never entered is where the node that holds it is.
      const notEntered = above === PHASE.abandoned ? PHASE.abandoned : PHASE.blocked;
      const phase = frame?.phase[index] ?? notEntered;
      const inner = plan.plans.get(index);
      const nodes: NodeStatus[] = [];
      const dueAt =
        phase === PHASE.backoff || phase === PHASE.doubt || phase === PHASE.undoBackoff
          ? frame?.trouble?.dueAt[index]
          : undefined;
      into.push({
        path: prefix + node.name,
        name: node.name,
        kind: node.kind,
        label:
          node.kind === "action" ? node.action : node.kind === "subsaga" ? node.saga : node.kind,
        state: PHASE_NAMES[phase] as NodeState,
        attempts: frame?.attempt[index] ?? 0,
        undoAttempts: frame?.unwinding?.attempt[index] ?? 0,
        ...(dueAt ? { dueAt } : {}),
        ...(inner === undefined ? {} : { nodes }),
        after: node.after.map((each) => (typeof each === "string" ? each : each.node)),
      });
      if (inner !== undefined) {
        const path = `${prefix}${node.name}/`;
        open.push({
          plan: inner,
          frame: frame?.frames.get(index),
          prefix: path,
          above: phase,
          into: nodes,
        });
      }
    }
  }
  return roots;
}

/** The nodes that wait for an operator. */
export function stuckNodes(state: RunState): SagaFailure[] {
  const found: SagaFailure[] = [];
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      const phase = frame.phase[index];
      if (phase !== PHASE.undoFailed && phase !== PHASE.doubtStuck) continue;
      const attempts = phase === PHASE.undoFailed ? frame.unwinding?.attempt : frame.attempt;
      const error = frame.trouble?.last[index] ?? "null";
      const node = pathOf(frame, index);
      found.push(sagaFailure({ node, attempt: attempts?.[index] ?? 0, error }));
    }
  }
  return found;
}

/** What a run at rest came to: its result, or the error for how it ended. */
export function outcomeOf(id: string, state: RunState): unknown {
  if (state.finished === "succeeded") return decode(state.output);
  const failures = state.failures.map(sagaFailure);
  if (state.finished === "undone") throw new SagaFailedError(id, failures);
  throw new SagaStuckError(id, stuckNodes(state), failures);
}

/**
 * The states of a run's nodes as steno prints them: one line a node, nodes side by side one level
 * deeper, and what is inside a subsaga between its start and its end.
 */
export function statusText(id: string, nodes: readonly NodeStatus[]): string {
  const lines = [`+ saga execution: ${id}`];
  type Item = { readonly level: number; readonly text: string } | Open;
  interface Open {
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
    items.push({ level, text: `${node.state}: (subsaga start: "${node.label}")` });
    items.push({ level: level + 1, nodes: node.nodes });
    items.push({ level, text: `${node.state}: (subsaga end) (produces "${node.name}")` });
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
