/** `steno show`: a run as the indented tree of its nodes' states, in steno's layout. */
import { nodeStates, type NodeStatus, statusText } from "../history.js";
import type { NodeState } from "../state.js";
import type { StoreReader } from "../stores/store.js";
import { noSuchRun } from "./control.js";
import { runSummary } from "./look.js";
import { manyLines, oneLine, type Output, paintStatus } from "./output.js";
import { Problem } from "./problem.js";
import { reasonBeside } from "./report.js";

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
  const nodes = nodeStates(manifest, await reader.events(id));
  const owned = await reader.owned();
  if (output.json) {
    output.value({ ...runSummary(run), owned, nodes: nodes.map(nodeForPrograms) });
    return;
  }
  const said = reasonBeside(run);
  const reason = said === "" ? "" : ` (${said})`;
  output.line(`${oneLine(run.saga)}: ${paintStatus(output, run.status)}${reason}`);
  const tree = manyLines(statusText(run.id, nodes).trimEnd());
  output.line(
    tree.replace(/^( *\+-- )([a-z-]+)(?=: )/gm, (_, indent: string, state: string) => {
      return `${indent}${paintState(output, state)}`;
    }),
  );
  // Else "working" would be believed.
  if (!owned && run.status !== "succeeded" && run.status !== "undone") {
    output.remark(
      "no coordinator is alive: the run goes on when one opens the store (steno recover)",
    );
  }
}

function nodeForPrograms({ dueAt, nodes, ...status }: NodeStatus): object {
  return {
    ...status,
    ...(dueAt !== undefined && { dueAt: new Date(dueAt).toISOString() }),
    ...(nodes !== undefined && { nodes: nodes.map(nodeForPrograms) }),
  };
}

function paintState(output: Output, state: string): string {
  const { colors } = output;
  const paints: Partial<Record<NodeState, (text: string) => string>> = {
    working: colors.cyan,
    done: colors.green,
    failed: colors.red,
    "undo-working": colors.yellow,
    undone: colors.yellow,
    "undo-failed": colors.magenta,
  };
  return (paints[state as NodeState] ?? colors.dim)(state);
}
