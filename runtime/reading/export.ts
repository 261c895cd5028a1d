/**
 * Runs as records that need nothing else to be read: the definition, and the run with its whole saga
 * log. `docs/STORE.md` describes them; `steno export` writes one as JSON on each line.
 */
import { allRuns, type RunQuery } from "./listing.js";
import type { LoggedEvent } from "../events.js";
import type { Manifest } from "../manifest.js";
import type { ListedRun, StoreReader } from "../stores/store.js";

/** Which runs are exported; unless `status` is given, those that are finished. */
export type ExportQuery = Omit<RunQuery, "limit" | "cursor">;

/** What an export consists of. A definition comes before the first run that was started with it. */
export type ExportRecord =
  | { readonly steno: 1; readonly kind: "definition"; readonly manifest: Manifest }
  | {
      readonly steno: 1;
      readonly kind: "run";
      readonly run: ExportedRun;
      /** In order; their values are read from JSON. */
      readonly events: readonly object[];
    };

/** A run as it was stored; what is `undefined` is absent. */
export interface ExportedRun {
  readonly id: string;
  readonly saga: string;
  readonly hash: string;
  readonly nonce: string;
  readonly status: string;
  readonly reason?: string;
  readonly params?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  /** Milliseconds since the epoch; `updatedAt` of a finished run is when it was finished. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** All runs that match, oldest first, each read when it is asked for. */
export async function* exportRuns(
  reader: StoreReader,
  query: ExportQuery = {},
): AsyncGenerator<ExportRecord, void> {
  const told = new Set<string>();
  for await (const run of allRuns(reader, { status: ["succeeded", "undone"], ...query })) {
    if (!told.has(run.hash)) {
      told.add(run.hash);
      const manifest = await reader.definition(run.hash);
      if (manifest !== undefined) yield { steno: 1, kind: "definition", manifest };
    }
    const events = await reader.events(run.id);
    // It may have been removed since the list was read: no run is without events.
    if (events.length === 0) continue;
    yield { steno: 1, kind: "run", run: exported(run), events: events.map(readable) };
  }
}

function exported(row: ListedRun): ExportedRun {
  const { id, saga, hash, nonce, status, reason, params, output, error } = row;
  return {
    id,
    saga,
    hash,
    nonce,
    status,
    ...(reason !== undefined && { reason }),
    ...(params !== undefined && { params: parse(params) }),
    ...(output !== undefined && { output: parse(output) }),
    ...(error !== undefined && { error: parse(error) }),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function readable(event: LoggedEvent): object {
  if (!("value" in event) || event.value === undefined) return event;
  return { ...event, value: parse(event.value) };
}

/** What a damaged store holds is exported as the text that it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
