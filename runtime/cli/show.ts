/** `steno show`: a run as the indented tree of its nodes' states, in steno's layout. */
import { shownStore } from "./store.js";
import { foldLog, type NodeStatus, statusText, statusTree } from "../reading/history.js";
import { makePlan } from "../machine/plan.js";
import { parseManifest } from "../manifest.js";
import { recordsOf } from "../reading/node-records.js";
import { type Hold, holdsOf, missingOf } from "../operating/reasons.js";
import type { NodeState, RunState } from "../state.js";
import type { RunRow, StoreReader } from "../stores/store.js";
import { noSuchRun } from "./control.js";
import { runSummary } from "./look.js";
import { manyLines, moment, oneLine, type Output, paintStatus } from "./output.js";
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
      `${shownStore(store)} does not have the definition ${run.hash} of run \`${id}\`: \`steno log\` still works`,
    );
  }
  const events = await reader.events(id);
  const state = foldLog(makePlan(parseManifest(manifest)), events);
  const nodes = statusTree(state, recordsOf(events));
  const owned = await reader.owned();
  const holds = holdsIn(run, state, owned);
  if (output.json) {
    const told = holds.map(timesForPrograms);
    output.value({ ...runSummary(run), owned, holds: told, nodes: nodes.map(nodeForPrograms) });
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
  for (const hold of holds) {
    if (hold.reason !== "no-coordinator") output.line(`  ${oneLine(holdText(hold))}`);
  }
  for (const { path, error } of failing(nodes)) {
    output.line(`  ${oneLine(`${path}: ${error?.name}: ${error?.message}`)}`);
  }
  // Else "working" would be believed.
  if (!owned && run.status !== "succeeded" && run.status !== "undone") {
    output.remark(
      "no coordinator is alive: the run goes on when one opens the store (steno recover)",
    );
  }
}

/** All that holds the run, as far as its row and its log tell. */
function holdsIn(run: RunRow, state: RunState, owned: boolean): readonly Hold[] {
  if (state.finished !== undefined) return [];
  const holds = [...holdsOf(state)];
  const { reason } = run;
  if (reason === "definition-missing") {
    holds.unshift({ reason, message: missingOf(run) });
  } else if (reason === "corrupt-log" || reason === "not-recoverable") {
    holds.unshift({ reason, message: "see what the coordinator said when it opened the store" });
  }
  if (reason === "waiting-limit") holds.push({ reason, node: "", limit: "" });
  if (!owned) holds.push({ reason: "no-coordinator" });
  return holds;
}

/** What holds a run, and until when or what, for people. */
function holdText(hold: Hold): string {
  switch (hold.reason) {
    case "paused":
      return `paused${hold.why && `: ${hold.why}`}`;
    case "breakpoint":
      return `paused by the breakpoint ${hold.at} ${hold.node}`;
    case "crash-loop":
      return "paused, since its attempts ended with the process again and again";
    case "undo-failed":
      return `stuck: the undo of ${hold.node} failed, after ${hold.attempt} attempts`;
    case "in-doubt":
      return `stuck: whether ${hold.node} had its effect is not known, after ${hold.attempt} attempts`;
    case "action-failed":
      return `stuck: ${hold.node || "the run itself"} failed, and an operator is to say what now`;
    case "waiting-timer":
      return `${hold.node} waits until ${moment(hold.until)}`;
    case "waiting-retry":
      return `${hold.node} is tried again at ${moment(hold.until)}`;
    case "waiting-event": {
      const until = hold.until === undefined ? "" : `, until ${moment(hold.until)}`;
      return `${hold.node} waits for the event ${hold.event}${until}`;
    }
    case "waiting-run":
      return `${hold.node} waits for the run ${hold.run}`;
    case "waiting-limit":
      return "waits for a limit: as many attempts run as it allows";
    case "definition-missing":
    case "corrupt-log":
    case "not-recoverable":
      return `${hold.reason}: ${hold.message}`;
    case "no-coordinator":
      return "no coordinator is alive";
  }
}

/** Nodes with an error that is not made good: they wait for another attempt, or an operator. */
function failing(nodes: readonly NodeStatus[]): readonly NodeStatus[] {
  const found: NodeStatus[] = [];
  const open = [...nodes];
  // A list and not a recursion: nesting may be deeper than the stack.
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (next.error !== undefined && FAILING.has(next.state)) found.push(next);
    open.push(...(next.nodes ?? []), ...(next.handler ?? []));
  }
  return found;
}

const FAILING: ReadonlySet<NodeState> = new Set<NodeState>([
  "waiting-to-retry",
  "waiting-to-retry-undo",
  "undo-failed",
  "failure-held",
]);

function nodeForPrograms({ nodes, handler, ...status }: NodeStatus): object {
  return {
    ...timesForPrograms(status),
    ...(nodes !== undefined && { nodes: nodes.map(nodeForPrograms) }),
    ...(handler !== undefined && { handler: handler.map(nodeForPrograms) }),
  };
}

/** Times as texts, which programs of all languages read. */
function timesForPrograms(value: object): object {
  const isTime = (name: string, time: unknown): boolean =>
    typeof time === "number" && (name.endsWith("At") || name === "until");
  return Object.fromEntries(
    Object.entries(value).map(([name, each]: [string, unknown]) => [
      name,
      isTime(name, each) ? new Date(each as number).toISOString() : each,
    ]),
  );
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
