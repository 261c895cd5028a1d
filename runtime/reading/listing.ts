/** Lists of runs for people and programs, a page at a time. What answers them is a store. */
import { StenoError } from "../errors.js";
import type {
  ListedRun,
  Place,
  RunFilter,
  RunRow,
  RunStatus,
  StoreReader,
} from "../stores/store.js";

/** Which runs to list. All conditions that are given hold. */
export interface RunQuery {
  readonly saga?: string;
  readonly status?: RunStatus | readonly RunStatus[];
  /** Why they are not moving: `paused`, `stuck`, `waiting-event`, … */
  readonly reason?: string;
  /** Only runs that were created at this time or later, in milliseconds since the epoch. */
  readonly createdFrom?: number;
  /** Only runs that were created before this time. */
  readonly createdBefore?: number;
  readonly idPrefix?: string;
  /** How many runs a page has at most, from 1. Default 100. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** A run as a list has it; `coordinator.run(id)` tells more. */
export type RunSummary = Pick<
  RunRow,
  "id" | "saga" | "hash" | "status" | "reason" | "createdAt" | "updatedAt"
>;

export interface RunPage {
  /** Oldest first. */
  readonly runs: readonly RunSummary[];
  /** The cursor of the next page; absent if this is the last. Runs that come and go do not disturb it. */
  readonly next?: string;
}

/** Rows that are read at a time: not all, since there may be many. */
const PAGE = 200;

/** All runs that match, a page at a time; while it lasts, others may come and go. */
export async function* allRuns(
  store: StoreReader,
  { status, ...same }: Omit<RunQuery, "limit" | "cursor"> & Pick<RunFilter, "hashNot">,
): AsyncGenerator<ListedRun> {
  let from: Place | undefined;
  for (;;) {
    const page: readonly ListedRun[] = await store.runs({
      ...same,
      limit: PAGE,
      ...(status !== undefined && { status: typeof status === "string" ? [status] : status }),
      ...(from !== undefined && { from }),
    });
    yield* page;
    from = page.at(-1);
    if (page.length < PAGE) return;
  }
}

/** A page of runs. @throws StenoError `bad-cursor`, `bad-limit` */
export async function listRuns(reader: StoreReader, query: RunQuery): Promise<RunPage> {
  const { status, limit, cursor, ...same } = query;
  const filter: Omit<RunFilter, "limit"> = {
    ...same,
    ...(status !== undefined && { status: typeof status === "string" ? [status] : status }),
    ...(cursor !== undefined && { from: parseCursor(cursor) }),
  };
  return readPage(limit, (most) => reader.runs({ ...filter, limit: most }), cursorOf);
}

/** A page of what `read` gives, oldest first. @throws StenoError `bad-limit` */
export async function readPage<Listed extends RunSummary>(
  limit = 100,
  read: (most: number) => Promise<readonly Listed[]>,
  cursorOf: (last: Listed) => string,
): Promise<RunPage> {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new StenoError("bad-limit", `a page has ${limit} runs: give a whole number from 1`);
  }
  // One more tells whether there is another page.
  const found = await read(limit + 1);
  const runs = found.slice(0, limit).map(summaryOf);
  const last = found.length > limit ? found[limit - 1] : undefined;
  return last === undefined ? { runs } : { runs, next: cursorOf(last) };
}

function summaryOf(run: RunSummary): RunSummary {
  const { id, saga, hash, status, reason, createdAt, updatedAt } = run;
  return { id, saga, hash, status, reason, createdAt, updatedAt };
}

/** Where the list goes on after a run. */
export function cursorOf({ createdAt, key }: ListedRun): string {
  return `${createdAt}.${key}`;
}

/** @throws StenoError `bad-cursor` */
export function parseCursor(cursor: string): Place {
  const [, createdAt, key] = /^(-?\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (createdAt !== undefined && key !== undefined) {
    return { createdAt: Number(createdAt), key: Number(key) };
  }
  throw badCursor(cursor);
}

export function badCursor(cursor: string): StenoError {
  return new StenoError(
    "bad-cursor",
    `\`${cursor}\` is no cursor: give what the page before said, or none for the first page`,
  );
}
