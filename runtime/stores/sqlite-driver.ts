/**
 * The one place that knows which SQLite is used: a thin adapter over `node:sqlite` and `libsql`.
 * It has no tables and no transactions of its own (those are in `sqlite-schema.ts` and `sqlite.ts`).
 *
 * Why two: `node:sqlite` is built in and the faster (300,000 rows a second in groups of a hundred,
 * against 200,000), but Node 20 lacks it and Node 22 to 24.14 and 25.0 to 25.6 print an
 * `ExperimentalWarning` when it is loaded, in every process of every user. There `libsql` is used:
 * it installs a ready binary without an install script on Node 20 to 26. Both write the same format.
 *
 * Why synchronous and on the main thread: a commit blocks the event loop for about 0.2 ms; a worker
 * thread would remove that and cost half of the rate of single commits.
 */
import { createRequire } from "node:module";

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement. Its parameters are positional. */
export interface Statement {
  /** Runs it; gives how many rows it changed, and the key of the row inserted last. */
  run(...values: readonly SqlValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  /** The first row. `libsql` adds a property of its own to it: read columns by name. */
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

/** An open connection. */
export interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** Which of the two drivers. */
export type DriverName = "node:sqlite" | "libsql";

/** Opens a file; as one that only reads, nothing of it is changed, not even when it is closed. */
export type OpenConnection = (path: string, how?: { readonly readOnly: boolean }) => Connection;

const WRITING = { readOnly: false };

/** The driver that suits a version of Node; see above for the reasons. */
export function driverFor(nodeVersion: string): DriverName {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const silent = major > 25 || (major === 25 && minor >= 7) || (major === 24 && minor >= 15);
  return silent ? "node:sqlite" : "libsql";
}

/**
 * Loads the driver for this process and gives its way to open a file.
 * Where the suitable one is missing (an install without optional packages, a Node built without
 * SQLite), the other one is tried: a warning is better than no store.
 */
export function loadDriver(wanted: DriverName = driverFor(process.versions.node)): OpenConnection {
  const order = wanted === "libsql" ? [loadLibsql, loadNodeSqlite] : [loadNodeSqlite, loadLibsql];
  const problems: unknown[] = [];
  for (const load of order) {
    try {
      return load();
    } catch (error) {
      problems.push(error);
    }
  }
  throw new AggregateError(problems, "neither `node:sqlite` nor `libsql` can be loaded");
}

function loadNodeSqlite(): OpenConnection {
  // Typed here because the types of the oldest supported Node do not know the module.
  const loaded = process.getBuiltinModule("node:sqlite") as
    | {
        readonly DatabaseSync: new (
          path: string,
          how: { readonly readOnly: boolean },
        ) => Connection;
      }
    | undefined;
  if (loaded === undefined) throw new Error("this Node has no `node:sqlite`");
  return (path, { readOnly } = WRITING) => new loaded.DatabaseSync(path, { readOnly });
}

function loadLibsql(): OpenConnection {
  const Database = createRequire(import.meta.url)("libsql") as new (
    path: string,
    how: { readonly readonly: boolean },
  ) => Connection;
  return (path, { readOnly } = WRITING) =>
    new LibsqlConnection(new Database(path, { readonly: readOnly }));
}

/** An array of values is taken as it is; values one by one are made an array, and that is flattened. */
interface LibsqlStatement {
  run(values: readonly SqlValue[]): ReturnType<Statement["run"]>;
  get(values: readonly SqlValue[]): SqlRow | undefined;
  all(values: readonly SqlValue[]): readonly SqlRow[];
}

class LibsqlConnection implements Connection {
  readonly #inner: Connection;

  constructor(inner: Connection) {
    this.#inner = inner;
  }

  exec(sql: string): void {
    this.#inner.exec(sql);
  }

  prepare(sql: string): Statement {
    const inner = this.#inner.prepare(sql) as unknown as LibsqlStatement;
    return {
      run: (...values) => inner.run(values),
      get: (...values) => inner.get(values),
      all: (...values) => inner.all(values),
    };
  }

  close(): void {
    this.#inner.close();
  }
}

/** SQLite's primary result code of an error that either driver threw. */
export function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { errcode, rawCode, message } = error as Record<string, unknown>;
  const code = typeof errcode === "number" ? errcode : rawCode;
  // The low byte is the primary code, the rest details it.
  if (typeof code === "number") return code & 0xff;
  // libsql reports a failed open as text only: `ConnectionFailed("… : 14")`.
  const failedOpen =
    typeof message === "string" && /^ConnectionFailed\(.*: (\d+)"\)$/.exec(message);
  return failedOpen ? Number(failedOpen[1]) : undefined;
}

/** The primary result codes that the store tells apart. */
export const SQLITE = {
  busy: 5,
  locked: 6,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  notADatabase: 26,
} as const;
