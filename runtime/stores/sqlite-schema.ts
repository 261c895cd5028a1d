/**
 * The tables of a SQLite store and the check that a file is one. It holds no queries (those are in
 * `sqlite.ts` and `sqlite-reader.ts`). `docs/STORE.md` describes the tables for people.
 */
import { StoreError } from "../errors.js";
import { type Connection, SQLITE, sqliteCode } from "./sqlite-driver.js";

/** "STEN" in ASCII: marks the file as a steno store, for `file` and for ourselves. */
export const APPLICATION_ID = 0x5354_454e;

/** Counted up with each change of the tables; kept in `user_version`. */
export const SCHEMA_VERSION = 6;

/** What is found by them: runs that have to be looked at, runs that wait for runs, and old runs. */
const WAKING = `CREATE INDEX runs_by_wake ON runs (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX runs_finished ON runs (updated_at) WHERE status IN ('succeeded', 'undone');
CREATE TABLE awaits (
  id TEXT NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (id, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaits_by_run ON awaits (run);
`;

/**
 * Lists are in the order of `created_at` and `key` (which is part of each index), whatever they are
 * filtered by; those by more than one of these look through the runs of one.
 */
const LISTS = `CREATE INDEX runs_by_status ON runs (status, created_at);
CREATE INDEX runs_by_saga ON runs (saga, status, created_at);
CREATE INDEX runs_of_saga ON runs (saga, created_at);
CREATE INDEX runs_by_reason ON runs (reason, created_at) WHERE reason IS NOT NULL;
CREATE INDEX runs_by_creation ON runs (created_at);
CREATE TABLE kept (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
`;

/**
 * Append-only, with a separate unique index, not a table clustered by (run, seq): with a thousand runs
 * side by side the clustered form touches a page per run and commit, and takes half as many rows a
 * second (226,000 against 527,000 in groups of a thousand). `position` is the rowid, by a name of its own
 * so that a `VACUUM` does not number rows anew.
 */
const EVENTS = `CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  node TEXT,
  attempt INTEGER,
  value TEXT,
  due_at INTEGER,
  sum INTEGER,
  UNIQUE (run, seq)
) STRICT;
`;

/**
 * What makes a store of each version one of the next, from version 1 on. A store that was made so
 * and one that is new are the same; a test holds that.
 */
const MIGRATIONS: readonly string[] = [
  // All that is unfinished has to be looked at: version 1 did not say what waits.
  `ALTER TABLE runs ADD COLUMN wake_at INTEGER;
UPDATE runs SET wake_at = 0 WHERE status IN ('running', 'unwinding', 'stuck');
${WAKING}`,
  `DROP INDEX runs_by_status;
DROP INDEX runs_by_saga;
${LISTS}`,
  // Of events that are there already nobody knows what they were.
  "ALTER TABLE events ADD COLUMN sum INTEGER",
  "ALTER TABLE runs ADD COLUMN row_sum INTEGER; ALTER TABLE runs ADD COLUMN state_sum INTEGER",
  `ALTER TABLE events RENAME TO earlier;
${EVENTS}INSERT INTO events SELECT rowid, * FROM earlier;
DROP TABLE earlier;`,
];

/**
 * Integers are milliseconds since the epoch where a name ends in `at`. Text named params, value,
 * output, error, args, answer and manifest is JSON.
 */
const TABLES = `
CREATE TABLE owner (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  opened_at INTEGER NOT NULL
) STRICT;
CREATE TABLE definitions (
  hash TEXT PRIMARY KEY,
  saga TEXT NOT NULL,
  manifest TEXT NOT NULL
) STRICT;
CREATE TABLE runs (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  saga TEXT NOT NULL,
  hash TEXT NOT NULL,
  nonce TEXT NOT NULL,
  params TEXT,
  status TEXT NOT NULL,
  reason TEXT,
  output TEXT,
  error TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  wake_at INTEGER,
  row_sum INTEGER,
  state_sum INTEGER
) STRICT;
${LISTS}${WAKING}${EVENTS}CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  command TEXT NOT NULL,
  run TEXT,
  args TEXT NOT NULL,
  answer TEXT,
  answered_at INTEGER
) STRICT;
CREATE INDEX requests_unanswered ON requests (id) WHERE answer IS NULL;
INSERT INTO owner (id, epoch, pid, host, opened_at) VALUES (1, 0, 0, '', 0);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Whether the file holds a store already: `"store"`, `"older"` for one of an earlier schema, or
 * `"empty"` when it holds nothing at all.
 * @throws StoreError for anything else, and for a store of a later schema.
 */
export function checkIdentity(connection: Connection, path: string): "store" | "older" | "empty" {
  const application = readPragma(connection, "application_id");
  const version = readPragma(connection, "user_version");
  if (application === APPLICATION_ID) {
    if (version === SCHEMA_VERSION) return "store";
    if (version > 0 && version < SCHEMA_VERSION) return "older";
    throw new StoreError(
      "store-version",
      `the store ${path} has schema version ${version}, and this steno-runtime reads version ` +
        `${SCHEMA_VERSION}: use the version of steno-runtime that wrote it, or a later one`,
    );
  }
  const tables = connection.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"];
  if (application === 0 && version === 0 && tables === 0) return "empty";
  throw new StoreError(
    "store-not-a-store",
    `${path} is an SQLite database, but not a steno store: name another file (nothing was changed)`,
  );
}

/** Makes the tables, all or none. */
export function createTables(connection: Connection): void {
  connection.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
}

/** Brings a store of an earlier schema to this one, all or nothing. */
export function migrate(connection: Connection): void {
  connection.exec("BEGIN IMMEDIATE");
  try {
    const version = readPragma(connection, "user_version");
    for (const step of MIGRATIONS.slice(version - 1)) connection.exec(step);
    connection.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } catch (error) {
    connection.exec("ROLLBACK");
    throw error;
  }
}

function readPragma(connection: Connection, name: "application_id" | "user_version"): number {
  return Number(connection.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** An error of the driver, in words: what is wrong with which file, and what to do about it. */
export function storeError(error: unknown, path: string): unknown {
  if (error instanceof StoreError) return error;
  const explain = (code: string, message: string): StoreError =>
    new StoreError(code, message, { cause: error });
  switch (sqliteCode(error)) {
    case SQLITE.notADatabase:
      return explain(
        "store-not-a-database",
        `${path} is not an SQLite database: name another file (nothing was changed)`,
      );
    case SQLITE.busy:
    case SQLITE.locked:
      return explain(
        "store-busy",
        `another process has locked ${path} for too long: end whatever holds a transaction on it`,
      );
    case SQLITE.full:
      return explain("store-full", `there is no space left to write ${path}: nothing was written`);
    case SQLITE.readonly:
    case SQLITE.cannotOpen:
      return explain(
        "store-not-writable",
        `${path} cannot be opened for writing: check that the file and its folder are writable`,
      );
    case SQLITE.corrupt:
      return explain(
        "store-corrupt",
        `${path} is damaged: restore it from a backup, or save what can be read with ` +
          "the sqlite3 shell's `.recover`",
      );
    case SQLITE.ioError:
      return explain(
        "store-io",
        `the disk failed while ${path} was used (${(error as Error).message}; a limit of the size of files, ` +
          "`ulimit -f`, ends so, too): whether the last write is durable is not known; open the store again to see",
      );
    case SQLITE.constraint:
      if ((error as Error).message.includes("runs.id")) {
        return explain("store-run-exists", `a run with this id is in ${path} already`);
      }
      return explain(
        "store-conflict",
        `a write contradicts what ${path} holds (${(error as Error).message}): nothing was written`,
      );
    default:
      return error;
  }
}
