/** The commands `export` and `prune`: what becomes of runs when they are finished. */
import { once } from "node:events";
import { exportRuns, type ExportQuery } from "../reading/export.js";
import { prune, type PruneOptions } from "../operating/retention.js";
import type { StoreReader } from "../stores/store.js";
import { askOwner } from "./control.js";
import type { Output } from "./output.js";
import { Problem } from "./problem.js";
import { storeAt } from "./store.js";

/** `steno export`: one JSON object a line, whether for people or programs. */
export async function writeExport(reader: StoreReader, query: ExportQuery): Promise<void> {
  for await (const record of exportRuns(reader, query)) {
    const isRoom = process.stdout.write(`${JSON.stringify(record)}\n`);
    if (!isRoom) await once(process.stdout, "drain");
  }
}

/** `steno prune`: by the coordinator that owns the store, or, if none is alive, as its owner. */
export async function pruneStore(
  output: Output,
  store: string,
  options: PruneOptions,
): Promise<void> {
  if (options.keep === undefined && options.olderThanMs === undefined) {
    throw new Problem("bad-retention", "say which runs to remove: --older-than, --keep, or both");
  }
  const reader = await (await storeAt(store)).reader();
  let removed = 0;
  try {
    for (let isDone = false; !isDone;) {
      const answer = (await reader.owned())
        ? await askOwner(reader, store, "prune", { payload: options })
        : await pruneAsOwner(store, options);
      const done = answer as { readonly removed: number; readonly isDone: boolean };
      removed += done.removed;
      ({ isDone } = done);
    }
  } finally {
    await reader.close();
  }
  if (output.json) output.value({ command: "prune", ok: true, removed });
  else output.line(`prune: ${removed} ${removed === 1 ? "run" : "runs"} removed`);
}

async function pruneAsOwner(store: string, options: PruneOptions): ReturnType<typeof prune> {
  const owner = await (await storeAt(store)).open();
  try {
    const commit = owner.commit.bind(owner);
    return await prune({ owner, now: () => Date.now(), commit }, options);
  } finally {
    await owner.close();
  }
}
