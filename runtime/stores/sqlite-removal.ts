/**
 * Removes from a SQLite store what is no more needed: a bounded part of it in each commit, since runs
 * that go on have to wait for that. Which runs may go, `sqlite-owner.ts` says.
 */
import type { Statement } from "./sqlite-driver.js";

/** Rows that one commit removes at most: some 10 ms. */
const ROWS_PER_COMMIT = 5000;

/** Names in `kept` of the keys of runs that are removed, whose events are not yet. */
const LEFT = "removing/";
/** What comes after all of them: `0` is the character after `/`. */
const AFTER_LEFT = "removing0";

export class SqliteRemoval {
  readonly #statement: (sql: string) => Statement;
  #room = ROWS_PER_COMMIT;

  constructor(statement: (sql: string) => Statement) {
    this.#statement = statement;
  }

  /** A commit begins. */
  begin(): void {
    this.#room = ROWS_PER_COMMIT;
  }

  /** Removes a run; of its events, as many as there is room for. The others wait to be swept. */
  run(key: number): void {
    this.#statement("DELETE FROM awaits WHERE run = ?").run(key);
    this.#statement("DELETE FROM runs WHERE key = ?").run(key);
    if (!this.#events(key)) {
      this.#statement("INSERT INTO kept (name, value) VALUES (?, '')").run(LEFT + key);
    }
  }

  /** Whether there is something to sweep. */
  isLeft(answeredBefore: number): boolean {
    if (this.#left() !== undefined) return true;
    return (
      this.#statement("SELECT 1 AS found FROM requests WHERE answered_at < ? LIMIT 1").get(
        answeredBefore,
      ) !== undefined
    );
  }

  /** Removes a part of what is left. */
  sweep(answeredBefore: number): void {
    for (let key = this.#left(); key !== undefined && this.#room > 0; key = this.#left()) {
      if (!this.#events(key)) return;
      this.#statement("DELETE FROM kept WHERE name = ?").run(LEFT + key);
    }
    if (this.#room <= 0) return;
    const { changes } = this.#statement(
      `DELETE FROM requests WHERE id IN
       (SELECT id FROM requests WHERE answered_at < ? ORDER BY id LIMIT ?)`,
    ).run(answeredBefore, this.#room);
    this.#room -= Number(changes);
  }

  #left(): number | undefined {
    const row = this.#statement("SELECT name FROM kept WHERE name > ? AND name < ? LIMIT 1").get(
      LEFT,
      AFTER_LEFT,
    );
    return row && Number(String(row["name"]).slice(LEFT.length));
  }

  /** Removes events of a run; whether they are all gone. */
  #events(key: number): boolean {
    if (this.#room <= 0) return false;
    // The last row stays, of no run, so that its number, which is a cursor, is not used again.
    this.#statement(
      `UPDATE events SET run = 0, seq = position, node = NULL, value = NULL
       WHERE run = ? AND position = (SELECT max(position) FROM events)`,
    ).run(key);
    const { changes } = this.#statement(
      "DELETE FROM events WHERE position IN (SELECT position FROM events WHERE run = ? LIMIT ?)",
    ).run(key, this.#room);
    this.#room -= Number(changes);
    this.#statement(
      "DELETE FROM events WHERE run = 0 AND position < (SELECT max(position) FROM events)",
    ).run();
    return this.#room > 0;
  }
}
