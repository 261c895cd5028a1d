/** Finds what a store has unfinished, and what cannot go on and why. It starts nothing. */
import { ActiveRun } from "./active-run.js";
import { StenoError } from "./errors.js";
import { foldLog } from "./history.js";
import type { LoadedSaga } from "./loaded-saga.js";
import type { Manifest } from "./manifest.js";
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
    events.forEach((event, place) => {
      if (event.seq === place) return;
      throw new StenoError(
        "corrupt-log",
        `event ${place} of its saga log is missing: restore the store from a copy`,
      );
    });
    return new ActiveRun(loaded, row, foldLog(loaded.plan, events), events.length);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { id, saga, reason: "corrupt-log", message: `run \`${id}\` cannot be read: ${message}` };
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
  const old = await store.definition(hash);
  if (other === undefined || old === undefined) return { id, saga, reason, message };
  return { id, saga, reason, message, difference: differenceOf(old, other.manifest) };
}

function differenceOf(old: Manifest, now: Manifest): string {
  const before = new Map(old.nodes.map((node) => [node.name, JSON.stringify(node)]));
  const said: string[] = [];
  for (const node of now.nodes) {
    const was = before.get(node.name);
    before.delete(node.name);
    if (was === undefined) said.push(`\`${node.name}\` is new`);
    else if (was !== JSON.stringify(node)) said.push(`\`${node.name}\` is changed`);
  }
  for (const name of before.keys()) said.push(`\`${name}\` is gone`);
  return said.length > 0 ? said.join(", ") : "the nodes are the same, their bindings differ";
}
