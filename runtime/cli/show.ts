/**
 * `steno show`: a run as the indented tree of its nodes' states, in steno's layout. Nodes that
 * may run side by side stand one level deeper under `(parallel actions)`.
 */
import type { Node } from "../manifest.js";
import type { StoreReader } from "../stores/store.js";
import { noSuchRun } from "./control.js";
import { type NodeState, nodeStates, type NodeView } from "./node-states.js";
import { moment, oneLine, type Output, paintStatus } from "./output.js";
import { Problem } from "./problem.js";
import { runSummary } from "./look.js";

const INDENT = " ".repeat(8);

/** Prints one run. */
export async function show(
  output: Output,
  reader: StoreReader,
  id: string,
  store: string,
): Promise<void> {
  const run = await reader.run(id);
  if (run === undefined) throw noSuchRun(id, store);
  const manifest = await reader.definition(run.hash);
  if (manifest === undefined) {
    throw new Problem(
      "definition-missing",
      `${store} does not have the definition ${run.hash} of run \`${id}\`: \`steno log\` still works`,
    );
  }
  const nodes = nodeStates(manifest, await reader.events(id), run.status);
  if (output.json) {
    output.value({ ...runSummary(run), nodes: nodes.map(viewForPrograms) });
    return;
  }
  const reason = run.reason === undefined ? "" : ` (${oneLine(run.reason)})`;
  output.line(`${oneLine(run.saga)}: ${paintStatus(output, run.status)}${reason}`);
  output.line(`+ saga execution: ${oneLine(run.id)}`);
  for (const line of treeLines(nodes, (state) => paintState(output, state))) output.line(line);
}

/** The lines of the tree, without the one that names the run. */
export function treeLines(
  nodes: readonly NodeView[],
  paint: (state: NodeState) => string = (state) => state,
): string[] {
  const lines: string[] = [];
  // What is still to be printed, last first; an explicit stack, since nesting may be deep.
  const rest: (NodeView | string)[][] = [];
  const depths: number[] = [];
  const push = (depth: number, items: (NodeView | string)[]): void => {
    rest.push(items.reverse());
    depths.push(depth);
  };
  pushStages(nodes, 0, push);
  while (rest.length > 0) {
    const items = rest.at(-1)!;
    const depth = depths.at(-1)!;
    const item = items.pop();
    if (item === undefined) {
      rest.pop();
      depths.pop();
    } else if (typeof item === "string") {
      lines.push(`${INDENT.repeat(depth)}+-- ${item}`);
    } else {
      const state = paint(item.state);
      lines.push(`${INDENT.repeat(depth)}+-- ${state}: ${label(item)}`);
      if (item.children.length > 0) {
        push(depth, [`${state}: ${closing(item)}`]);
        pushStages(item.children, depth + 1, push);
      }
    }
  }
  return lines;
}

/** Puts the stages of a graph on the stack, the last one first. */
function pushStages(
  nodes: readonly NodeView[],
  depth: number,
  push: (depth: number, items: (NodeView | string)[]) => void,
): void {
  for (const stage of stagesOf(nodes).reverse()) {
    if (stage.length === 1) push(depth, [...stage]);
    else {
      push(depth + 1, [...stage]);
      push(depth, ["(parallel actions):"]);
    }
  }
}

/** Nodes by how many others must come before them: those of one stage may run side by side. */
function stagesOf(nodes: readonly NodeView[]): NodeView[][] {
  const stageOf = new Map<string, number>();
  const stages: NodeView[][] = [];
  for (const view of nodes) {
    let stage = 0;
    for (const after of view.node.after) {
      const name = typeof after === "string" ? after : after.node;
      stage = Math.max(stage, (stageOf.get(name) ?? -1) + 1);
    }
    stageOf.set(view.node.name, stage);
    (stages[stage] ??= []).push(view);
  }
  return stages;
}

function label(view: NodeView): string {
  const { node } = view;
  const produces = ` (produces "${oneLine(view.path)}")`;
  const times = view.attempts > 1 ? ` (attempt ${view.attempts})` : "";
  const due = view.dueAt === undefined ? "" : ` (due ${moment(view.dueAt)})`;
  if (view.children.length > 0) return opening(node);
  return `${kindLabel(node)}${produces}${times}${due}`;
}

function kindLabel(node: Node): string {
  if (node.kind === "action") return oneLine(node.action);
  return `(${node.kind})`;
}

function opening(node: Node): string {
  return node.kind === "subsaga"
    ? `(subsaga start: "${oneLine(node.saga)}")`
    : `(${node.kind} start)`;
}

function closing(view: NodeView): string {
  return `(${view.node.kind} end) (produces "${oneLine(view.path)}")`;
}

function viewForPrograms(view: NodeView): object {
  const { path, node, state, attempts, dueAt, children } = view;
  return {
    ...{ node: path, kind: node.kind, state, attempts },
    ...(node.kind === "action" && { action: node.action }),
    ...(node.kind === "subsaga" && { saga: node.saga }),
    ...(dueAt !== undefined && { dueAt: new Date(dueAt).toISOString() }),
    ...(children.length > 0 && { nodes: children.map(viewForPrograms) }),
  };
}

function paintState(output: Output, state: NodeState): string {
  const { colors } = output;
  const paints: Readonly<Record<NodeState, (text: string) => string>> = {
    blocked: colors.dim,
    skipped: colors.dim,
    abandoned: colors.dim,
    working: colors.cyan,
    waiting: colors.cyan,
    done: colors.green,
    failed: colors.red,
    "in-doubt": colors.magenta,
    "undo-working": colors.yellow,
    undone: colors.yellow,
    "undo-failed": colors.magenta,
  };
  return paints[state](state);
}
