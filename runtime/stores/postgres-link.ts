/**
 * One connection to PostgreSQL that is made again when it is lost, and the driver's errors in words.
 * It knows no tables. Whether a statement whose connection was lost has been done, the caller finds
 * out: here it is only told apart (`isOutage`).
 */
import type { Client, ClientConfig, QueryConfig } from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../errors.js";

/** A connection's settings: a URL, or what `new pg.Client()` takes. */
export type PostgresConnection = string | Readonly<Record<string, unknown>>;

export type Row = Readonly<Record<string, unknown>>;

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** It is prepared once for each connection, under this name. */
  readonly name?: string;
}

/** A connection that gives no sign of life is given up after this long, in milliseconds. */
const SILENCE_MS = 15_000;

/** Longer than any statement of ours takes: what is left of a dead connection ends by itself. */
const STATEMENT_MS = 60_000;

/**
 * What a role or a database may have set otherwise, for all who connect. Not as parameters of the
 * connection, which PgBouncer refuses.
 */
const SETTINGS = `SET statement_timeout = ${STATEMENT_MS}; SET lock_timeout = 0;
  SET default_transaction_isolation = 'read committed'; SELECT pg_backend_pid() AS pid`;

/** Between two attempts to connect, in milliseconds; it doubles up to the second. */
const RETRY_MS = [20, 500] as const;

export interface LinkOptions {
  readonly connection: PostgresConnection;
  /** Loads the driver, or gives the one that is loaded. */
  readonly driver: () => Promise<Driver>;
  /** What `pg_stat_activity` calls it. */
  readonly name: string;
  /** How long an outage of the database is waited for, in milliseconds. */
  readonly patienceMs: number;
  /** No answer for so long is an outage. */
  readonly silenceMs?: number;
  /** Told of each new connection, before anything else uses it. */
  readonly onConnect?: (client: Client) => Promise<void>;
  /** A connection that was there is lost. */
  readonly onLost?: () => void;
}

export class Link {
  readonly #options: LinkOptions;
  #client: Promise<Client> | undefined;
  /** The process of the server that serves it. */
  #backend: number | undefined;
  /** One statement after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get backend(): number | undefined {
    return this.#backend;
  }

  /** Once, whatever becomes of it. @throws an outage, or an error of the database */
  once(statement: Statement): Promise<readonly Row[]> {
    const done = this.#last.then(() => this.#once(statement));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #once(statement: Statement): Promise<readonly Row[]> {
    const client = await this.connected();
    try {
      const config = { ...statement, values: statement.values && [...statement.values] };
      const { rows } = await client.query(config as QueryConfig);
      return rows as Row[];
    } catch (error) {
      // Without an answer, what comes next on it is of no use either.
      if (isOutage(error)) this.#drop(client);
      throw error;
    }
  }

  /** Of what may be done more than once: again while the database is out of reach. */
  async query(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
  ): Promise<readonly Row[]> {
    const statement = { text, values, ...(name !== undefined && { name }) };
    return this.patiently(() => this.once(statement));
  }

  /** Again while the database is out of reach. @throws StoreError `store-unreachable` */
  async patiently<T>(act: () => Promise<T>): Promise<T> {
    const { patienceMs } = this.#options;
    const end = performance.now() + patienceMs;
    let [pause, longest] = RETRY_MS as readonly [number, number];
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!isOutage(error)) throw storeError(error);
        if (this.#closed || performance.now() > end) throw unreachable(error);
      }
      await sleep(pause);
      pause = Math.min(pause * 2, longest);
    }
  }

  /** An error of a connection in words. */
  explained(error: unknown): unknown {
    return isOutage(error) ? unreachable(error) : storeError(error);
  }

  /** The connection, made if there is none. */
  connected(): Promise<Client> {
    if (this.#closed) {
      throw new StoreError("store-closed", "this connection to the store is closed: open it again");
    }
    if (this.#client === undefined) {
      const connecting = this.#connect();
      this.#client = connecting;
      connecting.catch(() => {
        if (this.#client === connecting) this.#client = undefined;
      });
    }
    return this.#client;
  }

  async #connect(): Promise<Client> {
    const { connection, name, silenceMs = SILENCE_MS, onConnect, driver } = this.#options;
    const { default: pg } = await driver();
    const given: ClientConfig =
      typeof connection === "string" ? { connectionString: connection } : connection;
    const client = new pg.Client({
      application_name: name,
      connectionTimeoutMillis: silenceMs,
      query_timeout: silenceMs,
      keepAlive: true,
      ...given,
    });
    client.on("error", () => this.#drop(client));
    client.on("end", () => this.#drop(client));
    await client.connect();
    // Of several statements, it gives the results of each.
    const results = (await client.query(SETTINGS)) as unknown as readonly {
      readonly rows: Row[];
    }[];
    this.#backend = results.at(-1)?.rows[0]?.["pid"] as number;
    await onConnect?.(client);
    return client;
  }

  #drop(client: Client): void {
    const current = this.#client;
    void current?.then(
      (found) => {
        if (found !== client || this.#client !== current) return;
        this.#client = undefined;
        this.#backend = undefined;
        this.#options.onLost?.();
      },
      () => undefined,
    );
    // Not `end()`, which would wait for a server that may be silent.
    (
      client as unknown as { connection?: { stream?: { destroy(): void } } }
    ).connection?.stream?.destroy();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await Promise.race([
      client?.end().catch(() => undefined),
      sleep(1000, undefined, { ref: false }),
    ]);
  }
}

/** What of the driver is used. */
export interface Driver {
  readonly default: { readonly Client: typeof Client };
}

/** @throws StoreError `store-no-driver` */
export async function loadDriver(): Promise<Driver> {
  try {
    return await import("pg");
  } catch (error) {
    throw new StoreError(
      "store-no-driver",
      "a store on PostgreSQL needs the package `pg`, which is not installed: `npm install pg`",
      { cause: error },
    );
  }
}

/** Whether the database could not be reached, or ended, so that trying again may help. */
export function isOutage(error: unknown): boolean {
  if (error instanceof StoreError) return false;
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  // Errors of the server have a severity; all others are of the connection.
  if (severity === undefined) return !(error instanceof TypeError) && code !== "ERR_INVALID_URL";
  // Shutting down, starting up, too many connections; idle, or in a transaction, for longer than the
  // role may be; a deadlock, or a conflict, which is over now.
  const again = /^(57P0[1235]|08...|53300|25P0[34]|40P01|40001|57014)$/;
  return typeof code === "string" && again.test(code);
}

export function unreachable(error: unknown): StoreError {
  if ((error as { readonly code?: unknown }).code === "53300") {
    return new StoreError(
      "store-unreachable",
      `PostgreSQL gives no more connections (${messageOf(error)}): a coordinator takes one for each of its ` +
        "`lanes` (2 unless told) and three more, a client two; raise max_connections, or the limit of the role",
      { cause: error },
    );
  }
  return new StoreError(
    "store-unreachable",
    `the PostgreSQL of the store cannot be reached (${messageOf(error)}): look at the server and the ` +
      "address; what is in the store is safe, and goes on when a coordinator opens it",
    { cause: error },
  );
}

/**
 * Several connections that are open at the same time are several sessions, unless a pooler shares them out.
 * @throws StoreError `store-pooled`
 */
export function checkSessions(links: readonly Link[]): void {
  const backends = links.flatMap(({ backend }) => backend ?? []);
  if (new Set(backends).size < backends.length) throw pooled("two connections share a session");
}

function pooled(said: string, cause?: unknown): StoreError {
  return new StoreError(
    "store-pooled",
    `the connections of the store are no sessions of their own (${said}): use the session mode of the ` +
      "pooler, such as PgBouncer, or the address of the server itself",
    { cause },
  );
}

/** For a start that has waited for a lock: whose, is not told; `undefined` for any other error. */
export function lockedError(error: unknown): StoreError | undefined {
  if ((error as { readonly code?: unknown }).code !== "55P03") return undefined;
  return new StoreError(
    "store-locked",
    "a transaction that is still open has started a run with this id: end it, then ask again",
    { cause: error },
  );
}

/** An error of the database, in words: what is wrong, and what to do about it. */
export function storeError(error: unknown): unknown {
  const { code, severity, constraint } = error as Record<string, unknown>;
  if (error instanceof StoreError || severity === undefined) return error;
  const explain = (name: string, message: string): StoreError =>
    new StoreError(name, message, { cause: error });
  const said = messageOf(error);
  switch (code) {
    case "23505":
      if (constraint === "runs_id") {
        return explain("store-run-exists", "a run with this id is in the store already");
      }
      return explain(
        "store-conflict",
        `a write contradicts what the store holds (${said}): nothing was written`,
      );
    case "53100":
      return explain("store-full", `PostgreSQL has no space left (${said}): nothing was written`);
    // A prepared statement that is not there, or is there already.
    case "26000":
    case "42P05":
      return pooled(said, error);
    case "25006":
      return explain(
        "store-not-writable",
        `PostgreSQL takes no writes (${said}): name the primary server and not a replica, and ` +
          "a role and a database whose default_transaction_read_only is off",
      );
    case "42501":
    case "3F000":
      return explain(
        "store-not-writable",
        `the role may not do what a store needs (${said}): see the privileges in docs/SCALING.md`,
      );
    case "42P01":
      return explain(
        "store-empty",
        `there are no tables of steno in that schema (${said}): open it once with a coordinator`,
      );
    case "28P01":
    case "28000":
    case "3D000":
      return explain("store-not-reachable", `PostgreSQL refuses the connection: ${said}`);
    default:
      return explain("store-database", `PostgreSQL refused a statement (${said}, ${String(code)})`);
  }
}

export function messageOf(error: unknown): string {
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return message || code || String(error);
}
