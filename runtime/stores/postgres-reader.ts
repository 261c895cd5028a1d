/**
 * What any process may do with a store on PostgreSQL: read it, file requests, start runs that some
 * coordinator then takes, and hear of changes. It owns nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../errors.js";
import type { LoggedEvent } from "../events.js";
import type { Manifest } from "../manifest.js";
import { boundOf, listQuery } from "./postgres-list.js";
import { type Link, lockedError, type Row } from "./postgres-link.js";
import type { PostgresNotices } from "./postgres-notices.js";
import {
  answerOf,
  escaped,
  EVENT_COLUMNS,
  eventOf,
  listedOf,
  readColumns,
  runOf,
  unescaped,
} from "./postgres-rows.js";
import { inSchema } from "./postgres-schema.js";
import { isLocked, type StartOf, startStatement, StartTogether } from "./postgres-start.js";
import { SafePositions } from "./postgres-positions.js";
import { numberOf, textOf } from "./rows.js";
import type {
  ListedRun,
  RequestAnswer,
  RunFilter,
  RunRow,
  SharedReader,
  StoreReader,
  Transaction,
  UnstartedRun,
  WatchedEvent,
} from "./store.js";

/**
 * How long whoever starts a run waits for another's transaction that has started one of its id, in
 * milliseconds, and how long between two attempts.
 */
const LOCKED_MS = 60_000;
const LOCKED_PAUSE_MS = 500;

/** What an open store has in common for whoever uses it. */
export interface OpenDatabase {
  readonly schema: string;
  /** Whether times are those of the database. */
  readonly keepsTime: boolean;
  readonly reading: Link;
  readonly notices: PostgresNotices;
}

export class PostgresReader implements StoreReader {
  protected readonly database: OpenDatabase;
  readonly shared: SharedReader;
  readonly #positions: SafePositions;
  readonly #starting: StartOf;
  readonly #together: StartTogether;
  /** By their hashes, the definitions that are in the store, or on their way. */
  readonly #defined = new Map<string, Promise<unknown>>();
  #closed = false;

  constructor(database: OpenDatabase) {
    this.database = database;
    const { reading, schema, notices } = database;
    this.#positions = new SafePositions(reading, schema);
    const { keepsTime } = database;
    this.#starting = { schema, channel: notices.channel, keepsTime };
    this.#together = new StartTogether((runs) => this.#add(runs));
    this.shared = {
      start: (run, transaction) => this.#start(run, transaction),
      resting: (ids) => this.#resting(ids),
      listen: (listener) => notices.listen(listener),
    };
  }

  protected query(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    return this.database.reading.query(inSchema(sql, this.database.schema), values);
  }

  async run(id: string): Promise<RunRow | undefined> {
    const sql = `SELECT ${readColumns("runs")} FROM S.runs WHERE id = $1`;
    const [row] = await this.query(sql, escaped(id));
    return row && runOf(row);
  }

  async runs(filter: RunFilter): Promise<readonly ListedRun[]> {
    const { text, values } = listQuery(filter);
    return (await this.query(text, ...values)).map(listedOf);
  }

  async kept(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.query("SELECT name, value FROM S.kept");
    return new Map(rows.map((row) => [String(row["name"]), String(row["value"])]));
  }

  async events(run: string, after = -1, limit = Infinity): Promise<readonly LoggedEvent[]> {
    const sql = `SELECT ${EVENT_COLUMNS} FROM S.events
      WHERE run = (SELECT key FROM S.runs WHERE id = $1) AND seq > $2 ORDER BY seq LIMIT $3`;
    return (await this.query(sql, escaped(run), after, boundOf(limit))).map(eventOf);
  }

  async log(after: number, limit: number): Promise<readonly WatchedEvent[]> {
    const until = await this.#positions.until(after);
    if (until <= after) return [];
    const rows = await this.query(
      `SELECT position, r.id AS run_id, r.saga, ${EVENT_COLUMNS.replaceAll(/\w+/g, "e.$&")}
       FROM S.events e JOIN S.runs r ON r.key = e.run
       WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3`,
      ...[after, until, boundOf(limit)],
    );
    return rows.map((row) => ({
      cursor: Number(row["position"]),
      run: unescaped(String(row["run_id"])),
      saga: String(row["saga"]),
      event: eventOf(row),
    }));
  }

  async lastCursor(): Promise<number> {
    const [row] = await this.query("SELECT max(position) AS last FROM S.events");
    return numberOf(row?.["last"]) ?? 0;
  }

  async definition(hash: string): Promise<Manifest | undefined> {
    const [row] = await this.query("SELECT manifest FROM S.definitions WHERE hash = $1", hash);
    const text = textOf(row?.["manifest"]);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as Manifest;
    } catch (error) {
      throw new StoreError(
        "store-corrupt-row",
        "a row of `definitions` holds no JSON: something else wrote to it",
        { cause: error },
      );
    }
  }

  async owned(): Promise<boolean> {
    const [row] = await this.query(
      `SELECT EXISTS (SELECT FROM S.coordinators
       WHERE NOT fenced AND lease_until > clock_timestamp()) AS owned`,
    );
    return row?.["owned"] === true;
  }

  async request(command: string, run: string | undefined, args: string): Promise<number> {
    const { schema, notices } = this.database;
    const table = inSchema("S.requests", schema);
    const [row] = await this.query("SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id", table);
    const id = Number(row?.["id"]);
    // It is sent again when its answer is lost: under an id that it has already, it is there once.
    await this.query(
      `WITH told AS (SELECT pg_notify($5, 'asked'))
       INSERT INTO S.requests (id, at, command, run, args) OVERRIDING SYSTEM VALUE
       SELECT $1::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, $2, $3, $4 FROM told
       ON CONFLICT (id) DO NOTHING`,
      ...[id, command, run === undefined ? null : escaped(run), args, notices.channel],
    );
    return id;
  }

  async answer(request: number): Promise<RequestAnswer | undefined> {
    const [row] = await this.query("SELECT answer FROM S.requests WHERE id = $1", request);
    return answerOf(row);
  }

  async #start(
    run: UnstartedRun,
    transaction?: Transaction,
  ): Promise<"added" | RunRow | undefined> {
    if (transaction !== undefined) checkTransaction(transaction);
    // Not in a transaction of somebody else's: others would have to wait for its end.
    await this.#define(run.manifest);
    const { id } = run.row;
    if (transaction === undefined) {
      return (await this.#startAlone(run)) ? "added" : this.run(id);
    }
    const { text, values } = startStatement([run], this.#starting, true);
    const { rows } = await transaction.query(text, [...values]);
    if (rows.length > 0) return "added";
    const sql = inSchema(
      `SELECT ${readColumns("runs")} FROM S.runs WHERE id = $1`,
      this.database.schema,
    );
    const found = await transaction.query(sql, [escaped(id)]);
    return found.rows.length === 0 ? undefined : runOf(found.rows[0] as Row);
  }

  /** Whether it was added; waits while a transaction that is open has started one of its id. */
  async #startAlone(run: UnstartedRun): Promise<boolean> {
    const end = performance.now() + LOCKED_MS;
    let again = false;
    for (;;) {
      try {
        if (!again) return await this.#together.start(run);
        return (await this.#add([run])).size > 0;
      } catch (error) {
        if (!isLocked(error) || performance.now() > end) throw error;
      }
      // Not with others, who would have to wait for it each time.
      again = true;
      await sleep(LOCKED_PAUSE_MS);
    }
  }

  /** Done twice, what is there already is found to be so. @throws StoreError `store-locked` */
  async #add(runs: readonly UnstartedRun[]): Promise<ReadonlySet<string>> {
    const { reading } = this.database;
    const { text, values } = startStatement(runs, this.#starting);
    const rows = await reading.patiently(() =>
      reading.once({ text, values, name: "steno_start" }).catch((error: unknown) => {
        throw lockedError(error) ?? error;
      }),
    );
    return new Set(rows.map((row) => unescaped(String(row["id"]))));
  }

  async #define(manifest: Manifest): Promise<void> {
    const { hash, name } = manifest;
    const sql = "INSERT INTO S.definitions VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let defined = this.#defined.get(hash);
    if (defined === undefined) {
      defined = this.query(sql, hash, name, JSON.stringify(manifest));
      this.#defined.set(hash, defined);
      defined.catch(() => this.#defined.delete(hash));
    }
    await defined;
  }

  async #resting(ids: readonly string[]): Promise<ReadonlyMap<string, RunRow | undefined>> {
    const rows = await this.query(
      `SELECT g.id AS given, ${readColumns("r")} FROM unnest($1::text[]) AS g (id) LEFT JOIN S.runs r ON r.id = g.id COLLATE "C"
       WHERE r.key IS NULL OR r.status IN ('succeeded', 'undone', 'stuck')`,
      ids.map(escaped),
    );
    return new Map(
      rows.map((row) => [
        unescaped(String(row["given"])),
        row["key"] === null ? undefined : runOf(row),
      ]),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([this.database.notices.close(), this.database.reading.close()]);
  }
}

/** A pool has what a client has, and no transaction: each statement goes to any of its clients. */
function checkTransaction(transaction: Transaction): void {
  if (typeof transaction.query === "function" && !("totalCount" in transaction)) return;
  throw new StoreError(
    "store-transaction",
    "`transaction` is no client of `pg`: give the one on which you said BEGIN, which of a pool is what " +
      "`await pool.connect()` gives",
  );
}
