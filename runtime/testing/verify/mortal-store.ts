/**
 * A store in memory whose coordinator dies at a commit, before or after it, as its process would:
 * nothing of it is written any more, and another coordinator can open the store.
 */
import { StoreError } from "../../errors.js";
import { memoryStore } from "../../stores/memory.js";
import type { Store } from "../../stores/store.js";
import { DEATH, type Fault, PROCESS } from "./faults.js";

export class MortalStore {
  readonly store: Store;
  /** Commits so far, those of the coordinator that died included. */
  commits = 0;
  /** The coordinator that has it open has died. */
  dead = false;
  /** The commits at which it did. */
  readonly died = new Set<number>();
  readonly inner = memoryStore();
  readonly #deaths: readonly { readonly after: boolean; readonly at: number }[];

  constructor(faults: readonly Fault[]) {
    this.#deaths = faults.flatMap(({ node, what }) => {
      const [, when, at] = (node === PROCESS && DEATH.exec(what)) || [];
      return when === undefined ? [] : [{ after: when === "after", at: Number(at) }];
    });
    this.store = { reader: () => this.inner.reader(), open: () => this.#open() };
  }

  async #open(): ReturnType<Store["open"]> {
    const owner = await this.inner.open();
    this.dead = false;
    let alive = true;
    const commit = owner.commit.bind(owner);
    owner.commit = async (writes) => {
      if (!alive) throw died();
      this.commits += 1;
      const death = this.#deaths.find(({ at }) => at === this.commits);
      if (death === undefined || death.after) await commit(writes);
      if (death === undefined) return;
      alive = false;
      this.dead = true;
      this.died.add(death.at);
      await owner.close();
      throw died();
    };
    return owner;
  }
}

function died(): StoreError {
  return new StoreError("store-lost", "the process was made to die");
}
