/**
 * Who owns a SQLite store: a lock of the operating system on a tiny sibling file, `<path>-owner`.
 * The kernel frees it when the process dies, however it dies, so there is no stale lock and no
 * guessing by process id. It does not guard single writes: the epoch does that (`sqlite-owner.ts`).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, type OpenConnection, SQLITE, sqliteCode } from "./sqlite-driver.js";

/** Why several tries: a probe of another process holds a shared lock for some microseconds. */
const TRIES = 5;
const PAUSE_MS = 20;

/** The lock while it is held. */
export interface OwnerLock {
  release(): void;
}

/** Where the lock of a store is. Never open this file in any other way: closing it frees the lock. */
function lockPath(path: string): string {
  return `${path}-owner`;
}

/** Takes the lock; `undefined` when a living process has it. */
export async function takeOwnerLock(
  open: OpenConnection,
  path: string,
): Promise<OwnerLock | undefined> {
  const connection = open(lockPath(path));
  try {
    for (let tried = 1; ; tried += 1) {
      if (attempt(connection, "BEGIN EXCLUSIVE")) break;
      if (tried === TRIES) {
        connection.close();
        return undefined;
      }
      await sleep(PAUSE_MS);
    }
  } catch (error) {
    connection.close();
    throw error;
  }
  return {
    release: () => {
      // Said aloud: libsql keeps a closed connection, and its locks, until it is collected.
      connection.exec("ROLLBACK");
      connection.close();
    },
  };
}

/** Whether a living process has the lock. The file must exist; `false` when it does not. */
export function isOwnerLockHeld(open: OpenConnection, path: string): boolean {
  const connection = open(lockPath(path));
  try {
    const free = attempt(connection, "BEGIN; SELECT count(*) FROM sqlite_schema; ROLLBACK");
    return !free;
  } finally {
    connection.close();
  }
}

/** Runs it; `false` when the lock is held by somebody else. */
function attempt(connection: Connection, sql: string): boolean {
  try {
    connection.exec(sql);
    return true;
  } catch (error) {
    const code = sqliteCode(error);
    if (code === SQLITE.busy || code === SQLITE.locked) return false;
    throw error;
  }
}
