/** The commands that are a coordinator themselves for a while: `run` and `recover`. */
import { setTimeout as sleep } from "node:timers/promises";
import { Coordinator } from "../coordinator.js";
import type { BoundSaga, SagaDefinition } from "../definition.js";
import type { RunRow, RunStatus, StoreReader } from "../stores/store.js";
import { movesByItself } from "../operating/reasons.js";
import { chooseSaga, loadBundle } from "./bundle.js";
import { readJsonArgument } from "./json-input.js";
import { paramsOf } from "./params.js";
import { historyOf } from "./failures.js";
import { oneLine, type Output, shellWord } from "./output.js";
import { EXIT } from "./problem.js";
import { exitCodeOf, headline, isPaused, runAsValue, tellRun, tellWhatToDo } from "./report.js";
import { codeOfSignal } from "./signals.js";
import { shownStore, storeAt } from "./store.js";

/** How often the store is asked whether a run rests: also a paused one, which has no result. */
const POLL_MS = 50;

/** Runs that are read at a time. */
const PAGE = 1000;

/** What `steno run` was told. */
export interface RunCommand {
  readonly bundle: string;
  readonly saga: string | undefined;
  readonly params: string | undefined;
  readonly store: string;
  readonly id: string | undefined;
}

/** `steno run`: starts a run, or finds the one with that id, and waits until it rests. */
export async function run(output: Output, command: RunCommand): Promise<number> {
  const json = command.params === undefined ? undefined : readJsonArgument(command.params);
  const sagas = await loadBundle(command.bundle);
  const { definition } = chooseSaga(sagas, command.saga);
  return asCoordinator(output, command, sagas, async (coordinator, reader, stopped) => {
    // The types of params and result are those of the bundle; `start` checks the value.
    const typed = definition as unknown as SagaDefinition<object, unknown, unknown>;
    const options = command.id === undefined ? {} : { id: command.id };
    const started = await coordinator.start(typed, paramsOf(definition, json), options);
    const result = started.result().then(() => undefined, unlessRecorded);
    // It may be rejected when nobody waits for it any more.
    result.catch(() => undefined);
    await Promise.race([result, untilAtRest(reader, started.id, stopped), aborted(stopped)]);
    const row = await reader.run(started.id);
    if (row === undefined || (stopped.aborted && !isAtRest(row))) return undefined;
    // A run that cannot go on here has no end to tell: `result()` says why.
    if (!stopped.aborted && !isPaused(row)) await result;
    if (output.json) output.value(await runAsValue(reader, row));
    else await tellRun(output, reader, row, command.store);
    return exitCodeOf(row);
  });
}

/** `steno recover`: does what operators have asked for, and continues what is unfinished until all of it rests. */
export async function recover(
  output: Output,
  command: { readonly bundle: string; readonly store: string },
): Promise<number> {
  const sagas = await loadBundle(command.bundle);
  const before = await (await storeAt(command.store)).reader();
  const ids = (await unfinished(before).finally(() => before.close())).map(({ id }) => id);
  return asCoordinator(output, command, sagas, async (coordinator, reader, stopped) => {
    const drained = coordinator.drain();
    // As above.
    drained.catch(() => undefined);
    await Promise.race([drained, aborted(stopped)]);
    const rows: RunRow[] = [];
    for (const id of ids) {
      const row = await reader.run(id);
      if (row !== undefined) rows.push(row);
    }
    if (output.json) {
      const values: object[] = [];
      for (const row of rows) values.push(await runAsValue(reader, row));
      output.value(values);
    } else {
      const messages = new Map(coordinator.unrecovered.map(({ id, message }) => [id, message]));
      for (const row of rows) {
        output.line(headline(output, row));
        const message = messages.get(row.id);
        if (message !== undefined) output.line(`  ${oneLine(message)}`);
        else tellWhatToDo(output, row, historyOf(await reader.events(row.id)), command.store);
      }
      if (rows.length === 0) output.remark("nothing to recover: every run is at rest");
    }
    if (stopped.aborted && !rows.every(isAtRest)) return undefined;
    return Math.max(EXIT.fine, ...rows.map(exitCodeOf));
  });
}

type Work = (
  coordinator: Coordinator,
  reader: StoreReader,
  stopped: AbortSignal,
) => Promise<number | undefined>;

/**
 * Opens a coordinator, does the work, and closes it. SIGINT and SIGTERM end the wait: bodies that run come to their
 * end, and the runs go on later. Work that was ended so gives no exit code of its own.
 */
async function asCoordinator(
  output: Output,
  { bundle, store }: { readonly bundle: string; readonly store: string },
  sagas: readonly BoundSaga[],
  work: Work,
): Promise<number> {
  const opened = await storeAt(store);
  let isOpen = false;
  // What it says of runs that it finds, the commands tell in their own way.
  const logger = { warn: (message: string) => isOpen && output.remark(oneLine(message)) };
  const coordinator = await Coordinator.open({ store: opened, sagas, logger });
  isOpen = true;
  const stopping = new AbortController();
  let exitCode: number = EXIT.fine;
  const onSignal = (signal: "SIGINT" | "SIGTERM"): void => {
    exitCode = codeOfSignal(signal);
    output.remark("ending: waiting for the actions that are running (once more to kill)");
    stopping.abort();
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const reader = await opened.reader();
    try {
      const code = await work(coordinator, reader, stopping.signal);
      if (code !== undefined) return code;
    } finally {
      await reader.close();
    }
    await coordinator.close();
    const again = `steno recover ${shellWord(bundle)} --store ${shellWord(shownStore(store))}`;
    output.remark(`what is unfinished goes on with: ${again}`);
    return exitCode;
  } finally {
    await coordinator.close();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** A failed or stuck run is told from its saga log; anything else is an error of this call. */
function unlessRecorded(error: unknown): void {
  const { code } = error as { readonly code?: unknown };
  if (code !== "saga-failed" && code !== "saga-stuck") throw error;
}

/** Whether nothing more happens to a run by itself. */
function isAtRest(run: RunRow): boolean {
  return !UNFINISHED.includes(run.status) || !movesByItself(run);
}

const UNFINISHED: readonly RunStatus[] = ["running", "unwinding"];

async function unfinished(reader: StoreReader): Promise<RunRow[]> {
  const found: RunRow[] = [];
  for (;;) {
    const after = found.at(-1)?.id;
    const page = await reader.runs({
      // A stuck run may have been asked to go on; and whoever calls has to know of it.
      status: [...UNFINISHED, "stuck"],
      limit: PAGE,
      ...(after !== undefined && { after }),
    });
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}

async function untilAtRest(reader: StoreReader, id: string, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const row = await reader.run(id);
    if (row === undefined || isAtRest(row)) return;
    await sleep(POLL_MS);
  }
}
