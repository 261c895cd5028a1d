/**
 * What any process may do with a SQLite store: read it, file requests, see whether it is owned.
 * It writes nothing but requests.
 */
import { existsSync } from "node:fs";
import { StoreError } from "../errors.js";
import type { LoggedEvent } from "../events.js";
import type { Manifest } from "../manifest.js";
import { isOwnerLockHeld } from "./sqlite-owner-lock.js";
import { storeError } from "./sqlite-schema.js";
import type { Connection, OpenConnection, SqlRow, SqlValue, Statement } from "./sqlite-driver.js";
import { listQuery, RUN_COLUMNS } from "./sqlite-list.js";
import { runOf } from "./rows.js";
import { sumOf, sumOfRun, sumOfState, sumOfVersion4 } from "./sqlite-sum.js";
import type {
  ListedRun,
  Place,
  RequestAnswer,
  RunFilter,
  RunRow,
  StoreReader,
  WatchedEvent,
} from "./store.js";

const EVENT_COLUMNS = "seq, at, type, node, attempt, value, due_at, sum";

/** How many different statements are kept prepared; those of filters are few. */
const STATEMENT_LIMIT = 50;

/** An open store file: its connection, and what was opened to get it. */
export interface OpenFile {
  readonly path: string;
  readonly connection: Connection;
  readonly open: OpenConnection;
}

/** A reader of an open store file; closing it closes the connection. */
export class SqliteReader implements StoreReader {
  protected readonly file: OpenFile;
  #closed = false;
  readonly #statements = new Map<string, Statement>();

  constructor(file: OpenFile) {
    this.file = file;
  }

  async run(id: string): Promise<RunRow | undefined> {
    const row = this.guard(() =>
      this.statement(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`).get(id),
    );
    return row === undefined ? undefined : rowOf(row);
  }

  async runs(filter: RunFilter): Promise<readonly ListedRun[]> {
    return this.guard(() => {
      const query = listQuery(filter, filter.after && this.#placeOf(filter.after));
      if (query === undefined) return [];
      const rows = query.values.flatMap((values) => this.statement(query.sql).all(...values));
      const runs = rows.map((row) => ({ ...rowOf(row), key: Number(row["key"]) }));
      // One query for each status: the index gives each in order, and stops at the limit.
      if (query.values.length > 1) {
        runs.sort((a, b) => a.createdAt - b.createdAt || a.key - b.key);
      }
      return runs.slice(0, query.limit);
    });
  }

  #placeOf(id: string): Place | undefined {
    const row = this.statement("SELECT created_at, key FROM runs WHERE id = ?").get(id);
    return row && { createdAt: Number(row["created_at"]), key: Number(row["key"]) };
  }

  async kept(): Promise<ReadonlyMap<string, string>> {
    const rows = this.guard(() => this.statement("SELECT name, value FROM kept").all());
    return new Map(rows.map((row) => [String(row["name"]), String(row["value"])]));
  }

  async events(run: string, after = -1, limit = -1): Promise<readonly LoggedEvent[]> {
    return this.guard(() =>
      this.statement(
        `SELECT ${EVENT_COLUMNS} FROM events
         WHERE run = (SELECT key FROM runs WHERE id = ?) AND seq > ? ORDER BY seq LIMIT ?`,
      )
        .all(run, after, limit)
        .map(eventOf),
    );
  }

  async log(after: number, limit: number): Promise<readonly WatchedEvent[]> {
    return this.guard(() =>
      this.statement(
        `SELECT position AS cursor, runs.id AS run_id, runs.saga AS saga, ${EVENT_COLUMNS}
         FROM events JOIN runs ON runs.key = events.run
         WHERE position > ? ORDER BY position LIMIT ?`,
      )
        .all(after, limit)
        .map((row) => ({
          cursor: Number(row["cursor"]),
          run: String(row["run_id"]),
          saga: String(row["saga"]),
          event: eventOf(row),
        })),
    );
  }

  async lastCursor(): Promise<number> {
    return this.guard(() =>
      Number(this.statement("SELECT max(position) AS last FROM events").get()?.["last"] ?? 0),
    );
  }

  async definition(hash: string): Promise<Manifest | undefined> {
    const row = this.guard(() =>
      this.statement("SELECT manifest FROM definitions WHERE hash = ?").get(hash),
    );
    return row === undefined ? undefined : this.#parse<Manifest>(row["manifest"], "definitions");
  }

  async owned(): Promise<boolean> {
    return this.guard(
      () =>
        existsSync(`${this.file.path}-owner`) && isOwnerLockHeld(this.file.open, this.file.path),
    );
  }

  async request(command: string, run: string | undefined, args: string): Promise<number> {
    return this.guard(() => {
      const sql = "INSERT INTO requests (at, command, run, args) VALUES (?, ?, ?, ?)";
      const { lastInsertRowid } = this.statement(sql).run(Date.now(), command, run ?? null, args);
      return Number(lastInsertRowid);
    });
  }

  async answer(request: number): Promise<RequestAnswer | undefined> {
    const row = this.guard(() =>
      this.statement("SELECT answer FROM requests WHERE id = ?").get(request),
    );
    const answer = row?.["answer"];
    return typeof answer === "string" ? this.#parse<RequestAnswer>(answer, "requests") : undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#statements.clear();
    this.file.connection.close();
  }

  /** JSON that only owners write, so that its shape is known; the text may be damaged all the same. */
  #parse<T>(text: SqlValue | undefined, table: string): T {
    try {
      return JSON.parse(String(text)) as T;
    } catch (error) {
      throw new StoreError(
        "store-corrupt-row",
        `a row of \`${table}\` in ${this.file.path} holds no JSON: something else wrote to it`,
        { cause: error },
      );
    }
  }

  /** The statement for some SQL text, prepared once. */
  protected statement(sql: string): Statement {
    if (this.#closed) {
      throw new StoreError("store-closed", `the store ${this.file.path} is closed: open it again`);
    }
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= STATEMENT_LIMIT) this.#statements.clear();
      statement = this.file.connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** The key of a run's row. */
  protected keyOf(id: string): number | undefined {
    const key = this.statement("SELECT key FROM runs WHERE id = ?").get(id)?.["key"];
    return typeof key === "number" ? key : undefined;
  }

  /** Runs it, with the driver's errors put into words. */
  protected guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw storeError(error, this.file.path);
    }
  }
}

/** With what its checksums tell; earlier versions wrote none. */
export function rowOf(row: SqlRow): RunRow {
  const run = runOf(row);
  const isWhole =
    (row["row_sum"] === null || row["row_sum"] === sumOfRun(run)) &&
    (row["state_sum"] === null || row["state_sum"] === sumOfState(Number(row["key"]), run));
  return isWhole ? run : { ...run, reason: "corrupt-log", damaged: true };
}

/** Absent fields are absent properties, as in the event that was written. */
function eventOf(row: SqlRow): LoggedEvent {
  const event: Record<string, SqlValue> = {
    seq: row["seq"] ?? null,
    at: row["at"] ?? null,
    type: row["type"] ?? null,
  };
  for (const [field, column] of OPTIONAL_FIELDS) {
    const value = row[column];
    if (value !== null && value !== undefined) event[field] = value;
  }
  const logged = event as unknown as LoggedEvent;
  const sum = row["sum"];
  // Earlier versions wrote none, or of less.
  const isWhole = sum === null || sum === sumOf(logged) || sum === sumOfVersion4(logged);
  return isWhole ? logged : { ...logged, damaged: true };
}

const OPTIONAL_FIELDS = [
  ["node", "node"],
  ["attempt", "attempt"],
  ["value", "value"],
  ["dueAt", "due_at"],
] as const;
