/** The SQLite store without a coordinator: what one commit of one event costs through its interface. */
import { performance } from "node:perf_hooks";
import { sqliteStore, type RunRow, type StoreOwner } from "steno-runtime";

const RUN = "bare";
const value = JSON.stringify({ id: 1, text: "x".repeat(80) });

export class BareStore {
  private seq = 0;

  private constructor(private readonly owner: StoreOwner) {}

  static async open(file: string): Promise<BareStore> {
    const owner = await sqliteStore(file).open();
    const nothing = { reason: undefined, output: undefined, error: undefined };
    const run: RunRow = {
      id: RUN,
      saga: "Work.bare",
      hash: "sha256-bare",
      nonce: "nonce",
      params: "{}",
      status: "running",
      ...nothing,
      createdAt: 0,
      updatedAt: 0,
      wakeAt: 0,
    };
    await owner.commit([{ kind: "create", run }]);
    return new BareStore(owner);
  }

  /** Milliseconds for one commit, over `commits` of them. */
  async perCommit(commits: number): Promise<number> {
    const start = performance.now();
    for (let commit = 0; commit < commits; commit++) {
      const event = { type: "succeeded", node: "n", attempt: 1, at: 0, value } as const;
      const events = [{ ...event, seq: this.seq++ }];
      await this.owner.commit([{ kind: "append", run: RUN, events }]);
    }
    return (performance.now() - start) / commits;
  }

  close(): Promise<void> {
    return this.owner.close();
  }
}
