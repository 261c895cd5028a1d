/**
 * The physical limit of a durable store: bare SQLite with the driver and settings of the SQLite
 * store, a prepared insert and nothing else.
 */
import { performance } from "node:perf_hooks";
import { loadDriver, type Connection, type Statement } from "../../runtime/stores/sqlite-driver.js";

const value = JSON.stringify({ id: 1, text: "x".repeat(80) });

export class RawStore {
  private readonly database: Connection;
  private readonly insert: Statement;

  constructor(file: string) {
    this.database = loadDriver()(file);
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
