/** A store in memory that tells its commits, and whose owner can die or fail as a test wants. */
import { memoryStore, type Store, type StoreOwner } from "steno-runtime";
import type { Write } from "../../runtime/stores/store.js";

export interface WatchedStore extends Store {
  /** All commits that were applied. */
  readonly commits: (readonly Write[])[];
  /** When set, commits fail with it, and nothing is written. */
  failure: Error | undefined;
  /**
   * Ends the owner as the death of its process would: what it writes from now on is lost, and
   * another may open the store.
   */
  kill(): Promise<void>;
}

export function watchedStore(): WatchedStore {
  const inner = memoryStore();
  let owner: StoreOwner | undefined;
  const watched: WatchedStore = {
    commits: [],
    failure: undefined,
    kill: async () => owner?.close(),
    reader: () => inner.reader(),
    open: async () => {
      const opened = await inner.open();
      owner = opened;
      const commit = opened.commit.bind(opened);
      opened.commit = async (writes) => {
        if (watched.failure !== undefined) throw watched.failure;
        await commit(writes);
        watched.commits.push(writes);
      };
      return opened;
    },
  };
  return watched;
}

/** Waits for something that happens soon. */
export async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A promise and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** A logger that keeps what it is told. */
export function keptLog(): { readonly said: string[]; warn(message: string): void } {
  const said: string[] = [];
  return { said, warn: (message) => void said.push(message) };
}
