/**
 * The statement that adds runs without an owner, in whatever transaction it is done; and those who
 * start runs at the same time, put together in one.
 */
import type { LoggedEvent } from "../events.js";
import { escaped, numberArray, textArray } from "./postgres-rows.js";
import { idWait, inSchema } from "./postgres-schema.js";
import { DRAINING, type UnstartedRun } from "./store.js";

export interface StartOf {
  readonly schema: string;
  readonly channel: string;
  /** Whether the time is that of the database. */
  readonly keepsTime: boolean;
}

/**
 * How long it waits for a transaction that has started a run of the same id and is still open, in
 * milliseconds: meanwhile the connection does nothing else.
 */
const START_WAIT_MS = 100;

/**
 * It gives the ids of those that were added, and not of those whose ids are taken; while nothing new is to
 * be started, none is. `isOfCaller`: in a transaction of the caller's, which waits as it likes.
 */
export function startStatement(
  runs: readonly UnstartedRun[],
  { schema, channel, keepsTime }: StartOf,
  isOfCaller = false,
): { readonly text: string; readonly values: readonly unknown[] } {
  const now = "(SELECT at FROM writing)";
  const text = inSchema(
    `WITH writing AS MATERIALIZED (
       SELECT pg_advisory_xact_lock_shared(LOCK(write)),
         (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at,
         ${isOfCaller ? "''" : idWait(START_WAIT_MS)} AS patience
     ), given AS (
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
         AS g (id, saga, hash, nonce, params, at), writing AS w (lock, now, patience)
       WHERE NOT EXISTS (SELECT FROM S.kept WHERE name = '${DRAINING}')
     ), made AS (
       INSERT INTO S.runs (key, id, saga, hash, nonce, params, status, created_at, updated_at, wake_at)
       SELECT nextval($13),
         id, saga, hash, nonce, params, 'running', coalesce(at, ${now}), coalesce(at, ${now}), 0 FROM given
       ON CONFLICT (id) DO NOTHING RETURNING key, id, nonce
     ), logged AS (
       INSERT INTO S.events (run, seq, at, type, value)
       SELECT made.key, e.seq, coalesce(e.at, ${now}), e.type, e.value FROM made JOIN
         unnest($7::text[], $8::int[], $9::bigint[], $10::text[], $11::text[])
         AS e (nonce, seq, at, type, value) ON e.nonce = made.nonce ORDER BY made.key, e.seq
     ), told AS MATERIALIZED (SELECT pg_notify($12, 'due') FROM made LIMIT 1)
     SELECT made.id, (SELECT count(*) FROM told) AS told FROM made`,
    schema,
  );
  const rows = runs.map(({ row }) => row);
  const events = runs.flatMap(({ row, events: some }) =>
    some.map((event) => ({ nonce: row.nonce, ...event, value: valueOf(event) })),
  );
  const timeOf = (at: number): number | undefined => (keepsTime ? undefined : at);
  return {
    text,
    values: [
      textArray(rows.map(({ id }) => escaped(id))),
      textArray(rows.map(({ saga }) => saga)),
      textArray(rows.map(({ hash }) => hash)),
      textArray(rows.map(({ nonce }) => nonce)),
      textArray(rows.map(({ params }) => params)),
      numberArray(rows.map(({ createdAt }) => timeOf(createdAt))),
      textArray(events.map(({ nonce }) => nonce)),
      numberArray(events.map(({ seq }) => seq)),
      numberArray(events.map(({ at }) => timeOf(at))),
      textArray(events.map(({ type }) => type)),
      textArray(events.map(({ value }) => value)),
      channel,
      inSchema("S.run_keys", schema),
    ],
  };
}

function valueOf(event: LoggedEvent): string | undefined {
  return "value" in event ? event.value : undefined;
}

/** Whether a transaction that is still open has started a run of that id. */
export function isLocked(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === "store-locked";
}

interface Starting {
  readonly run: UnstartedRun;
  readonly resolve: (isAdded: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** As many as one statement adds. */
const TOGETHER = 500;

/** Runs that are started at the same time share a statement and a commit. */
export class StartTogether {
  /** Adds runs; gives the ids of those that were added. */
  readonly #add: (runs: readonly UnstartedRun[]) => Promise<ReadonlySet<string>>;
  #waiting: Starting[] = [];
  #adding = false;

  constructor(add: (runs: readonly UnstartedRun[]) => Promise<ReadonlySet<string>>) {
    this.#add = add;
  }

  /** Whether the run was added: its id may be taken. */
  start(run: UnstartedRun): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject });
      if (this.#adding) return;
      this.#adding = true;
      // After everything that is started in this turn of the event loop.
      setImmediate(() => void this.#addAll());
    });
  }

  async #addAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        const added = await this.#add(batch.map(({ run }) => run));
        for (const { run, resolve } of batch) resolve(added.has(run.row.id));
      } catch (error) {
        if (batch.length > 1 && isLocked(error)) await this.#addApart(batch);
        else for (const { reject } of batch) reject(error);
      }
    }
    this.#adding = false;
  }

  /** One of them waits for somebody else's transaction, and the others shall not. */
  async #addApart(batch: readonly Starting[]): Promise<void> {
    for (const { run, resolve, reject } of batch) {
      await this.#add([run]).then((added) => resolve(added.has(run.row.id)), reject);
    }
  }

  /** Of two with one id, the second has to find the first. */
  #take(): readonly Starting[] {
    const ids = new Set<string>();
    const batch: Starting[] = [];
    const rest: Starting[] = [];
    for (const starting of this.#waiting) {
      const { id } = starting.run.row;
      if (batch.length < TOGETHER && !ids.has(id)) batch.push(starting);
      else rest.push(starting);
      ids.add(id);
    }
    this.#waiting = rest;
    return batch;
  }
}
