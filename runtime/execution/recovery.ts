/** Finds what a store has unfinished, and what cannot go on and why. It starts nothing. */
import { ActiveRun } from "./active-run.js";
import { StenoError } from "../errors.js";
import { differenceOf } from "../reading/definition-difference.js";
import { damagedRow, foldLog } from "../reading/history.js";
import type { LoggedEvent } from "../events.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { type Manifest, parseManifest } from "../manifest.js";
import type { RunRow, RunStatus, StoreReader } from "../stores/store.js";

/** A run that this coordinator cannot go on with. It stays in the store as it is. */
export interface UnrecoveredRun {
  readonly id: string;
  readonly saga: string;
  readonly reason: "definition-missing" | "corrupt-log" | "not-recoverable";
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

/** How long a run may wait and be kept in memory. */
const DEFAULT_SHORT_WAIT_MS = 10_000;

/** Waits that are no longer keep a run in memory, in milliseconds. @throws StenoError `bad-short-wait` */
export function shortWaitOf({
  shortWaitMs: wait = DEFAULT_SHORT_WAIT_MS,
}: {
  readonly shortWaitMs?: number;
}): number {
  if (wait >= 0) return wait;
  throw new StenoError(
    "bad-short-wait",
    `\`shortWaitMs\` is ${wait}: it must be a number of milliseconds from 0, or Infinity`,
  );
}

export const UNFINISHED: readonly RunStatus[] = ["running", "unwinding", "stuck"];

/** Brings runs back to where their logs say they are. */
export class Restorer {
  readonly #store: StoreReader;
  readonly #sagas: readonly LoadedSaga[];
  /** By the hash of a definition that is missing: how what is there differs from it. */
  readonly #differences = new Map<string, Promise<string | undefined>>();

  constructor(store: StoreReader, sagas: readonly LoadedSaga[]) {
    this.#store = store;
    this.#sagas = sagas;
  }

  /**
   * `log`: its events, if they are known.
   * @throws StoreError if the store cannot be read now
   */
  async restore(row: RunRow, log?: readonly LoggedEvent[]): Promise<ActiveRun | UnrecoveredRun> {
    const { id, saga, hash } = row;
    if (row.damaged) return corruptLog(row, damagedRow(id));
    const loaded = this.#sagas.find(
      ({ manifest }) => manifest.hash === hash && manifest.name === saga,
    );
    if (loaded === undefined) return this.#definitionMissing(row);
    try {
      const events = log ?? (await this.#store.events(id));
      events.forEach(checkEvent);
      const [created] = events as readonly { readonly value?: string }[];
      if (created !== undefined && created.value !== row.params) {
        throw new StenoError("corrupt-log", "its params are not those that its row has");
      }
      const state = foldLog(loaded.plan, events);
      if (state.finished !== undefined) {
        throw new StenoError(
          "corrupt-log",
          `its row says \`${row.status}\`, but its saga log has come to its end (${state.finished})`,
        );
      }
      return new ActiveRun(loaded, row, state, events.length);
    } catch (error) {
      if (isUnread(error)) throw error;
      return corruptLog(row, error);
    }
  }

  async #definitionMissing({ id, saga, hash }: RunRow): Promise<UnrecoveredRun> {
    const reason = "definition-missing";
    const message =
      `run \`${id}\` was started with the definition ${hash} of \`${saga}\`, which is not in ` +
      "`sagas`: add the bundle or module that it was started with, after the newer one";
    let found = this.#differences.get(hash);
    if (found === undefined) this.#differences.set(hash, (found = this.#difference(saga, hash)));
    const difference = await found;
    if (difference === undefined) return { id, saga, reason, message };
    return { id, saga, reason, message: `${message}; what changed: ${difference}`, difference };
  }

  async #difference(saga: string, hash: string): Promise<string | undefined> {
    const other = this.#sagas.find(({ manifest }) => manifest.name === saga);
    const old = await storedDefinition(this.#store, hash);
    if (other === undefined || old === undefined) return undefined;
    return differenceOf(old, other.manifest);
  }
}

function corruptLog({ id, saga }: RunRow, error: unknown): UnrecoveredRun {
  const said = error instanceof Error ? error.message : String(error);
  const message =
    `run \`${id}\` cannot go on, since its saga log is damaged: ${said}; ` +
    "restore the store from a copy, or undo by hand what `steno log` shows";
  return { id, saga, reason: "corrupt-log", message };
}

/** A run that ended one coordinator after the other before anything of it was recorded. */
export function endsProcesses({ id, saga }: RunRow, takeovers: number): UnrecoveredRun {
  const message =
    `run \`${id}\` is set aside: the last ${takeovers} coordinators that took it ended before it came to ` +
    "anything; look at their last words, mend the cause, and open a coordinator with a higher `crashLimit`";
  return { id, saga, reason: "not-recoverable", message };
}

/** The log could not be read now, which says nothing about it. */
function isUnread(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && code.startsWith("store-") && code !== "store-corrupt";
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

/** The difference is told for people's convenience: without it the run is missed all the same. */
async function storedDefinition(store: StoreReader, hash: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await store.definition(hash));
  } catch {
    return undefined;
  }
}
