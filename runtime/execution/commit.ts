/**
 * One commit of what happened to all runs. An id that is taken refuses the run that wanted it, and
 * no other. When there is a commit, and what becomes of one that fails, is in `executor.ts`.
 */
import type { StoreOwner, Write } from "../stores/store.js";

/**
 * Writes all but the new runs whose ids are taken; tells those ids, if there are any, or why nothing
 * was written. It takes functions, since each further promise is told to Node 20's hooks.
 */
export function commitAll(
  owner: StoreOwner,
  writes: readonly Write[],
  done: (refused?: ReadonlySet<string>) => void,
  failed: (error: unknown) => void,
): void {
  void owner.commit(writes).then(
    () => done(),
    (error: unknown) => {
      if (isTaken(error)) void commitApart(owner, writes).then(done, failed);
      else failed(error);
    },
  );
}

async function commitApart(
  owner: StoreOwner,
  writes: readonly Write[],
): Promise<ReadonlySet<string>> {
  const refused = new Set<string>();
  // Nothing was written. New runs share nothing with others: each can have a commit of its own.
  const created = new Set<string>();
  for (const write of writes) if (write.kind === "create") created.add(write.run.id);
  const rest = writes.filter((write) => !created.has(runOf(write)));
  if (rest.length > 0) await owner.commit(rest);
  for (const id of created) {
    try {
      await owner.commit(writes.filter((write) => runOf(write) === id));
    } catch (error) {
      if (!isTaken(error)) throw error;
      refused.add(id);
    }
  }
  return refused;
}

/** Also by a transaction that is not committed yet. */
function isTaken(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "store-run-exists" || code === "store-locked";
}

function runOf(write: Write): string {
  if (write.kind === "create") return write.run.id;
  return "run" in write ? write.run : "";
}
