/**
 * What one of several coordinators may do with a store on PostgreSQL besides reading: commit what
 * happened to the runs that it owns, take others, and answer requests. Its membership is in
 * `postgres-lease.ts`, how a commit is sent in `postgres-lanes.ts`.
 */
import { StoreError } from "../errors.js";
import { Batch, idOf } from "./postgres-commit.js";
import { fenced, type Lanes } from "./postgres-lanes.js";
import type { PostgresLease } from "./postgres-lease.js";
import { isOutage, type Row } from "./postgres-link.js";
import { boundOf } from "./postgres-list.js";
import { type OpenDatabase, PostgresReader } from "./postgres-reader.js";
import {
  escaped,
  EVENT_COLUMNS,
  eventOf,
  requestOf,
  RUN_COLUMNS,
  runOf,
  unescaped,
} from "./postgres-rows.js";
import { inSchema, KEY_BLOCK } from "./postgres-schema.js";
import type { LoggedEvent } from "../events.js";
import type {
  ClaimedRun,
  DueFilter,
  Fleet,
  PruneFilter,
  RunRow,
  RunStatus,
  StoreOwner,
  StoreRequest,
  Write,
} from "./store.js";

/** Requests per look: a flood of them must not stop the runs. */
const REQUEST_LIMIT = 100;

const FINISHED = "status IN ('succeeded', 'undone')";

export interface OwnerOptions {
  readonly database: OpenDatabase;
  readonly lanes: Lanes;
  readonly definitions: readonly string[];
  readonly lease: (onFenced: (epoch: number) => void) => PostgresLease;
  /** Closes what the lease used. */
  readonly close: () => Promise<void>;
}

export class PostgresOwner extends PostgresReader implements StoreOwner {
  readonly fleet: Fleet;
  readonly lanes: number;
  readonly #lanes: Lanes;
  readonly #lease: PostgresLease;
  readonly #definitions: readonly string[];
  readonly #closeLease: () => Promise<void>;
  /** Of the runs that it owns: their keys. */
  #owned = new Map<string, number>();
  /** Those of them that were taken: others may wait for their ends. */
  readonly #taken = new Set<string>();
  /** Keys for new runs, those first that are to be used last. */
  #keys: number[] = [];
  /** Counts how often it was fenced. */
  #generation = 0;
  #joining: Promise<void> = Promise.resolve();
  /** A claim's answer was lost: it may have runs that it does not know of. */
  #unsure = false;
  #isClosed = false;

  constructor({ database, lanes, definitions, lease, close }: OwnerOptions) {
    super(database);
    this.#closeLease = close;
    this.#lanes = lanes;
    this.lanes = lanes.count;
    this.#definitions = definitions;
    this.#lease = lease((epoch) => this.#fenced(epoch));
    this.fleet = {
      ...(database.keepsTime && { now: () => this.#lease.now() }),
      claim: ({ until, limit }) => this.#claim(until, limit),
      claimRun: (id) => this.#claimRun(id),
      tellRested: (id) => database.notices.tellRested(id),
      tellDue: () => database.notices.tell("due"),
      areWaiting: () => this.#areWaiting(),
    };
  }

  get epoch(): number {
    return this.#lease.epoch;
  }

  async join(): Promise<void> {
    await this.#lease.join();
    await this.#lease.start();
  }

  /** Another took what it had: it begins anew. */
  #fenced(epoch: number): void {
    if (epoch !== this.#lease.epoch || this.#isClosed) return;
    this.#lease.epoch = 0;
    this.#generation += 1;
    this.#owned = new Map();
    this.#taken.clear();
    this.#unsure = false;
    this.#joining = this.#lease.join();
    // It is waited for by whoever wants to write; and tried again if it failed.
    this.#joining.catch(() => undefined);
    this.database.notices.emit("fenced");
  }

  async commit(writes: readonly Write[]): Promise<void> {
    if (this.#isClosed) {
      throw new StoreError("store-closed", "this owner of the store is closed: open it again");
    }
    const generation = this.#generation;
    await this.#joined();
    const isOver = (): boolean => generation !== this.#generation;
    if (isOver()) throw fenced();
    const { epoch } = this;
    const keys = await this.#keysOf(writes);
    const batch = new Batch(writes, (id) => keys.get(id));
    // Before they are there: what is found to be owned and not known here was taken without an answer.
    const begun: string[] = [];
    for (const run of batch.created.values()) {
      if (isFinished(run.status) || this.#owned.has(run.id)) continue;
      this.#owned.set(run.id, keys.get(run.id) as number);
      begun.push(run.id);
    }
    try {
      await this.#lanes.commit(batch, epoch, isOver);
    } catch (error) {
      for (const id of begun) this.#owned.delete(id);
      if ((error as { readonly code?: unknown }).code === "store-fenced") this.#fenced(epoch);
      throw error;
    }
    if (!isOver()) this.#committed(writes);
  }

  #committed(writes: readonly Write[]): void {
    const { notices } = this.database;
    for (const write of writes) {
      if (write.kind === "keep") notices.tell("kept");
      if (write.kind === "remove" || write.kind === "release") this.#forget(write.run);
      if (write.kind !== "update") continue;
      const { run, status } = write;
      const isRest = isFinished(status) || status === "stuck";
      if (isRest && this.#taken.has(run)) notices.tellRested(run);
      if (isFinished(status)) this.#forget(run);
    }
  }

  #forget(id: string): void {
    this.#owned.delete(id);
    this.#taken.delete(id);
  }

  async #joined(): Promise<void> {
    for (;;) {
      const joining = this.#joining;
      try {
        await joining;
        if (joining === this.#joining) return;
      } catch (error) {
        // Of whoever comes, one tries again.
        if (joining !== this.#joining) continue;
        if (this.#isClosed) throw error;
        this.#joining = this.#lease.join();
        this.#joining.catch(() => undefined);
      }
    }
  }

  /** The keys of all runs that are written to. @throws StoreError `store-no-run`, `store-run-exists` */
  async #keysOf(writes: readonly Write[]): Promise<ReadonlyMap<string, number>> {
    const keys = new Map<string, number>();
    const unknown = new Set<string>();
    const removed = new Set<string>();
    const created = writes.filter(({ kind }) => kind === "create").length;
    if (created > this.#keys.length) await this.#moreKeys(created);
    for (const write of writes) {
      if (!("run" in write)) continue;
      const id = idOf(write);
      if (write.kind === "create") {
        if (keys.has(id))
          throw new StoreError("store-run-exists", `there is a run \`${id}\` already`);
        keys.set(id, this.#keys.pop() as number);
      } else if (!keys.has(id)) {
        const key = this.#owned.get(id);
        if (key !== undefined) keys.set(id, key);
        else (write.kind === "remove" ? removed : unknown).add(id);
      }
    }
    if (unknown.size + removed.size === 0) return keys;
    const rows = await this.query("SELECT key, id FROM S.runs WHERE id = ANY ($1)", [
      ...[...unknown, ...removed].map(escaped),
    ]);
    for (const row of rows) keys.set(unescaped(String(row["id"])), Number(row["key"]));
    for (const id of unknown) {
      // One that is to be removed may have been removed by another coordinator.
      if (!keys.has(id))
        throw new StoreError("store-no-run", `there is no run \`${id}\` in the store`);
    }
    return keys;
  }

  async #moreKeys(count: number): Promise<void> {
    const sequence = inSchema("S.run_keys", this.database.schema);
    const blocks = Math.ceil(count / KEY_BLOCK);
    const rows = await this.query(
      "SELECT nextval($1) AS key FROM generate_series(1, $2::int)",
      ...[sequence, blocks],
    );
    const more = rows.flatMap((row) =>
      Array.from({ length: KEY_BLOCK }, (_, place) => Number(row["key"]) + place),
    );
    // Lists are in the order of keys where the time is the same.
    this.#keys = [...more.reverse(), ...this.#keys];
  }

  async #claim(until: number, limit: number): Promise<readonly ClaimedRun[]> {
    await this.#joined();
    const generation = this.#generation;
    if (this.#unsure) await this.#takeUnknown();
    const { epoch } = this;
    try {
      const rows = await this.database.reading.once({
        text: inSchema(CLAIM, this.database.schema),
        values: [epoch, this.#definitions, until, limit],
        name: "steno_claim",
      });
      return await this.#claimed(rows, epoch, generation);
    } catch (error) {
      if (!isOutage(error)) throw error;
      this.#unsure = true;
      return [];
    }
  }

  /** What was taken by a claim whose answer was lost is free again. */
  async #takeUnknown(): Promise<void> {
    await this.query(
      "UPDATE S.runs SET owner = NULL WHERE owner = $1 AND key <> ALL ($2::bigint[])",
      ...[this.epoch, [...this.#owned.values()]],
    );
    this.#unsure = false;
  }

  async #claimed(
    all: readonly Row[],
    epoch: number,
    generation: number,
  ): Promise<readonly ClaimedRun[]> {
    if (all.length === 0) return [];
    const logs = new Map<string, LoggedEvent[]>();
    // If it was silent for too long just now, others may have gone on with some, and it does not know yet.
    const sql = `SELECT r.key AS run, ${EVENT_COLUMNS.replaceAll(/\w+/g, "e.$&")}
      FROM S.runs r LEFT JOIN S.events e ON e.run = r.key
      WHERE r.key = ANY ($1::bigint[]) AND r.owner = $2 ORDER BY r.key, e.seq`;
    const keys = all.map((row) => row["key"]);
    for (const row of await this.query(sql, keys, epoch)) {
      const key = String(row["run"]);
      const log = logs.get(key) ?? [];
      logs.set(key, log);
      if (row["seq"] !== null) log.push(eventOf(row));
    }
    if (generation !== this.#generation) return [];
    const rows = all.filter((row) => logs.has(String(row["key"])));
    return rows.map((row) => {
      const run = runOf({ ...row, wake_at: row["woke_at"] });
      this.#owned.set(run.id, Number(row["key"]));
      this.#taken.add(run.id);
      return {
        row: run,
        events: logs.get(String(row["key"])) as LoggedEvent[],
        takeovers: Number(row["takeovers"]),
      };
    });
  }

  async #claimRun(id: string): Promise<ClaimedRun | "elsewhere" | undefined> {
    await this.#joined();
    const generation = this.#generation;
    const { epoch } = this;
    const rows = await this.query(CLAIM_RUN, epoch, this.#definitions, escaped(id));
    const [claimed] = await this.#claimed(rows, epoch, generation);
    if (claimed !== undefined) return claimed;
    const row = await this.run(id);
    return row === undefined || isFinished(row.status) ? undefined : "elsewhere";
  }

  async #areWaiting(): Promise<boolean> {
    const [row] = await this.query(
      `SELECT EXISTS (SELECT FROM S.runs WHERE owner IS NULL AND status IN ('running', 'unwinding')
       AND hash = ANY ($1) AND (reason IS NULL OR reason LIKE 'waiting-%')) AS waiting`,
      this.#definitions,
    );
    return row?.["waiting"] === true;
  }

  /** Of runs that others own, they see to themselves; of runs that nobody can go on with, nobody does. */
  async requests(): Promise<readonly StoreRequest[]> {
    const rows = await this.query(
      `SELECT q.id, q.at, q.command, q.run, q.args
       FROM S.requests q LEFT JOIN S.runs r ON r.id = q.run COLLATE "C"
       WHERE q.answer IS NULL AND (r.key IS NULL OR r.owner = $1 OR
         (r.owner IS NULL AND (r.hash = ANY ($2) OR r.${FINISHED})))
       ORDER BY q.id LIMIT ${REQUEST_LIMIT}`,
      ...[this.epoch, this.#definitions],
    );
    return rows.map(requestOf);
  }

  async due({ until, after, limit }: DueFilter): Promise<readonly RunRow[]> {
    const { wakeAt, id } = after ?? { wakeAt: -1, id: "" };
    const rows = await this.query(
      `SELECT ${RUN_COLUMNS} FROM S.runs WHERE (wake_at, id) > ($1, $2) AND wake_at <= $3
       ORDER BY wake_at, id LIMIT $4`,
      ...[wakeAt, escaped(id), boundOf(until), limit],
    );
    return rows.map(runOf);
  }

  async awaiting(id?: string): Promise<readonly string[]> {
    const which =
      id === undefined
        ? `SELECT a.run FROM S.awaits a JOIN S.runs f ON f.id = a.id WHERE f.${FINISHED}`
        : "SELECT run FROM S.awaits WHERE id = $1";
    const values = id === undefined ? [] : [escaped(id)];
    const sql = `SELECT id FROM S.runs WHERE key IN (${which}) ORDER BY key`;
    return (await this.query(sql, ...values)).map((row) => unescaped(String(row["id"])));
  }

  async prunable({ before, keep = 0, limit }: PruneFilter): Promise<readonly string[]> {
    const rows = await this.query(
      `SELECT id FROM S.runs r WHERE ${FINISHED} AND updated_at < $1
       AND (updated_at, key) <= (SELECT updated_at, key FROM S.runs WHERE ${FINISHED}
         ORDER BY updated_at DESC, key DESC LIMIT 1 OFFSET $2)
       AND NOT EXISTS (SELECT FROM S.awaits a WHERE a.id = r.id)
       ORDER BY updated_at, key LIMIT $3`,
      ...[boundOf(before ?? Infinity), keep, limit],
    );
    return rows.map((row) => unescaped(String(row["id"])));
  }

  async unswept(answeredBefore: number): Promise<boolean> {
    const [row] = await this.query(
      "SELECT EXISTS (SELECT FROM S.requests WHERE answered_at < $1) AS unswept",
      answeredBefore,
    );
    return row?.["unswept"] === true;
  }

  override async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#joining.catch(() => undefined);
    try {
      await this.#lease.leave();
    } catch {
      // The database is out of reach: others take over when the lease has run out.
    }
    await super.close();
    await Promise.all([this.#lanes.close(), this.#closeLease()]);
  }
}

function isFinished(status: RunStatus): boolean {
  return status === "succeeded" || status === "undone";
}

/** That the coordinator is not fenced is held until it is done: what it takes is set free with the rest. */
const ME = "me AS (SELECT epoch FROM S.coordinators WHERE epoch = $1 AND NOT fenced FOR SHARE)";
const TAKEN = `${RUN_COLUMNS.replaceAll(/\w+/g, "r.$&")}, r.takeovers`;

const CLAIM = `WITH ${ME}, due AS MATERIALIZED (
    SELECT d.key, d.wake_at FROM me, unnest($2::text[]) AS h (hash) CROSS JOIN LATERAL (
      SELECT key, wake_at FROM S.runs WHERE hash = h.hash AND owner IS NULL AND wake_at <= $3
      ORDER BY wake_at LIMIT $4 FOR UPDATE SKIP LOCKED) AS d
    ORDER BY d.wake_at LIMIT $4
  )
  UPDATE S.runs r SET owner = $1, wake_at = 0 FROM due WHERE r.key = due.key
  RETURNING ${TAKEN}, due.wake_at AS woke_at`;

const CLAIM_RUN = `WITH ${ME}, free AS MATERIALIZED (
    SELECT key, wake_at FROM S.runs WHERE id = $3 AND status IN ('running', 'unwinding', 'stuck')
    AND (owner = $1 OR (owner IS NULL AND hash = ANY ($2))) AND EXISTS (SELECT FROM me) FOR UPDATE
  )
  UPDATE S.runs r SET owner = $1, wake_at = 0 FROM free WHERE r.key = free.key
  RETURNING ${TAKEN}, free.wake_at AS woke_at`;
