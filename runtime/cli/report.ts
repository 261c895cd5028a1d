/** How the end of a run is told: its result, or what failed, where, and what was undone. */
import { fileURLToPath } from "node:url";
import type { RunRow, StoreReader } from "../stores/store.js";
import { type Failure, historyOf, parseValue } from "./failures.js";
import { manyLines, oneLine, type Output, paintStatus } from "./output.js";
import { EXIT } from "./problem.js";

/** Lines of a stack that are shown; the rest is in `steno log --json`. */
const STACK_LINES = 6;

/** Whether it waits for `steno resume`: until then it has no result, and no error either. */
export function isPaused({ reason }: RunRow): boolean {
  return reason === "paused" || reason === "crash-loop";
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
  const { failures, undone, undoFailures, inDoubt } = historyOf(await reader.events(run.id));
  output.line(headline(output, run));
  for (const failure of failures)
    tellFailure(output, `${failure.node || "the run itself"} failed`, failure);
  for (const failure of undoFailures) {
    tellFailure(output, `the undo of ${failure.node} failed`, failure);
  }
  for (const { node, doubt } of inDoubt) {
    output.line(`  ${oneLine(node)} is in doubt (${oneLine(doubt)}): it may have had its effect`);
  }
  if (undone.length > 0) output.line(`  undone: ${undone.map((node) => oneLine(node)).join(", ")}`);
  const node = (undoFailures[0] ?? inDoubt[0])?.node;
  if (run.status === "stuck") {
    const of = `${run.id} ${node ?? "<node>"}`;
    output.line("  while a coordinator runs, one of:");
    output.line(`    steno retry ${of} --store ${store}`);
    output.line(`    steno settle ${of} --reason "…" --store ${store}`);
  } else if (isPaused(run)) {
    output.line(`  while a coordinator runs: steno resume ${run.id} --store ${store}`);
  }
}

/** `succeeded  trip-42  BookTrip.bookTrip`, with the reason if it is not moving. */
export function headline(output: Output, run: RunRow): string {
  const reason = run.reason === undefined ? "" : `  (${oneLine(run.reason)})`;
  return `${paintStatus(output, run.status)}  ${oneLine(run.id)}  ${oneLine(run.saga)}${reason}`;
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
