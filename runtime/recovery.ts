/** Finds what a store has unfinished, and what cannot go on and why. It starts nothing. */
import { ActiveRun } from "./active-run.js";
import { StenoError } from "./errors.js";
import { differenceOf } from "./definition-difference.js";
import { foldLog } from "./history.js";
import type { LoggedEvent } from "./events.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { type Manifest, parseManifest } from "./manifest.js";
import type { RunRow, StoreReader } from "./stores/store.js";

/** A run that this coordinator cannot go on with. It stays in the store as it is. */
export interface UnrecoveredRun {
  readonly id: string;
  readonly saga: string;
  readonly reason: "definition-missing" | "corrupt-log";
  readonly message: string;
  /** How the definition of that name that is there differs from the one of the run. */
  readonly difference?: string;
}

const DEFAULT_CRASH_LIMIT = 3;

/** How often the attempts of a node may end with the process. @throws StenoError `bad-crash-limit` */
export function crashLimitOf({
  crashLimit: limit = DEFAULT_CRASH_LIMIT,
}: {
  readonly crashLimit?: number;
}): number {
  if (limit === Infinity || (Number.isInteger(limit) && limit > 0)) return limit;
  throw new StenoError(
    "bad-crash-limit",
    `\`crashLimit\` is ${limit}: it must be a whole number from 1, or Infinity for no limit`,
  );
}

/** Rows that are read at a time: not all, since there may be many. */
const PAGE = 200;

/** All unfinished runs, a page at a time. */
export async function* unfinishedRuns(store: StoreReader): AsyncGenerator<RunRow> {
  let after: string | undefined;
  for (;;) {
    const page = await store.runs({
      status: ["running", "unwinding", "stuck"],
      limit: PAGE,
      ...(after !== undefined && { after }),
    });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < PAGE || after === undefined) return;
  }
}

/** Brings a run back to where its log says it is. */
export async function restore(
  store: StoreReader,
  row: RunRow,
  sagas: readonly LoadedSaga[],
): Promise<ActiveRun | UnrecoveredRun> {
  const { id, saga, hash } = row;
  const loaded = sagas.find(({ manifest }) => manifest.hash === hash && manifest.name === saga);
  if (loaded === undefined) return definitionMissing(store, row, sagas);
  try {
    const events = await store.events(id);
    events.forEach(checkEvent);
    const state = foldLog(loaded.plan, events);
    if (state.finished !== undefined) {
      throw new StenoError(
        "corrupt-log",
        `its row says \`${row.status}\`, but its saga log has come to its end (${state.finished})`,
      );
    }
    return new ActiveRun(loaded, row, state, events.length);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const message =
      `run \`${id}\` cannot go on, since its saga log is damaged: ${said}; ` +
      "restore the store from a copy, or undo by hand what `steno log` shows";
    return { id, saga, reason: "corrupt-log", message };
  }
}

/** The machine checks that events fit together; this, that they are all there and can be read. */
function checkEvent(event: LoggedEvent, place: number): void {
  if (event.seq !== place) {
    throw new StenoError("corrupt-log", `event ${place} is missing`);
  }
  if (!("value" in event) || event.value === undefined) return;
  try {
    JSON.parse(event.value);
  } catch {
    throw new StenoError(
      "corrupt-log",
      `the value of event ${place} (\`${event.type}\`) is no JSON`,
    );
  }
}

async function definitionMissing(
  store: StoreReader,
  { id, saga, hash }: RunRow,
  sagas: readonly LoadedSaga[],
): Promise<UnrecoveredRun> {
  const reason = "definition-missing";
  const other = sagas.find(({ manifest }) => manifest.name === saga);
  const message =
    `run \`${id}\` was started with the definition ${hash} of \`${saga}\`, which is not in ` +
    "`sagas`: add the bundle or module that it was started with, after the newer one";
  const old = await storedDefinition(store, hash);
  if (other === undefined || old === undefined) return { id, saga, reason, message };
  const difference = differenceOf(old, other.manifest);
  return { id, saga, reason, message: `${message}; what changed: ${difference}`, difference };
}

/** The difference is told for people's convenience: without it the run is missed all the same. */
async function storedDefinition(store: StoreReader, hash: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await store.definition(hash));
  } catch {
    return undefined;
  }
}
