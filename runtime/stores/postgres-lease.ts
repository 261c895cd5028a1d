/**
 * The membership of one coordinator: it joins with a new epoch, renews its lease by the clock of the
 * database, and sets aside those whose lease has run out. All of it is one query a second. What is
 * done with the runs of a coordinator that is gone is decided by whoever takes them.
 */
import { hostname } from "node:os";
import type { Link, Row } from "./postgres-link.js";
import type { PostgresNotices } from "./postgres-notices.js";
import { numberOf } from "./rows.js";
import { inSchema } from "./postgres-schema.js";

/** How often a lease is renewed, and looked for what a notice did not tell, in milliseconds. */
const BEAT_MS = 1000;

/** Of a lease, so that two renewals may be lost. */
const BEATS_PER_LEASE = 4;

export interface LeaseOptions {
  readonly link: Link;
  readonly notices: PostgresNotices;
  readonly schema: string;
  readonly leaseMs: number;
  readonly lanes: number;
  readonly definitions: readonly string[];
  /** It has lost all it had; it is asked to join again. */
  readonly onFenced: (epoch: number) => void;
}

export class PostgresLease {
  readonly #options: LeaseOptions;
  readonly #beatMs: number;
  epoch = 0;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<unknown> = Promise.resolve();
  /** The time of the database less that of `performance.now()`. */
  #offset = 0;
  #lastBeat = 0;
  /** What the store keeps, as of the last beat. */
  #kept: unknown;
  /** Before this, nobody is set aside: after an outage, all leases have run out. */
  #sweepFrom = 0;
  #closed = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#beatMs = Math.min(BEAT_MS, options.leaseMs / BEATS_PER_LEASE);
  }

  /** The time of the database, in milliseconds since the epoch. */
  now(): number {
    return Math.round(performance.now() + this.#offset);
  }

  /** Begins a new epoch. */
  async join(): Promise<void> {
    const { leaseMs, lanes, definitions } = this.#options;
    // What a lost answer has made has no runs, and is set aside when its lease runs out.
    const [row] = await this.#query(
      `WITH me AS (
         INSERT INTO S.coordinators (host, pid, lease_until, definitions)
         VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms', $5) RETURNING epoch
       ), lanes AS (
         INSERT INTO S.lanes SELECT epoch, lane, 0 FROM me, generate_series(0, $4 - 1) AS lane
       )
       SELECT epoch, ${NOW} FROM me`,
      ...[hostname(), process.pid, leaseMs, lanes, definitions],
    );
    this.epoch = Number(row?.["epoch"]);
    this.#lastBeat = performance.now();
  }

  /** Renews from now on. */
  async start(): Promise<void> {
    await this.beat();
  }

  /** Renews the lease, and looks for what is to be done. */
  beat(): Promise<void> {
    const beat = this.#beating.then(() => this.#beat());
    this.#beating = beat.catch(() => undefined);
    return beat;
  }

  async #beat(): Promise<void> {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    let next = this.#beatMs;
    try {
      next = await this.#renew();
    } catch {
      // The database is out of reach: again soon, for the lease runs.
      next = Math.min(200, this.#beatMs);
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.beat(), next);
  }

  /** Gives after how many milliseconds it is to be done again. */
  async #renew(): Promise<number> {
    const { leaseMs, definitions, notices, onFenced } = this.#options;
    const { epoch } = this;
    const [row] = await this.#named("steno_renew", RENEW, epoch, leaseMs, definitions);
    const gap = performance.now() - this.#lastBeat;
    this.#lastBeat = performance.now();
    if (gap > leaseMs / 2) this.#sweepFrom = this.#lastBeat + leaseMs;
    if (row?.["renewed"] !== true) {
      if (this.epoch === epoch && !this.#closed) onFenced(epoch);
      return 0;
    }
    const now = this.now();
    const due = numberOf(row["due"]);
    if (due !== undefined && due <= now + this.#beatMs) notices.emit("due", due);
    if (row["asked"] === true) notices.emit("asked");
    if (row["kept"] !== this.#kept) notices.emit("kept");
    this.#kept = row["kept"];
    const expires = numberOf(row["expires"]);
    if (expires === undefined) return this.#beatMs;
    if (expires > now) return Math.min(this.#beatMs, expires - now + 1);
    if (performance.now() >= this.#sweepFrom) await this.#sweep();
    return this.#beatMs;
  }

  /**
   * Sets aside those whose lease has run out. In steps that anybody can repeat: first the coordinator
   * is fenced, which waits for its commit that is under way, and lets none begin; then its runs are
   * free, those of that commit too; then it is forgotten.
   */
  async #sweep(): Promise<void> {
    const gone = await this.#once(
      `WITH gone AS (
         UPDATE S.coordinators SET fenced = true WHERE epoch IN (
           SELECT epoch FROM S.coordinators WHERE lease_until < clock_timestamp() AND epoch <> $1
           FOR UPDATE SKIP LOCKED
         ) RETURNING epoch
       ), lanes AS (DELETE FROM S.lanes WHERE coordinator IN (SELECT epoch FROM gone))
       SELECT epoch FROM gone`,
      this.epoch,
    );
    if (gone.length === 0) return;
    const epochs = gone.map((row) => row["epoch"]);
    await this.#once(
      `UPDATE S.runs SET owner = NULL, taken_seq = l.seq,
         takeovers = CASE WHEN taken_seq = l.seq THEN takeovers + 1 ELSE 1 END
       FROM (SELECT r.key, (SELECT max(seq) FROM S.events WHERE run = r.key) AS seq
             FROM S.runs r WHERE owner = ANY ($1::bigint[])) AS l
       WHERE runs.key = l.key AND owner = ANY ($1::bigint[])`,
      epochs,
    );
    await this.#once("DELETE FROM S.coordinators WHERE epoch = ANY ($1::bigint[])", epochs);
    this.#options.notices.emit("due");
    this.#options.notices.tell("due");
  }

  /**
   * Gives all it has to the others, at once, in the steps in which they would take it: what is under way
   * when it is fenced, such as a run that it takes, is free with the rest, and what comes later is refused.
   */
  async leave(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#beating;
    const { epoch } = this;
    await this.#query(
      `WITH lanes AS (DELETE FROM S.lanes WHERE coordinator = $1)
       UPDATE S.coordinators SET fenced = true WHERE epoch = $1`,
      epoch,
    );
    await this.#query("UPDATE S.runs SET owner = NULL WHERE owner = $1", epoch);
    await this.#query("DELETE FROM S.coordinators WHERE epoch = $1", epoch);
    this.#options.notices.tell("due");
  }

  #query(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    const { link } = this.#options;
    return link.patiently(() => this.#once(sql, ...values));
  }

  #once(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#named(undefined, sql, ...values);
  }

  /** `name`: it is prepared under it, since it is asked again and again. */
  async #named(
    name: string | undefined,
    sql: string,
    ...values: readonly unknown[]
  ): Promise<readonly Row[]> {
    const asked = performance.now();
    const rows = await this.#options.link.once({
      text: inSchema(sql, this.#options.schema),
      values,
      ...(name !== undefined && { name }),
    });
    const now = numberOf(rows[0]?.["now"]);
    if (now !== undefined) this.#offset = now - (asked + performance.now()) / 2;
    return rows;
  }
}

const NOW = "extract(epoch FROM clock_timestamp()) * 1000 AS now";

const RENEW = `WITH me AS (
    UPDATE S.coordinators SET lease_until = clock_timestamp() + $2 * interval '1 ms'
    WHERE epoch = $1 AND NOT fenced RETURNING 1
  )
  SELECT EXISTS (SELECT FROM me) AS renewed, ${NOW},
    (SELECT extract(epoch FROM min(lease_until)) * 1000 FROM S.coordinators WHERE epoch <> $1) AS expires,
    (SELECT min(r.wake_at) FROM unnest($3::text[]) AS h (hash) CROSS JOIN LATERAL (
       SELECT wake_at FROM S.runs WHERE hash = h.hash AND owner IS NULL AND wake_at IS NOT NULL
       ORDER BY wake_at LIMIT 1) AS r) AS due,
    EXISTS (SELECT FROM S.requests WHERE answer IS NULL) AS asked,
    (SELECT string_agg(name || ' ' || value, ',' ORDER BY name) FROM S.kept) AS kept`;
