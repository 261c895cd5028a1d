/**
 * What a coordinator hears of others that share its store: that something is due, asked for, at rest
 * or kept, and that its own lease has run out. It decides nothing about runs.
 */
import type { ActiveRuns } from "../execution/active-runs.js";
import { StenoError } from "../errors.js";
import type { Log } from "../observing/log.js";
import type { Requests } from "../operating/requests.js";
import type { Spawns } from "../execution/spawns.js";
import type { StoreOwner } from "../stores/store.js";

/** How soon a run goes on that waits for another, when it was told of its end at the wrong moment. */
const AWAITING_POLL_MS = 5000;

export interface HearingOptions {
  readonly owner: StoreOwner;
  readonly runs: ActiveRuns;
  readonly requests: Requests;
  /** Those who take what the store keeps. */
  readonly kept: readonly { load(kept: ReadonlyMap<string, string>): void }[];
  /** Absent where no saga starts runs of others. */
  readonly spawns: Spawns | undefined;
  readonly log: Log;
}

/** Begins to hear, if the store has others; gives what ends it. */
export function hearOthers(options: HearingOptions): () => void {
  const { owner, runs, requests, spawns } = options;
  if (owner.fleet === undefined) return () => undefined;
  const deafen = owner.shared?.listen({
    due: (at) => runs.due(at),
    asked: () => requests.asked(),
    rested: (ids) => rested(options, ids),
    kept: () => void reload(options),
    fenced: () => fenced(options),
  });
  if (spawns === undefined) return () => deafen?.();
  const look = (): void => void runs.tellAwaiting().catch(() => undefined);
  const looking = setInterval(look, AWAITING_POLL_MS).unref();
  return () => {
    deafen?.();
    clearInterval(looking);
  };
}

/** Others say that these runs may rest; without ids, that any may. */
function rested({ runs, spawns }: HearingOptions, ids: readonly string[] | undefined): void {
  runs.rested(ids);
  if (spawns === undefined) return;
  for (const run of runs.all()) {
    for (const id of run.awaits) if (ids?.includes(id) !== false) spawns.tell(run, id);
  }
}

async function reload({ owner, kept }: HearingOptions): Promise<void> {
  try {
    const found = await owner.kept();
    for (const each of kept) each.load(found);
  } catch {
    // The store cannot be read now: it is told again when it can be.
  }
}

/** Others go on with all that it had: it goes on with what is left. */
function fenced({ runs, log }: HearingOptions): void {
  const message =
    "this coordinator was silent for longer than its lease, and others go on with its runs";
  log.warn(`${message}; it goes on with others`);
  runs.lose(new StenoError("coordinator-fenced", message));
}
