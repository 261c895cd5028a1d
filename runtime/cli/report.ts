/** How the end of a run is told: its result, or what failed, where, and what was undone. */
import { shownStore } from "./store.js";
import { fileURLToPath } from "node:url";
import type { RunRow, StoreReader } from "../stores/store.js";
import { type Failure, type History, historyOf, parseValue, stuckNodes } from "./failures.js";
import { manyLines, oneLine, type Output, paintStatus, shellWord } from "./output.js";
import { EXIT } from "./problem.js";

/** Lines of a stack that are shown; the rest is in `steno log --json`. */
const STACK_LINES = 6;

/** Whether it waits for `steno resume`: until then it has no result, and no error either. */
export function isPaused({ reason }: RunRow): boolean {
  return reason === "paused" || reason === "crash-loop" || reason === "breakpoint";
}

/** The exit code that a run at rest gives. A run that needs an operator counts as stuck. */
export function exitCodeOf(run: RunRow): number {
  switch (run.status) {
    case "succeeded":
      return EXIT.fine;
    case "undone":
      return EXIT.failed;
    default:
      return EXIT.stuck;
  }
}

/** A run at rest, for programs. */
export async function runAsValue(reader: StoreReader, run: RunRow): Promise<object> {
  const output = parseValue(run.output);
  return {
    id: run.id,
    saga: run.saga,
    status: run.status,
    ...(run.reason !== undefined && { reason: run.reason }),
    ...(output !== undefined && { output }),
    ...(run.status !== "succeeded" && historyOf(await reader.events(run.id))),
  };
}

/** Tells people how a run ended, in full. */
export async function tellRun(
  output: Output,
  reader: StoreReader,
  run: RunRow,
  store: string,
): Promise<void> {
  if (run.status === "succeeded") {
    output.line(headline(output, run));
    if (run.output !== undefined) {
      output.line(manyLines(JSON.stringify(parseValue(run.output), undefined, 2)));
    }
    return;
  }
  const history = historyOf(await reader.events(run.id));
  const { failures, undone, undoFailures, inDoubt, held } = history;
  output.line(headline(output, run));
  for (const failure of failures)
    tellFailure(output, `${failure.node || "the run itself"} failed`, failure);
  for (const failure of undoFailures) {
    tellFailure(output, `the undo of ${failure.node} failed`, failure);
  }
  for (const failure of held) {
    tellFailure(output, `${failure.node || "the result"} failed and waits for you`, failure);
  }
  for (const { node, doubt } of inDoubt) {
    output.line(`  ${oneLine(node)} is in doubt (${oneLine(doubt)}): it may have had its effect`);
  }
  if (undone.length > 0) output.line(`  undone: ${undone.map((node) => oneLine(node)).join(", ")}`);
  tellWhatToDo(output, run, history, store);
}

/** Tells of a run that waits for an operator which commands free it. */
export function tellWhatToDo(output: Output, run: RunRow, history: History, store: string): void {
  const [id, at] = [shellWord(run.id), `--store ${shellWord(shownStore(store))}`];
  const lines: string[] = [];
  if (isPaused(run)) lines.push(`steno resume ${id} ${at}`);
  for (const node of run.status === "stuck" ? stuckNodes(history) : []) {
    lines.push(`steno retry ${id} ${shellWord(node)} ${at}`);
    lines.push(`steno settle ${id} ${shellWord(node)} --reason "…" ${at}`);
  }
  if (lines.length === 0) return;
  output.line(
    `  to go on (and, if no coordinator is alive, \`steno recover <bundle> ${at}\` then):`,
  );
  for (const line of lines) output.line(`    ${line}`);
}

/** `succeeded  trip-42  BookTrip.bookTrip`, with the reason if it is not moving. */
export function headline(output: Output, run: RunRow): string {
  const said = reasonBeside(run);
  const reason = said === "" ? "" : `  (${said})`;
  return `${paintStatus(output, run.status)}  ${oneLine(run.id)}  ${oneLine(run.saga)}${reason}`;
}

/** Why a run is not moving, to be shown beside its status; empty where that says it already. */
export function reasonBeside({ status, reason }: RunRow): string {
  return reason === undefined || reason === status ? "" : oneLine(reason);
}

function tellFailure(output: Output, what: string, { attempt, error }: Failure): void {
  const times = attempt > 1 ? ` after ${attempt} attempts` : "";
  const message = `${error.name}: ${error.message}`;
  output.line(`  ${oneLine(what)}${times}: ${manyLines(message).replaceAll("\n", "\n    ")}`);
  for (const frame of stackFrames(error.stack)) output.line(output.colors.dim(`    ${frame}`));
}

/** The frames of the user's own code; those of Node and of the runtime say nothing to the user. */
function stackFrames(stack: string | undefined): string[] {
  const runtime = fileURLToPath(new URL("../..", import.meta.url));
  return (stack ?? "")
    .split("\n")
    .map((line) => oneLine(line.trim()))
    .filter((line) => /^at .*:\d+:\d+\)?$/.test(line))
    .filter((line) => ![runtime, "node:internal", "/commander/"].some((own) => line.includes(own)))
    .slice(0, STACK_LINES);
}
