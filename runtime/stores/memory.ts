/**
 * `memoryStore()`: a store that lives as long as its process. For tests, and for sagas that need
 * not outlive a crash. Opening it again after the owner has closed it gives the same runs.
 */
import { StoreError } from "../errors.js";
import type { LoggedEvent } from "../events.js";
import type { Manifest } from "../manifest.js";
import type {
  RequestAnswer,
  RunFilter,
  RunRow,
  Store,
  StoreOwner,
  StoreReader,
  StoreRequest,
  Write,
} from "./store.js";

interface StoredRun {
  row: RunRow;
  readonly place: number;
  readonly events: LoggedEvent[];
}

interface StoredRequest extends StoreRequest {
  answer: RequestAnswer | undefined;
}

/** What all who open the store share. */
class Data {
  readonly runs = new Map<string, StoredRun>();
  readonly order: StoredRun[] = [];
  readonly definitions = new Map<string, string>();
  readonly requests: StoredRequest[] = [];
  epoch = 0;
  owner: MemoryOwner | undefined;
}

/** A store in memory. */
export function memoryStore(): Store {
  const data = new Data();
  return {
    open: async () => {
      if (data.owner !== undefined) {
        throw new StoreError(
          "store-owned",
          "another coordinator has this memory store open: close it first, or use another store",
        );
      }
      data.epoch += 1;
      data.owner = new MemoryOwner(data, data.epoch);
      return data.owner;
    },
    reader: async () => new MemoryReader(data),
  };
}

class MemoryReader implements StoreReader {
  protected readonly data: Data;

  constructor(data: Data) {
    this.data = data;
  }

  async run(id: string): Promise<RunRow | undefined> {
    return this.data.runs.get(id)?.row;
  }

  async runs({ saga, status, after, limit = 100 }: RunFilter): Promise<readonly RunRow[]> {
    const from = after === undefined ? -1 : this.data.runs.get(after)?.place;
    const found: RunRow[] = [];
    if (from === undefined) return found;
    for (let i = from + 1; i < this.data.order.length && found.length < limit; i++) {
      const { row } = this.data.order[i] as StoredRun;
      if (saga !== undefined && row.saga !== saga) continue;
      if (status !== undefined && !status.includes(row.status)) continue;
      found.push(row);
    }
    return found;
  }

  async events(run: string, after = -1): Promise<readonly LoggedEvent[]> {
    return this.data.runs.get(run)?.events.slice(after + 1) ?? [];
  }

  async definition(hash: string): Promise<Manifest | undefined> {
    const text = this.data.definitions.get(hash);
    return text === undefined ? undefined : (JSON.parse(text) as Manifest);
  }

  async owned(): Promise<boolean> {
    return this.data.owner !== undefined;
  }

  async request(command: string, run: string | undefined, args: string): Promise<number> {
    const id = this.data.requests.length + 1;
    this.data.requests.push({ id, at: Date.now(), command, run, args, answer: undefined });
    return id;
  }

  async answer(request: number): Promise<RequestAnswer | undefined> {
    return this.data.requests[request - 1]?.answer;
  }

  async close(): Promise<void> {}
}

class MemoryOwner extends MemoryReader implements StoreOwner {
  readonly epoch: number;

  constructor(data: Data, epoch: number) {
    super(data);
    this.epoch = epoch;
  }

  async commit(writes: readonly Write[]): Promise<void> {
    if (this.data.owner !== this) {
      throw new StoreError("store-lost", "this coordinator does not own the memory store any more");
    }
    this.#check(writes);
    for (const write of writes) this.#apply(write);
  }

  async requests(): Promise<readonly StoreRequest[]> {
    return this.data.requests.filter(({ answer }) => answer === undefined);
  }

  override async close(): Promise<void> {
    if (this.data.owner === this) this.data.owner = undefined;
  }

  /** All or none: what cannot be applied is found before anything is. */
  #check(writes: readonly Write[]): void {
    const created = new Set<string>();
    for (const write of writes) {
      if (write.kind === "create") {
        if (this.data.runs.has(write.run.id) || created.has(write.run.id)) {
          throw new StoreError("store-run-exists", `there is a run \`${write.run.id}\` already`);
        }
        created.add(write.run.id);
      } else if (write.kind === "append" || write.kind === "update") {
        if (!this.data.runs.has(write.run) && !created.has(write.run)) {
          throw new StoreError("store-no-run", `there is no run \`${write.run}\` in this store`);
        }
      }
    }
  }

  #apply(write: Write): void {
    const { data } = this;
    switch (write.kind) {
      case "create": {
        const run = { row: write.run, place: data.order.length, events: [] };
        data.runs.set(write.run.id, run);
        data.order.push(run);
        break;
      }
      case "append": {
        const { events } = data.runs.get(write.run) as StoredRun;
        for (const event of write.events) events.push(event);
        break;
      }
      case "update": {
        const { kind: _kind, run: _run, ...changes } = write;
        const run = data.runs.get(write.run) as StoredRun;
        run.row = { ...run.row, ...changes };
        break;
      }
      case "define":
        data.definitions.set(write.manifest.hash, JSON.stringify(write.manifest));
        break;
      case "answer": {
        const request = data.requests[write.request - 1];
        if (request !== undefined) request.answer = write.answer;
        break;
      }
    }
  }
}
