/**
 * What the one owner of a SQLite store may do besides reading: commit, and answer requests.
 * One commit is one transaction. It begins with a check of the epoch, so that an owner whose lock
 * was lost (a copied file, a folder mounted twice) cannot write over its successor.
 */
import { StoreError } from "../errors.js";
import { BulkInsert } from "./sqlite-bulk.js";
import type { OwnerLock } from "./sqlite-owner-lock.js";
import { RUN_COLUMNS } from "./sqlite-list.js";
import { lastEvent, type Mark } from "./sqlite-mark.js";
import { SqliteRemoval } from "./sqlite-removal.js";
import { type OpenFile, rowOf, SqliteReader } from "./sqlite-reader.js";
import { sumOf, sumOfRun, sumOfState } from "./sqlite-sum.js";
import type { SqlRow, Statement } from "./sqlite-driver.js";
import type {
  DueFilter,
  PruneFilter,
  RequestAnswer,
  RunRow,
  StoreOwner,
  StoreRequest,
  Write,
} from "./store.js";

/** Keys of runs that are remembered: saves a lookup per append. Beyond it they are looked up again. */
const KEY_CACHE_LIMIT = 100_000;

/** Requests per poll: a flood of them must not stop the runs. */
const REQUEST_LIMIT = 100;

/** As in an index and a table that are sorted by them. */
const FINISHED = "status IN ('succeeded', 'undone')";
const NOT_AWAITED = "NOT EXISTS (SELECT 1 FROM awaits WHERE awaits.id = runs.id)";

const EVENT_COLUMNS = ["run", "seq", "at", "type", "node", "attempt", "value", "due_at", "sum"];

/** The owner of an open store file, while it holds the lock. */
export class SqliteOwner extends SqliteReader implements StoreOwner {
  readonly epoch: number;
  readonly #lock: OwnerLock;
  readonly #mark: Mark;
  readonly #begin: Statement;
  readonly #readEpoch: Statement;
  readonly #commit: Statement;
  readonly #runs: BulkInsert;
  readonly #events: BulkInsert;
  readonly #removal = new SqliteRemoval((sql) => this.statement(sql));
  readonly #keys = new Map<string, number>();
  /** Only owners add runs, so counting here is safe, and saves reading keys back. */
  #lastKey: number;
  #closed = false;

  constructor(file: OpenFile, epoch: number, lock: OwnerLock, mark: Mark) {
    super(file);
    this.epoch = epoch;
    this.#lock = lock;
    this.#mark = mark;
    this.#begin = file.connection.prepare("BEGIN IMMEDIATE");
    this.#readEpoch = file.connection.prepare("SELECT epoch FROM owner");
    this.#commit = file.connection.prepare("COMMIT");
    this.#runs = new BulkInsert(file.connection, "runs", RUN_COLUMNS.split(", "));
    this.#events = new BulkInsert(file.connection, "events", EVENT_COLUMNS);
    const last = file.connection
      // Events of a run that was removed may still be there.
      .prepare(
        "SELECT max(key) AS key FROM (SELECT max(key) AS key FROM runs UNION ALL SELECT max(run) FROM events)",
      )
      .get();
    this.#lastKey = Number(last?.["key"] ?? 0);
    mark.write(lastEvent(file.connection));
  }

  async commit(writes: readonly Write[]): Promise<void> {
    if (this.#closed) {
      throw new StoreError("store-closed", `this owner of ${this.file.path} is closed: open again`);
    }
    const marked = this.#events.last;
    this.guard(() => {
      this.#begin.run();
      try {
        this.#checkEpoch();
        this.#removal.begin();
        for (const write of writes) this.#apply(write);
        this.#runs.flush();
        this.#events.flush();
        this.#commit.run();
      } catch (error) {
        this.#rollBack();
        throw error;
      }
      if (this.#events.last !== marked) this.#mark.write(this.#events.last);
    });
  }

  async requests(): Promise<readonly StoreRequest[]> {
    return this.guard(() =>
      this.statement(
        `SELECT id, at, command, run, args FROM requests
         WHERE answer IS NULL ORDER BY id LIMIT ${REQUEST_LIMIT}`,
      )
        .all()
        .map(requestOf),
    );
  }

  async due({ until, after, limit }: DueFilter): Promise<readonly RunRow[]> {
    const { wakeAt, id } = after ?? { wakeAt: -1, id: "" };
    return this.guard(() =>
      this.statement(
        `SELECT ${RUN_COLUMNS} FROM runs WHERE (wake_at, id) > (?, ?) AND wake_at <= ?
         ORDER BY wake_at, id LIMIT ?`,
      )
        .all(wakeAt, id, until, limit)
        .map(rowOf),
    );
  }

  async awaiting(id?: string): Promise<readonly string[]> {
    const which =
      id === undefined
        ? `SELECT DISTINCT awaits.run FROM awaits JOIN runs ON runs.id = awaits.id WHERE ${FINISHED}`
        : "SELECT run FROM awaits WHERE id = ?";
    const values = id === undefined ? [] : [id];
    return this.guard(() =>
      this.statement(`SELECT id FROM runs WHERE key IN (${which}) ORDER BY key`)
        .all(...values)
        .map((row) => String(row["id"])),
    );
  }

  async prunable({ before, keep, limit }: PruneFilter): Promise<readonly string[]> {
    return this.guard(() => {
      const kept = keep === undefined ? undefined : this.#lastAfter(keep);
      if (keep !== undefined && kept === undefined) return [];
      const [at, key] = kept ?? [Number.MAX_SAFE_INTEGER, 0];
      return (
        this.statement(
          `SELECT ${RUN_COLUMNS} FROM runs INDEXED BY runs_finished
         WHERE ${FINISHED} AND updated_at < ? AND (updated_at, key) <= (?, ?)
         AND ${NOT_AWAITED} ORDER BY updated_at, key LIMIT ?`,
        )
          .all(before ?? Number.MAX_SAFE_INTEGER, at, key, limit)
          .map(rowOf)
          // Its times may not be what they were.
          .filter(({ damaged }) => damaged !== true)
          .map(({ id }) => id)
      );
    });
  }

  async unswept(answeredBefore: number): Promise<boolean> {
    return this.guard(() => this.#removal.isLeft(answeredBefore));
  }

  /** The first run that is not among the `keep` that were finished last. */
  #lastAfter(keep: number): readonly [number, number] | undefined {
    const row = this.statement(
      `SELECT updated_at, key FROM runs INDEXED BY runs_finished WHERE ${FINISHED}
       ORDER BY updated_at DESC, key DESC LIMIT 1 OFFSET ?`,
    ).get(keep);
    return row === undefined ? undefined : [Number(row["updated_at"]), Number(row["key"])];
  }

  override async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      // libsql does not fold the WAL into the file when it closes; a copied file should be whole.
      // Without waiting for a reader: it would hold up the whole process.
      this.file.connection.exec("PRAGMA busy_timeout = 0");
      this.statement("PRAGMA wal_checkpoint(TRUNCATE)").get();
    } catch {
      // For tidiness alone: on a full disk the WAL stays, and it is part of the database.
    }
    try {
      this.#mark.close();
      this.#lock.release();
    } finally {
      await super.close();
    }
  }

  #checkEpoch(): void {
    const epoch = Number(this.#readEpoch.get()?.["epoch"]);
    if (epoch === this.epoch) return;
    throw new StoreError(
      "store-lost",
      `another coordinator has taken over the store ${this.file.path} (epoch ${epoch}, ours was ` +
        `${this.epoch}): nothing was written; end this coordinator, the other one continues its runs`,
    );
  }

  #apply(write: Write): void {
    switch (write.kind) {
      case "create":
        return this.#create(write.run);
      case "append": {
        const key = this.#existing(write.run);
        for (const event of write.events) {
          const { node, attempt, value, dueAt } = event as EventFields;
          this.#events.add([
            key,
            event.seq,
            event.at,
            event.type,
            node ?? null,
            attempt ?? null,
            value ?? null,
            dueAt ?? null,
            sumOf(event),
          ]);
        }
        return;
      }
      case "update":
        return this.#update(write);
      case "remove":
        return this.#remove(write.run);
      case "release":
        return;
      case "sweep":
        return this.#removal.sweep(write.answeredBefore);
      case "define": {
        const { hash, name } = write.manifest;
        const sql = "INSERT OR IGNORE INTO definitions (hash, saga, manifest) VALUES (?, ?, ?)";
        this.statement(sql).run(hash, name, JSON.stringify(write.manifest));
        return;
      }
      case "keep": {
        const { name, value } = write;
        if (value === undefined) this.statement("DELETE FROM kept WHERE name = ?").run(name);
        else this.statement("INSERT OR REPLACE INTO kept VALUES (?, ?)").run(name, value);
        return;
      }
      case "answer":
        return this.#answer(write.request, write.answer);
    }
  }

  #create(run: RunRow): void {
    const key = (this.#lastKey += 1);
    this.#remember(run.id, key);
    this.#runs.add([
      key,
      run.id,
      run.saga,
      run.hash,
      run.nonce,
      run.params ?? null,
      run.status,
      run.reason ?? null,
      run.output ?? null,
      run.error ?? null,
      run.createdAt,
      run.updatedAt,
      run.wakeAt ?? null,
      sumOfRun(run),
      sumOfState(key, run),
    ]);
  }

  #update(write: Extract<Write, { kind: "update" }>): void {
    const key = this.#existing(write.run);
    // The row may be one of this commit's that is not inserted yet.
    this.#runs.flush();
    this.statement(
      `UPDATE runs SET status = ?, reason = ?, output = ?, error = ?, updated_at = ?, wake_at = ?,
       state_sum = ? WHERE key = ?`,
    ).run(
      write.status,
      write.reason ?? null,
      write.output ?? null,
      write.error ?? null,
      write.updatedAt,
      write.wakeAt ?? null,
      sumOfState(key, write),
      key,
    );
    if (write.awaits !== undefined) {
      this.statement("DELETE FROM awaits WHERE run = ?").run(key);
      const insert = this.statement("INSERT OR IGNORE INTO awaits (id, run) VALUES (?, ?)");
      for (const id of write.awaits) insert.run(id, key);
    }
    // It is finished, or only waits: nothing is written about it soon.
    if (write.wakeAt !== 0) this.#keys.delete(write.run);
  }

  #remove(id: string): void {
    const key = this.#existing(id);
    this.#events.flush();
    this.#removal.run(key);
    this.#keys.delete(id);
  }

  #answer(request: number, answer: RequestAnswer): void {
    this.statement("UPDATE requests SET answer = ?, answered_at = ? WHERE id = ?").run(
      JSON.stringify(answer),
      Date.now(),
      request,
    );
  }

  #existing(id: string): number {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    // It may be one of this commit's.
    this.#runs.flush();
    const key = this.keyOf(id);
    if (key === undefined) {
      throw new StoreError("store-no-run", `there is no run \`${id}\` in ${this.file.path}`);
    }
    this.#remember(id, key);
    return key;
  }

  #remember(id: string, key: number): void {
    if (this.#keys.size >= KEY_CACHE_LIMIT) this.#keys.clear();
    this.#keys.set(id, key);
  }

  #rollBack(): void {
    this.#runs.clear();
    this.#events.clear();
    // Ids of runs that this commit created must not stay known.
    this.#keys.clear();
    try {
      this.file.connection.exec("ROLLBACK");
    } catch {
      // SQLite rolls back by itself on a full disk and the like; then there is nothing to roll back,
      // and the first error is the one to report.
    }
  }
}

/** The fields that only some events have. */
interface EventFields {
  readonly node?: string;
  readonly attempt?: number;
  readonly value?: string;
  readonly dueAt?: number;
}

function requestOf(row: SqlRow): StoreRequest {
  const run = row["run"];
  return {
    id: Number(row["id"]),
    at: Number(row["at"]),
    command: String(row["command"]),
    run: typeof run === "string" ? run : undefined,
    args: String(row["args"]),
  };
}
