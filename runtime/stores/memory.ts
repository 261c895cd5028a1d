/**
 * `memoryStore()`: a store that lives as long as its process. For tests, and for sagas that need
 * not outlive a crash. Opening it again after the owner has closed it gives the same runs.
 */
import { StoreError } from "../errors.js";
import type { LoggedEvent } from "../events.js";
import type { Manifest } from "../manifest.js";
import type {
  DueFilter,
  ListedRun,
  Place,
  PruneFilter,
  RequestAnswer,
  RunFilter,
  RunRow,
  Store,
  StoreOwner,
  StoreReader,
  StoreRequest,
  WatchedEvent,
  Write,
} from "./store.js";

interface StoredRun {
  row: RunRow;
  readonly place: number;
  readonly events: WatchedEvent[];
  awaits: readonly string[];
}

interface StoredRequest extends StoreRequest {
  answer: RequestAnswer | undefined;
  answeredAt: number;
}

/** The events of all runs by their cursors, from 1. */
class EventLog {
  /** From `#first` on; holes where runs were removed. */
  #events: (WatchedEvent | undefined)[] = [];
  #first = 1;
  /** How many holes it begins with. */
  #gone = 0;
  last = 0;

  add({ id, saga }: RunRow, event: LoggedEvent): WatchedEvent {
    const added = { cursor: ++this.last, run: id, saga, event };
    this.#events.push(added);
    return added;
  }

  after(cursor: number, limit: number): readonly WatchedEvent[] {
    const found: WatchedEvent[] = [];
    for (let place = Math.max(0, cursor + 1 - this.#first); found.length < limit; place++) {
      if (place >= this.#events.length) break;
      const event = this.#events[place];
      if (event !== undefined) found.push(event);
    }
    return found;
  }

  remove(events: readonly WatchedEvent[]): void {
    for (const { cursor } of events) this.#events[cursor - this.#first] = undefined;
    // Who is removed is old, as a rule: what it leaves is cut off when it has become half of all.
    while (this.#gone < this.#events.length && this.#events[this.#gone] === undefined) this.#gone++;
    if (this.#gone * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#gone);
    this.#first += this.#gone;
    this.#gone = 0;
  }
}

/** What all who open the store share. */
class Data {
  readonly runs = new Map<string, StoredRun>();
  readonly order: StoredRun[] = [];
  /** Those that have a `wakeAt`. */
  readonly wakeful = new Set<StoredRun>();
  /** By the id of a run: those that await it. */
  readonly awaiting = new Map<string, Set<StoredRun>>();
  created = 0;
  readonly log = new EventLog();
  readonly definitions = new Map<string, string>();
  readonly kept = new Map<string, string>();
  readonly requests = new Map<number, StoredRequest>();
  requested = 0;
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

  async runs(filter: RunFilter): Promise<readonly ListedRun[]> {
    const { after, from, limit = 100 } = filter;
    const last = after === undefined ? undefined : this.data.runs.get(after);
    if (after !== undefined && last === undefined) return [];
    const places = [from ?? [], last === undefined ? [] : placeOf(last)].flat();
    const found: ListedRun[] = [];
    for (const run of this.data.order) {
      if (!fits(run.row, filter)) continue;
      if (places.every((place) => comparePlaces(placeOf(run), place) > 0)) {
        found.push({ ...run.row, key: run.place });
      }
    }
    // The clock may have been put back.
    return found.sort(comparePlaces).slice(0, limit);
  }

  async kept(): Promise<ReadonlyMap<string, string>> {
    return new Map(this.data.kept);
  }

  async events(run: string, after = -1, limit = Infinity): Promise<readonly LoggedEvent[]> {
    const events = this.data.runs.get(run)?.events.slice(after + 1, after + 1 + limit) ?? [];
    return events.map(({ event }) => event);
  }

  async log(after: number, limit: number): Promise<readonly WatchedEvent[]> {
    return this.data.log.after(after, limit);
  }

  async lastCursor(): Promise<number> {
    return this.data.log.last;
  }

  async definition(hash: string): Promise<Manifest | undefined> {
    const text = this.data.definitions.get(hash);
    return text === undefined ? undefined : (JSON.parse(text) as Manifest);
  }

  async owned(): Promise<boolean> {
    return this.data.owner !== undefined;
  }

  async request(command: string, run: string | undefined, args: string): Promise<number> {
    const id = (this.data.requested += 1);
    const rest = { answer: undefined, answeredAt: Infinity };
    this.data.requests.set(id, { id, at: Date.now(), command, run, args, ...rest });
    return id;
  }

  async answer(request: number): Promise<RequestAnswer | undefined> {
    return this.data.requests.get(request)?.answer;
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
    return [...this.data.requests.values()].filter(({ answer }) => answer === undefined);
  }

  async due({ until, after, limit }: DueFilter): Promise<readonly RunRow[]> {
    const from = after ?? { wakeAt: -1, id: "" };
    const rows = Array.from(this.data.wakeful, ({ row }) => row).filter(
      (row) => (row.wakeAt ?? 0) <= until && compareWakes(row, from) > 0,
    );
    return rows.sort(compareWakes).slice(0, limit);
  }

  async awaiting(id?: string): Promise<readonly string[]> {
    const { awaiting, runs } = this.data;
    const ids =
      id === undefined ? [...awaiting.keys()].filter((each) => isFinished(runs.get(each))) : [id];
    const found = new Set(ids.flatMap((each) => [...(awaiting.get(each) ?? [])]));
    return [...found].sort((a, b) => a.place - b.place).map(({ row }) => row.id);
  }

  async prunable({ before = Infinity, keep = 0, limit }: PruneFilter): Promise<readonly string[]> {
    const { order, awaiting } = this.data;
    return order
      .filter(isFinished)
      .sort((a, b) => a.row.updatedAt - b.row.updatedAt || a.place - b.place)
      .slice(0, keep === 0 ? undefined : -keep)
      .filter(({ row }) => row.updatedAt < before && !awaiting.has(row.id))
      .slice(0, limit)
      .map(({ row }) => row.id);
  }

  async unswept(answeredBefore: number): Promise<boolean> {
    return this.#answered(answeredBefore).length > 0;
  }

  #answered(before: number): readonly StoredRequest[] {
    return [...this.data.requests.values()].filter(({ answeredAt }) => answeredAt < before);
  }

  override async close(): Promise<void> {
    if (this.data.owner === this) this.data.owner = undefined;
  }

  #noteWake(run: StoredRun): void {
    if (run.row.wakeAt === undefined) this.data.wakeful.delete(run);
    else this.data.wakeful.add(run);
  }

  #await(run: StoredRun, awaits: readonly string[]): void {
    const { awaiting } = this.data;
    for (const id of run.awaits) {
      awaiting.get(id)?.delete(run);
      if (awaiting.get(id)?.size === 0) awaiting.delete(id);
    }
    run.awaits = awaits;
    for (const id of awaits) {
      const found = awaiting.get(id);
      if (found === undefined) awaiting.set(id, new Set([run]));
      else found.add(run);
    }
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
      } else if ("run" in write) {
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
        const run = { row: write.run, place: data.created++, events: [], awaits: [] };
        data.runs.set(write.run.id, run);
        data.order.push(run);
        this.#noteWake(run);
        break;
      }
      case "append": {
        const { events, row } = data.runs.get(write.run) as StoredRun;
        for (const event of write.events) events.push(data.log.add(row, event));
        break;
      }
      case "update": {
        const { kind: _kind, run: _run, awaits, ...changes } = write;
        const run = data.runs.get(write.run) as StoredRun;
        run.row = { ...run.row, ...changes };
        this.#noteWake(run);
        if (awaits !== undefined) this.#await(run, awaits);
        break;
      }
      case "remove": {
        const run = data.runs.get(write.run) as StoredRun;
        data.runs.delete(write.run);
        data.log.remove(run.events);
        data.order.splice(firstAfter(data.order, run.place - 1), 1);
        data.wakeful.delete(run);
        this.#await(run, []);
        break;
      }
      case "release":
        break;
      case "sweep":
        for (const { id } of this.#answered(write.answeredBefore)) data.requests.delete(id);
        break;
      case "define":
        data.definitions.set(write.manifest.hash, JSON.stringify(write.manifest));
        break;
      case "keep":
        if (write.value === undefined) data.kept.delete(write.name);
        else data.kept.set(write.name, write.value);
        break;
      case "answer": {
        const request = data.requests.get(write.request);
        if (request === undefined) break;
        request.answer = write.answer;
        request.answeredAt = Date.now();
        break;
      }
    }
  }
}

function placeOf({ row, place }: StoredRun): Place {
  return { createdAt: row.createdAt, key: place };
}

function comparePlaces(one: Place, other: Place): number {
  return one.createdAt - other.createdAt || one.key - other.key;
}

function fits(row: RunRow, filter: RunFilter): boolean {
  const { saga = row.saga, status, hashNot, reason = row.reason, idPrefix = "" } = filter;
  const { createdFrom = -Infinity, createdBefore = Infinity } = filter;
  return (
    row.saga === saga &&
    row.reason === reason &&
    row.id.startsWith(idPrefix) &&
    row.createdAt >= createdFrom &&
    row.createdAt < createdBefore &&
    status?.includes(row.status) !== false &&
    hashNot?.includes(row.hash) !== true
  );
}

function isFinished(run: StoredRun | undefined): boolean {
  return run?.row.status === "succeeded" || run?.row.status === "undone";
}

interface Wake {
  readonly wakeAt: number | undefined;
  readonly id: string;
}

function compareWakes(one: Wake, other: Wake): number {
  const byTime = (one.wakeAt ?? 0) - (other.wakeAt ?? 0);
  return byTime || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
}

/** Where the runs begin that were created after a place: a run may have been removed. */
function firstAfter(order: readonly StoredRun[], place: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((order[middle] as StoredRun).place <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
