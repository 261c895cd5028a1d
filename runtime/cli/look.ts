/** The commands that only look: `list` and `log`. */
import type { LoggedEvent } from "../events.js";
import { cursorOf } from "../reading/listing.js";
import type { RunFilter, RunRow, StoreReader } from "../stores/store.js";
import { polled, watchAll, watchRun } from "../reading/watching.js";
import { noSuchRun } from "./control.js";
import { parseError, parseValue } from "./failures.js";
import { columns, moment, oneLine, type Output, paintStatus } from "./output.js";
import { reasonBeside } from "./report.js";

/** Characters of a value that a line of the log shows; `--json` shows all. */
const VALUE_LIMIT = 120;

/** `steno list`: one line per run, oldest first. */
export async function list(output: Output, reader: StoreReader, filter: RunFilter): Promise<void> {
  const runs = await reader.runs(filter);
  if (output.json) {
    output.value(runs.map((run) => ({ ...runSummary(run), cursor: cursorOf(run) })));
    return;
  }
  if (runs.length === 0) {
    output.remark("no runs");
    return;
  }
  const rows = runs.map((run) => [
    oneLine(run.id),
    run.status,
    oneLine(run.saga),
    moment(run.createdAt),
    reasonBeside(run),
  ]);
  const lines = columns(rows, (cell, row, column) => {
    const status = runs[row]?.status;
    return column === 1 && status !== undefined ? paintStatus(output, status, cell) : cell;
  });
  for (const line of lines) output.line(line);
  if (runs.length === filter.limit) {
    const last = runs.at(-1);
    if (last !== undefined) output.remark(`more may follow: --cursor ${cursorOf(last)}`);
  }
}

/** A run's row, for programs. */
export function runSummary(run: RunRow): object {
  return {
    id: run.id,
    saga: run.saga,
    hash: run.hash,
    status: run.status,
    ...(run.reason !== undefined && { reason: run.reason }),
    params: parseValue(run.params),
    ...(run.output !== undefined && { output: parseValue(run.output) }),
    ...(run.error !== undefined && { error: parseValue(run.error) }),
    createdAt: new Date(run.createdAt).toISOString(),
    updatedAt: new Date(run.updatedAt).toISOString(),
  };
}

/** `steno log`: the saga log, one line per event. */
export async function log(
  output: Output,
  reader: StoreReader,
  id: string,
  store: string,
): Promise<void> {
  if ((await reader.run(id)) === undefined) throw noSuchRun(id, store);
  const events = await reader.events(id);
  if (output.json) {
    output.value(events.map(eventForPrograms));
    return;
  }
  for (const line of eventLines(output, events.map(cellsOf), 0)) output.line(line);
}

/** How often the store is asked for what is new. */
const FOLLOW_MS = 200;

/**
 * `steno log --follow`: what a run's log has and what comes, until the run is finished; or what comes
 * of all runs, until it is told to stop. For programs, a line of JSON for each event. An `after` is a
 * `seq`, or a cursor.
 */
export async function follow(
  output: Output,
  reader: StoreReader,
  id: string | undefined,
  store: string,
  { after, signal }: { readonly after?: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  if (id !== undefined && (await reader.run(id)) === undefined) throw noSuchRun(id, store);
  const source = polled(reader, FOLLOW_MS);
  const options = { signal, ...(after !== undefined && { after }) };
  if (id !== undefined) {
    for await (const event of watchRun(source, id, options)) {
      if (output.json) output.record(eventForPrograms(event));
      else for (const line of eventLines(output, [cellsOf(event)], 0)) output.line(line);
    }
    return;
  }
  for await (const { cursor, run, event } of watchAll(source, options)) {
    if (output.json) output.record({ cursor, run, ...eventForPrograms(event) });
    else {
      const cells = [String(cursor), oneLine(run), ...cellsOf(event)];
      for (const line of eventLines(output, [cells], 2)) output.line(line);
    }
  }
}

function cellsOf(event: LoggedEvent): string[] {
  const value = oneLine(valueForPeople(event), VALUE_LIMIT);
  return [String(event.seq), moment(event.at), event.type, nodeOf(event), value];
}

/** `first`: the columns in front of the event's own. */
function eventLines(output: Output, rows: readonly string[][], first: number): string[] {
  const { colors } = output;
  return columns(rows, (cell, row, column) => {
    if (column < first + 2) return colors.dim(cell);
    const isType = column === first + 2;
    return isType && /fail|doubt/.test(rows[row]?.[column] ?? "") ? colors.red(cell) : cell;
  });
}

/** `hotel`, or `hotel #2` for a further attempt. */
function nodeOf(event: LoggedEvent): string {
  if (!("node" in event)) return "";
  const attempt = "attempt" in event && event.attempt > 1 ? ` #${event.attempt}` : "";
  return `${oneLine(event.node)}${attempt}`;
}

function valueForPeople(event: LoggedEvent): string {
  const value = "value" in event ? event.value : undefined;
  const due = "dueAt" in event && event.dueAt !== undefined ? `due ${moment(event.dueAt)}` : "";
  if (value === undefined) return due;
  if (!/failed$/.test(event.type)) return `${value}${due && `  ${due}`}`;
  const { name, message } = parseError(value);
  return `${name}: ${message}${due && `  ${due}`}`;
}

function eventForPrograms(event: LoggedEvent): object {
  if (!("value" in event) || event.value === undefined) return event;
  return { ...event, value: parseValue(event.value) };
}
