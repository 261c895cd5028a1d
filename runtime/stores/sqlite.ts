/**
 * `sqliteStore(path)`: opens a store in one SQLite file, as its owner or as a reader.
 * What can be done with it then is in `sqlite-owner.ts` and `sqlite-reader.ts`.
 */
import { type Stats, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { StoreError } from "../errors.js";
import {
  type Connection,
  type DriverName,
  loadDriver,
  type OpenConnection,
  SQLITE,
  sqliteCode,
} from "./sqlite-driver.js";
import { SqliteOwner } from "./sqlite-owner.js";
import { type OwnerLock, takeOwnerLock } from "./sqlite-owner-lock.js";
import { SqliteReader } from "./sqlite-reader.js";
import { checkIdentity, createTables, migrate, storeError } from "./sqlite-schema.js";
import { checkMark, Mark, readMark } from "./sqlite-mark.js";
import { checkWal } from "./sqlite-wal.js";
import type { Store, StoreOwner, StoreReader } from "./store.js";

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** The driver; chosen by the version of Node unless told. */
  readonly driver?: DriverName;
  /** How long a write waits for the transaction of another process, in ms. Default 5000. */
  readonly busyTimeoutMs?: number;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5000;

/**
 * A store in one SQLite file (and its siblings `-wal`, `-shm`, `-owner` and `-mark`). The file is made when
 * a coordinator opens it; a reader never makes it. One coordinator owns it at a time.
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): Store {
  return {
    open: () => openOwner(path, options),
    reader: () => openReader(path, options),
  };
}

async function openOwner(given: string, options: SqliteStoreOptions): Promise<StoreOwner> {
  const { path, exists } = locate(given);
  const open = loadDriver(options.driver);
  const openPatiently = patient(open, options);
  try {
    if (exists) check(openPatiently, path);
    const lock = await takeOwnerLock(open, path);
    if (lock === undefined) throw owned(openPatiently, path);
    return openLocked(path, open, lock, options);
  } catch (error) {
    throw storeError(error, path);
  }
}

/**
 * Whether a file is a whole store; gives what it is. Nothing is written: a file that is not ours must stay
 * as it is, and one that is damaged, too, of which SQLite would keep only what is whole.
 */
function check(open: OpenConnection, path: string): ReturnType<typeof checkIdentity> {
  checkWal(path);
  const mark = readMark(path);
  const look = (connection: Connection): ReturnType<typeof checkIdentity> => {
    const found = checkIdentity(connection, path);
    checkMark(connection, path, mark, found !== "empty");
    return found;
  };
  try {
    return closeAfter(open(path, { readOnly: true }), look);
  } catch (error) {
    if (sqliteCode(error) !== SQLITE.readonly) throw error;
    // Its process ended while it made the file, or turned it into one with a log of writes: what it had
    // begun has to be taken back first.
    return closeAfter(open(path), look);
  }
}

function openLocked(
  path: string,
  open: OpenConnection,
  lock: OwnerLock,
  options: SqliteStoreOptions,
): StoreOwner {
  let connection: Connection | undefined;
  try {
    connection = patient(open, options)(path);
    configure(connection);
    // Again, under the lock: another process may have made the tables meanwhile.
    const found = checkIdentity(connection, path);
    if (found === "empty") createTables(connection);
    else if (found === "older") migrate(connection);
    const epoch = takeOver(connection);
    return new SqliteOwner({ path, connection, open }, epoch, lock, new Mark(path, epoch));
  } catch (error) {
    connection?.close();
    lock.release();
    throw error;
  }
}

async function openReader(given: string, options: SqliteStoreOptions): Promise<StoreReader> {
  const { path, exists } = locate(given);
  if (!exists) {
    throw new StoreError(
      "store-missing",
      `there is no store ${path}: name the file that the coordinator opened`,
    );
  }
  const open = loadDriver(options.driver);
  let connection: Connection | undefined;
  try {
    const openPatiently = patient(open, options);
    const found = check(openPatiently, path);
    connection = openPatiently(path);
    if (found === "older") {
      throw new StoreError(
        "store-version",
        `the store ${path} was written by an earlier version of steno-runtime, and only its owner can ` +
          "bring it up to date: open it once with a coordinator (`steno recover`) of this version",
      );
    }
    if (found === "empty") {
      throw new StoreError(
        "store-empty",
        `${path} is empty: no coordinator has made a store of it yet`,
      );
    }
    return new SqliteReader({ path, connection, open });
  } catch (error) {
    connection?.close();
    throw storeError(error, path);
  }
}

/** The real path, so that two names of one file share one lock, and whether the file exists. */
function locate(given: string): { readonly path: string; readonly exists: boolean } {
  const path = resolve(given);
  const stat = statOf(path);
  if (stat?.isDirectory()) {
    throw new StoreError("store-is-a-directory", `${path} is a directory: name a file in it`);
  }
  if (stat !== undefined) return { path: realpathSync(path), exists: true };
  if (!statOf(dirname(path))?.isDirectory()) {
    throw new StoreError("store-no-directory", `there is no directory ${dirname(path)}: make it`);
  }
  return { path: join(realpathSync(dirname(path)), basename(path)), exists: false };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Older versions of Node throw when a file is where a folder should be; newer ones do not.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw new StoreError(
      "store-not-reachable",
      `${path} cannot be looked at (${(error as Error).message}): check its folders and rights`,
      { cause: error },
    );
  }
}

function configure(connection: Connection): void {
  // WAL: one fsync per commit, and readers do not wait. FULL: a commit is on disk when it returns.
  // foreign_keys stay off: the owner is the only writer, and checks would cost at every event.
  connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
}

/**
 * Waits for what others do to the file, from the first look at it on: whoever is the last to close it
 * holds it for a moment, also one that only reads. Locks of owners are not waited for so.
 */
function patient(
  open: OpenConnection,
  { busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS }: SqliteStoreOptions,
): OpenConnection {
  return (path, how) => {
    const connection = open(path, how);
    connection.exec(`PRAGMA busy_timeout = ${Math.max(0, Math.trunc(busyTimeoutMs))}`);
    return connection;
  };
}

/** Begins a new epoch: from now on, writes of earlier owners fail. */
function takeOver(connection: Connection): number {
  const row = connection
    .prepare(`UPDATE owner SET epoch = epoch + 1, pid = ?, host = ?, opened_at = ? RETURNING epoch`)
    .get(process.pid, hostname(), Date.now());
  return Number(row?.["epoch"]);
}

/** The error for a second owner: it says who the first one is. */
function owned(open: OpenConnection, path: string): StoreError {
  const who = closeAfter(open(path), (connection) => {
    try {
      const row = connection.prepare("SELECT pid, host FROM owner").get();
      return ` (process ${row?.["pid"]} on ${row?.["host"]})`;
    } catch {
      // The first owner is only just making the tables.
      return "";
    }
  });
  return new StoreError(
    "store-owned",
    `a living coordinator${who} owns the store ${path}: end it first, use another file, ` +
      "or send it commands with `steno pause`, `resume`, `unwind`, `retry` and `settle`",
  );
}

function closeAfter<T>(connection: Connection, use: (connection: Connection) => T): T {
  try {
    return use(connection);
  } finally {
    connection.close();
  }
}
