/**
 * Removes finished runs by age and number, a few at a time, so that no commit of a run that goes on
 * is held up for long. Which runs may go, the store says: none that an unfinished run waits for.
 */
import { setImmediate as turn } from "node:timers/promises";
import { StenoError } from "../errors.js";
import type { StoreOwner, Write } from "../stores/store.js";

/**
 * The error for a handle of a run that was removed: its id may be another run's by now. `byMethods`: the
 * command `steno` does nothing where it was.
 */
export function runPruned(id: string, byMethods = false): StenoError {
  const [from, by, or] = byMethods
    ? ["", "`retention`", ""]
    : [
        " from the store",
        "`retention`, `steno prune`",
        "; if it was started in a transaction of yours, commit that first",
      ];
  return new StenoError(
    "run-pruned",
    `run \`${id}\` was finished and is removed${from}, with its result: ask before it is pruned, or ` +
      `prune later (${by})${or}`,
  );
}

/** Which finished runs are removed: at least one is given, and what both allow if both are. */
export interface PruneOptions {
  /** Only runs that were finished longer ago than this, in milliseconds. */
  readonly olderThanMs?: number;
  /** Not the runs that were finished last: so many of them. */
  readonly keep?: number;
}

/** `retention` of a coordinator: it prunes by itself. */
export interface RetentionOptions extends PruneOptions {
  /** How often, in milliseconds. Default a minute. */
  readonly everyMs?: number;
}

const DEFAULT_EVERY_MS = 60_000;

/** What removing a batch may take, in milliseconds: runs that go on have to wait so long for their commits. */
const BATCH_MS = 10;
/** Where a database does it: a commit alone takes about as long as that above, and others go on beside it. */
const BATCH_ELSEWHERE_MS = 100;
const SMALLEST_BATCH = 1;
const LARGEST_BATCH = 256;

/** How long answers to other processes are kept; whoever asks looks for ten seconds. */
const ANSWERS_KEPT_MS = 3_600_000;

/** @throws StenoError `bad-retention` */
export function checkRetention({ olderThanMs, keep, everyMs }: RetentionOptions): void {
  const isAmount = (value: number | undefined): boolean =>
    value === undefined || (typeof value === "number" && value >= 0);
  const isCount = keep === undefined || (Number.isSafeInteger(keep) && keep >= 0);
  if (isAmount(olderThanMs) && isCount && (everyMs === undefined || everyMs > 0)) {
    if (olderThanMs !== undefined || keep !== undefined) return;
  }
  throw new StenoError(
    "bad-retention",
    `{ olderThanMs: ${olderThanMs}, keep: ${keep}, everyMs: ${everyMs} } does not say which finished ` +
      "runs to remove: give `olderThanMs`, milliseconds from 0, or `keep`, a whole number from 0, or both",
  );
}

export interface PruneHost {
  readonly owner: StoreOwner;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Makes writes durable, with whatever else is to be written. */
  readonly commit: (writes: readonly Write[]) => Promise<void>;
}

/** Removes runs until none is left to remove, or until it is told to stop; gives how many. */
export async function prune(
  { owner, now, commit }: PruneHost,
  { olderThanMs, keep }: PruneOptions,
  isStopped: () => boolean = () => false,
): Promise<{ readonly removed: number; readonly isDone: boolean }> {
  let removed = 0;
  let batch = SMALLEST_BATCH;
  const longest = owner.fleet === undefined ? BATCH_MS : BATCH_ELSEWHERE_MS;
  while (!isStopped()) {
    const ids = await owner.prunable({
      limit: batch,
      ...(olderThanMs !== undefined && { before: now() - olderThanMs }),
      ...(keep !== undefined && { keep }),
    });
    if (ids.length === 0) return { removed, isDone: await sweep({ owner, commit }, isStopped) };
    const began = performance.now();
    await commit(ids.map((run) => ({ kind: "remove", run })));
    const took = performance.now() - began;
    removed += ids.length;
    if (took > longest) batch = Math.max(SMALLEST_BATCH, batch >> 1);
    else if (took < longest / 2) batch = Math.min(LARGEST_BATCH, batch * 2);
    // Others have their turn.
    await turn();
  }
  return { removed, isDone: false };
}

/** Removes what is left of removed runs, and old answers; whether that is all. */
async function sweep(
  { owner, commit }: Pick<PruneHost, "owner" | "commit">,
  isStopped: () => boolean,
): Promise<boolean> {
  // Requests are answered by the time of the machine, whatever the clock of the runs.
  const answeredBefore = Date.now() - ANSWERS_KEPT_MS;
  while (await owner.unswept(answeredBefore)) {
    if (isStopped()) return false;
    await commit([{ kind: "sweep", answeredBefore }]);
    await turn();
  }
  return true;
}

/** A request of another process is answered after this long: it asks again for what is left. */
const ANSWER_MS = 2000;

/** Prunes for a coordinator: when it is asked to, and now and then by itself. */
export class Retention {
  readonly #host: PruneHost;
  readonly #warn: (message: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #pruning: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(host: PruneHost, warn: (message: string) => void) {
    this.#host = host;
    this.#warn = warn;
  }

  start(options: RetentionOptions): void {
    this.#timer = setInterval(() => {
      this.prune(options).catch((error: unknown) => {
        if (!this.#isClosed) this.#warn(`finished runs cannot be removed: ${String(error)}`);
      });
    }, options.everyMs ?? DEFAULT_EVERY_MS);
    this.#timer.unref();
  }

  /** One after another. @throws StenoError `bad-retention` */
  async prune(options: PruneOptions, mayTakeMs = Infinity): ReturnType<typeof prune> {
    checkRetention(options);
    const end = performance.now() + mayTakeMs;
    const isStopped = (): boolean => this.#isClosed || performance.now() > end;
    const begin = (): ReturnType<typeof prune> => prune(this.#host, options, isStopped);
    const pruning = this.#pruning.then(begin, begin);
    this.#pruning = pruning;
    return pruning;
  }

  /** Does what another process asks for, as JSON text; gives the answer, as JSON text. */
  async answer(payload: string | undefined): Promise<string> {
    const options = JSON.parse(payload ?? "{}") as PruneOptions | null;
    return JSON.stringify(await this.prune(options ?? {}, ANSWER_MS));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#pruning.catch(() => undefined);
  }
}
