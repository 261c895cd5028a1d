/**
 * A cloud in memory, and the operations on it that the sagas of this folder are made of. Each has its
 * undo; what a saga does with them is in a file of its own.
 */
import { action, actionContext, undo } from "steno-runtime";

export interface Thing {
  readonly id: string;
  readonly kind: string;
  /** The thing that it belongs to, or is attached to. */
  readonly of: string;
  readonly state: string;
}

export class Cloud {
  readonly things = new Map<string, Thing>();
  /** How many operations were asked for; the one with the number `failAt` fails. */
  operations = 0;
  failAt = 0;
  readonly #done = new Map<string, unknown>();

  /** Does something once for each key of a node, however often it is asked. */
  once<T>(effect: () => T): T {
    const { idempotencyKey } = actionContext();
    if (this.#done.has(idempotencyKey)) return this.#done.get(idempotencyKey) as T;
    this.operations += 1;
    if (this.operations === this.failAt) throw new Error(`operation ${this.failAt} failed`);
    const result = effect();
    this.#done.set(idempotencyKey, result);
    return result;
  }

  put(thing: Thing): Thing {
    this.things.set(thing.id, thing);
    return thing;
  }

  get(id: string): Thing {
    const thing = this.things.get(id);
    if (thing === undefined) throw new Error(`there is no ${id}`);
    return thing;
  }

  /** All that there is, as text: the same before and after a saga that is undone. */
  print(): string {
    const lines = [...this.things.values()].map(
      (each) => `${each.id} of ${each.of}: ${each.state}`,
    );
    return lines.sort().join("\n");
  }
}

export class Operations {
  constructor(private readonly cloud: Cloud) {}

  @action
  async create(kind: string, name: string, of: string): Promise<Thing> {
    const id = `${of}/${kind}-${name}`;
    return this.cloud.once(() => this.cloud.put({ id, kind, of, state: "new" }));
  }

  @undo("create")
  async destroy(thing: Thing): Promise<void> {
    this.cloud.things.delete(thing.id);
  }

  /** Gives the thing as it was. */
  @action
  async remove(id: string): Promise<Thing> {
    return this.cloud.once(() => {
      const thing = this.cloud.get(id);
      this.cloud.things.delete(id);
      return thing;
    });
  }

  @undo("remove")
  async restore(thing: Thing): Promise<void> {
    this.cloud.put(thing);
  }

  /** Gives the thing as it was. */
  @action
  async change(id: string, to: { readonly of?: string; readonly state?: string }): Promise<Thing> {
    return this.cloud.once(() => {
      const before = this.cloud.get(id);
      this.cloud.put({ ...before, ...to });
      return before;
    });
  }

  @undo("change")
  async changeBack(before: Thing): Promise<void> {
    this.cloud.put(before);
  }

  @action({ undo: "none" })
  async read(id: string): Promise<Thing> {
    return this.cloud.once(() => this.cloud.get(id));
  }

  @action({ undo: "none" })
  async list(kind: string, of: string): Promise<Thing[]> {
    const all = [...this.cloud.things.values()];
    return this.cloud.once(() => all.filter((each) => each.kind === kind && each.of === of));
  }
}
