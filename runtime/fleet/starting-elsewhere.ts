/** Starts runs that others execute: in a process that executes none, or in a transaction of the caller's. */
import { randomUUID } from "node:crypto";
import { StoreError } from "../errors.js";
import type { LoggedEvent } from "../events.js";
import type { LoadedSaga } from "../execution/loaded-saga.js";
import { draining, isDrained } from "../operating/draining.js";
import type { StartOptions } from "../options.js";
import type { Started } from "../execution/starter.js";
import { checkId, checkSame, type JsonText, newRun } from "../execution/starting.js";
import type { StoreReader } from "../stores/store.js";

/** A transaction of the caller's may see what was, and go on doing so. */
const TURNS = 3;

/**
 * Adds a run to the store, or finds the one with that id; resolves when it is durable, or when the
 * transaction would make it so.
 * @throws StenoError `store-not-shared`, `bad-id`, `run-exists`, `coordinator-draining`
 */
export async function startElsewhere(
  reader: StoreReader,
  saga: LoadedSaga,
  params: JsonText,
  { id = randomUUID(), paused = false, transaction }: StartOptions,
  at: number,
): Promise<Started> {
  const { shared } = reader;
  if (shared === undefined) {
    throw new StoreError(
      "store-not-shared",
      "this store belongs to one coordinator, which starts its runs: call its `start()` without " +
        "`transaction`, or share a store, such as `postgresStore()`",
    );
  }
  checkId(id);
  const { run, events } = newRun(saga, params, id, at, paused);
  const row = run.created as NonNullable<typeof run.created>;
  const logged = events.map((event, seq) => ({ ...event, seq }) as LoggedEvent);
  const unstarted = { row, events: logged, manifest: saga.manifest };
  for (let turn = 1; ; turn++) {
    const found = await shared.start(unstarted, transaction);
    if (found === "added") return row;
    if (found !== undefined) {
      checkSame(found, saga, params);
      return found;
    }
    // If it is not drained, one with that id was removed just now, or the draining ended.
    if (turn === TURNS || isDrained(await reader.kept())) throw draining("the store");
  }
}
