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
  /** One statement after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
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
      statement_timeout: STATEMENT_MS,
      keepAlive: true,
      ...given,
    });
    client.on("error", () => this.#drop(client));
    client.on("end", () => this.#drop(client));
    await client.connect();
    await onConnect?.(client);
    return client;
  }

  #drop(client: Client): void {
    const current = this.#client;
    void current?.then(
      (found) => {
        if (found !== client || this.#client !== current) return;
        this.#client = undefined;
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
  // Shutting down, starting up, too many connections; a deadlock, or a conflict, which is over now.
  return typeof code === "string" && /^(57P0[123]|08...|53300|40P01|40001|57014)$/.test(code);
}

export function unreachable(error: unknown): StoreError {
  return new StoreError(
    "store-unreachable",
    `the PostgreSQL of the store cannot be reached (${messageOf(error)}): look at the server and the ` +
      "address; what is in the store is safe, and goes on when a coordinator opens it",
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
    case "25006":
      return explain(
        "store-not-writable",
        `PostgreSQL takes no writes (${said}): name the primary server, not a replica`,
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
