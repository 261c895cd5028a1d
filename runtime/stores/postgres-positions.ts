/**
 * Up to which position all events are there for good. Positions are handed out before their
 * transactions commit, and these may commit in any order: a reader that took whatever is there would
 * miss what comes later with a lower one. Each transaction that writes events holds a lock (shared,
 * so that none waits for another) from before it gets its first position until it ends: what was
 * there when one looked is complete once all who held the lock then are through.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../errors.js";
import type { Link } from "./postgres-link.js";
import { inSchema, lockOf } from "./postgres-schema.js";

/** How long transactions are waited for before what is known is given. */
const WAIT_MS = 200;
const LOOK_MS = 3;

export class SafePositions {
  readonly #link: Link;
  readonly #last: string;
  readonly #writers: string;
  /** Up to here all is there. */
  #safe = 0;

  constructor(link: Link, schema: string) {
    const [classId, objectId] = lockOf(schema, "write");
    const writers = `FROM pg_locks WHERE locktype = 'advisory'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = ${classId} AND objid = (${objectId}::bigint & 4294967295)::oid AND objsubid = 2`;
    this.#link = link;
    const last = inSchema("(SELECT max(position) FROM S.events) AS last", schema);
    this.#last = `SELECT ${last}, (SELECT array_agg(virtualtransaction) ${writers}) AS writers,
      pg_is_in_recovery() AS replica`;
    this.#writers = `SELECT 1 ${writers} AND virtualtransaction = ANY ($1) LIMIT 1`;
  }

  /** After `after`, if there is anything. @throws StoreError `store-replica` */
  async until(after: number): Promise<number> {
    // A part of it is known already.
    if (this.#safe > after) return this.#safe;
    const [row] = await this.#link.query(this.#last);
    // The locks of those who write are not there.
    if (row?.["replica"] === true) throw isReplica();
    const last = Number(row?.["last"] ?? 0);
    const writers = (row?.["writers"] as readonly string[] | null) ?? [];
    if (last <= after) return last;
    for (let waited = 0; writers.length > 0; waited += LOOK_MS) {
      const [still] = await this.#link.query(this.#writers, [writers]);
      if (still === undefined) break;
      // A transaction of somebody who started a run in it may take its time.
      if (waited > WAIT_MS) return this.#safe;
      await sleep(LOOK_MS);
    }
    this.#safe = Math.max(this.#safe, last);
    return this.#safe;
  }
}

function isReplica(): StoreError {
  return new StoreError(
    "store-replica",
    "events of all runs cannot be read from a replica, which does not tell which of them are still to come: " +
      "name the primary server; runs, lists and the events of one run can be read here",
  );
}
