/**
 * `postgresStore(…)`: opens a store on PostgreSQL, which any number of coordinators on any number of
 * machines share. What can be done with it then is in `postgres-owner.ts` and `postgres-reader.ts`.
 */
import type { Client } from "pg";
import { StoreError } from "../errors.js";
import { Lanes } from "./postgres-lanes.js";
import { PostgresLease } from "./postgres-lease.js";
import {
  checkSessions,
  type Driver,
  Link,
  loadDriver,
  type PostgresConnection,
} from "./postgres-link.js";
import { PostgresNotices } from "./postgres-notices.js";
import { PostgresOwner } from "./postgres-owner.js";
import { type OpenDatabase, PostgresReader } from "./postgres-reader.js";
import { checkVersion, migrate, quoted, SCHEMA_VERSION, versionOf } from "./postgres-schema.js";
import type { OpenOptions, Store, StoreOwner, StoreReader } from "./store.js";

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** The schema of its tables, which is made if there is none. Default `steno`. */
  readonly schema?: string;
  /**
   * How long a coordinator may be silent before others go on with its runs, in milliseconds, by the
   * clock of the database. Default 10,000.
   */
  readonly leaseMs?: number;
  /** Connections of a coordinator that commit. Default 2; it has three more for the rest. */
  readonly lanes?: number;
  /** How long the database may be out of reach before what needs it fails, in milliseconds. Default 60,000. */
  readonly patienceMs?: number;
  /** Whose clock tells the time of runs: that of the `database` (default), or the coordinator's own. */
  readonly clock?: "database" | "coordinator";
}

/** A name in PostgreSQL has up to 63 bytes, and that of the notices begins with `steno_`. */
const LONGEST_SCHEMA = 57;
const DEFAULT_LEASE_MS = 10_000;
const SHORTEST_LEASE_MS = 200;
const DEFAULT_LANES = 2;
const DEFAULT_PATIENCE_MS = 60_000;

/**
 * A store in a schema of a PostgreSQL database (15 or later), for many coordinators at once. Needs
 * the package `pg`. `connection`: a URL, or what `new pg.Client()` takes.
 * @throws StoreError `store-options` for options that make no sense
 */
export function postgresStore(
  connection: PostgresConnection,
  options: PostgresStoreOptions = {},
): Store {
  const opening = new Opening(connection, options);
  return { open: (as) => opening.owner(as), reader: () => opening.reader() };
}

/** Makes what an open store consists of. */
class Opening {
  readonly #connection: PostgresConnection;
  readonly #schema: string;
  readonly #leaseMs: number;
  readonly #lanes: number;
  readonly #patienceMs: number;
  readonly #keepsTime: boolean;
  #driver: Promise<Driver> | undefined;

  constructor(connection: PostgresConnection, options: PostgresStoreOptions) {
    this.#connection = connection;
    this.#schema = options.schema ?? "steno";
    this.#leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
    this.#lanes = options.lanes ?? DEFAULT_LANES;
    this.#patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
    this.#keepsTime = options.clock !== "coordinator";
    const isName = !/^$|\0/.test(this.#schema) && Buffer.byteLength(this.#schema) <= LONGEST_SCHEMA;
    const isLease = this.#leaseMs >= SHORTEST_LEASE_MS && Number.isFinite(this.#leaseMs);
    const areLanes = Number.isInteger(this.#lanes) && this.#lanes > 0 && this.#lanes <= 32;
    if (isName && isLease && areLanes && this.#patienceMs >= 0) return;
    throw new StoreError(
      "store-options",
      `${JSON.stringify(options)} makes no store: \`schema\` is a name of 1 to ${LONGEST_SCHEMA} bytes, \`leaseMs\` ` +
        `a number from ${SHORTEST_LEASE_MS}, \`lanes\` a whole number from 1 to 32, \`patienceMs\` a number from 0`,
    );
  }

  async owner({ definitions = [] }: OpenOptions = {}): Promise<StoreOwner> {
    const beating = this.#link("lease");
    const committing = Array.from({ length: this.#lanes }, (_, lane) =>
      this.#link(`commit ${lane}`),
    );
    const database = this.#database();
    const lanes = new Lanes(committing, this.#schema);
    const owner = new PostgresOwner({
      database,
      lanes,
      definitions,
      lease: (onFenced) =>
        new PostgresLease({
          link: beating,
          notices: database.notices,
          schema: this.#schema,
          leaseMs: this.#leaseMs,
          lanes: this.#lanes,
          definitions,
          onFenced,
        }),
      close: () => beating.close(),
    });
    try {
      await this.#reachable(database.reading);
      await migrate(database.reading, this.#schema);
      await lanes.connect();
      checkSessions([database.reading, ...committing]);
      await owner.join();
      return owner;
    } catch (error) {
      await Promise.all([beating.close(), lanes.close(), closeAll(database)]);
      throw error;
    }
  }

  async reader(): Promise<StoreReader> {
    const database = this.#database();
    try {
      await this.#reachable(database.reading);
      const version = await versionOf(database.reading, this.#schema);
      checkVersion(version, this.#schema);
      if (version !== SCHEMA_VERSION) throw notMade(version, this.#schema);
      return new PostgresReader(database);
    } catch (error) {
      await closeAll(database);
      throw error;
    }
  }

  /** A database that is not there when a store is opened is likelier a wrong address than an outage. */
  async #reachable(link: Link): Promise<void> {
    await link.connected().catch((error: unknown) => {
      throw link.explained(error);
    });
  }

  #database(): OpenDatabase {
    const reading = this.#link("read");
    const channel = `steno_${this.#schema}`;
    const listening: Link = this.#link("listen", {
      onConnect: async (client: Client) => {
        client.on("notification", ({ payload = "" }) => notices.received(payload));
        await client.query(`LISTEN ${quoted(channel)}`);
      },
      onLost: () => notices.lost(),
    });
    const notices = new PostgresNotices(channel, listening, reading);
    return { schema: this.#schema, keepsTime: this.#keepsTime, reading, notices };
  }

  #link(
    what: string,
    more: {
      readonly onConnect?: (client: Client) => Promise<void>;
      readonly onLost?: () => void;
    } = {},
  ): Link {
    return new Link({
      connection: this.#connection,
      driver: () => (this.#driver ??= loadDriver()),
      name: `steno ${what}`,
      patienceMs: this.#patienceMs,
      // A lease that cannot be renewed in time is lost.
      ...(what === "lease" && { silenceMs: Math.max(SHORTEST_LEASE_MS, this.#leaseMs / 2) }),
      ...more,
    });
  }
}

async function closeAll({ notices, reading }: OpenDatabase): Promise<void> {
  await notices.close();
  await reading.close();
}

function notMade(version: number | undefined, schema: string): StoreError {
  if (version === undefined) {
    return new StoreError(
      "store-missing",
      `there is no store in schema \`${schema}\`: name the database and the schema that a coordinator opened`,
    );
  }
  return new StoreError(
    "store-version",
    `the store in schema \`${schema}\` is of an earlier version of steno-runtime, and only a coordinator ` +
      "brings it up to date: open it once with one of this version",
  );
}
