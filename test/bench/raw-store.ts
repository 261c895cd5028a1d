/**
 * The physical limit of a durable store: bare SQLite with the driver and settings of the SQLite
 * store, a prepared insert and nothing else.
 */
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: (string | number)[]): unknown };
  close(): void;
}

const require = createRequire(import.meta.url);
const value = JSON.stringify({ id: 1, text: "x".repeat(80) });

export class RawStore {
  private readonly database: Database;
  private readonly insert: ReturnType<Database["prepare"]>;

  constructor(file: string) {
    this.database = open(file);
    this.database.exec("PRAGMA journal_mode = WAL");
    this.database.exec("PRAGMA synchronous = FULL");
    this.database.exec("CREATE TABLE events (seq INTEGER PRIMARY KEY, type TEXT, value TEXT)");
    this.insert = this.database.prepare("INSERT INTO events (type, value) VALUES (?, ?)");
  }

  /** Milliseconds for one commit of `rows` rows, over `commits` of them. */
  perCommit(commits: number, rows: number): number {
    const start = performance.now();
    for (let commit = 0; commit < commits; commit++) {
      this.database.exec("BEGIN");
      for (let row = 0; row < rows; row++) this.insert.run("succeeded", value);
      this.database.exec("COMMIT");
    }
    return (performance.now() - start) / commits;
  }

  close(): void {
    this.database.close();
  }
}

/** The driver that the SQLite store takes on this version of Node. */
function open(file: string): Database {
  const [major = 0] = process.versions.node.split(".").map(Number);
  if (major >= 24) {
    const { DatabaseSync } = require("node:sqlite") as {
      DatabaseSync: new (file: string) => Database;
    };
    return new DatabaseSync(file);
  }
  return new (require("libsql") as new (file: string) => Database)(file);
}
