/**
 * One commit as one statement: every part of it checks that its coordinator is not fenced, and all of
 * it is done or nothing. The parts that a commit needs make up its text, so that there are few
 * different ones, each prepared once. It sends nothing.
 */
import { escaped, numberArray, textArray } from "./postgres-rows.js";
import { idWait, inSchema } from "./postgres-schema.js";
import type { LoggedEvent } from "../events.js";
import type { RunRow, Write } from "./store.js";

type Of<Kind extends Write["kind"]> = Extract<Write, { readonly kind: Kind }>;

interface LoggedOf {
  readonly key: number;
  readonly events: readonly LoggedEvent[];
}

/** The writes of a commit, sorted by what they do; of several of a kind for one thing the last counts. */
export class Batch {
  readonly created = new Map<number, RunRow>();
  readonly updated = new Map<number, Of<"update">>();
  readonly awaits = new Map<number, readonly string[]>();
  readonly logged: LoggedOf[] = [];
  readonly removed: number[] = [];
  readonly released: number[] = [];
  readonly defined = new Map<string, Of<"define">["manifest"]>();
  readonly kept = new Map<string, string | undefined>();
  readonly answered = new Map<number, string>();
  sweepBefore: number | undefined;

  /** `keyOf`: the key of a run; `undefined` for one that is to be removed and is not there. */
  constructor(writes: readonly Write[], keyOf: (id: string) => number | undefined) {
    for (const write of writes) {
      const key = "run" in write ? keyOf(idOf(write)) : undefined;
      switch (write.kind) {
        case "create":
          this.created.set(key as number, write.run);
          break;
        case "append":
          this.logged.push({ key: key as number, events: write.events });
          break;
        case "update":
          this.#update(key as number, write);
          break;
        case "remove":
          if (key !== undefined) this.removed.push(key);
          break;
        case "release":
          this.released.push(key as number);
          break;
        case "define":
          this.defined.set(write.manifest.hash, write.manifest);
          break;
        case "keep":
          this.kept.set(write.name, write.value);
          break;
        case "sweep":
          this.sweepBefore = write.answeredBefore;
          break;
        case "answer":
          this.answered.set(write.request, JSON.stringify(write.answer));
          break;
      }
    }
  }

  #update(key: number, write: Of<"update">): void {
    if (write.awaits !== undefined) this.awaits.set(key, write.awaits);
    const made = this.created.get(key);
    // A statement does not see the rows that it inserts.
    if (made === undefined) this.updated.set(key, write);
    else {
      const { kind: _kind, run: _run, awaits: _awaits, ...changes } = write;
      this.created.set(key, { ...made, ...changes });
    }
  }

  /** Runs that have to be this coordinator's already. */
  get held(): readonly number[] {
    const keys = new Set([...this.updated.keys(), ...this.logged.map(({ key }) => key)]);
    return [...keys].filter((key) => !this.created.has(key));
  }
}

export function idOf(write: Extract<Write, { readonly run: unknown }>): string {
  return write.kind === "create" ? write.run.id : write.run;
}

export interface CommitStatement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Who commits: the coordinator, and the number of the commit among those of the lane. */
export interface Committer {
  readonly epoch: number;
  readonly lane: number;
  readonly commit: number;
}

/** What `require` says when the lane is gone, or the commit has been done; and that a run is not ours. */
export const NO_LANE = "lane";
export const NOT_HELD = "held";

const FINISHED = "status IN ('succeeded', 'undone')";

/**
 * How long a commit waits for a transaction that has started a run of the same id and is still open, in
 * milliseconds: who started that may leave it so, and all other runs of this commit would wait for it.
 */
const CREATE_WAIT_MS = 250;

const FENCE = "EXISTS (SELECT FROM lane)";

/** All that a commit may be made of. */
const PARTS = [
  ...(["held", "made", "logged", "changed", "woken", "unawaited", "awaited", "gone"] as const),
  ...([
    "unlogged",
    "unawaiting",
    "freed",
    "defined",
    "dropped",
    "kept",
    "answered",
    "swept",
  ] as const),
] as const;

/** Collects the parts of a statement and their values. */
class Parts {
  readonly values: unknown[];
  readonly ctes: string[] = [];
  /** Which parts there are, by their places in {@link PARTS}. */
  #mask = 0;

  /** A statement of other parts is prepared under another name: of up to 63 characters, says PostgreSQL. */
  get name(): string {
    return `steno_${this.#mask.toString(36)}`;
  }

  constructor(first: readonly unknown[]) {
    this.values = [...first];
  }

  /** A value's place, with its type. */
  value(given: unknown, type: string): string {
    return `$${this.values.push(given)}::${type}`;
  }

  texts(given: readonly (string | undefined)[]): string {
    return this.value(textArray(given), "text[]");
  }

  numbers(given: readonly (number | undefined)[], type = "bigint[]"): string {
    return this.value(numberArray(given), type);
  }

  add(name: (typeof PARTS)[number], sql: string): void {
    this.ctes.push(`${name} AS (${sql})`);
    this.#mask |= 1 << PARTS.indexOf(name);
  }
}

export function commitStatement(
  batch: Batch,
  { epoch, lane, commit }: Committer,
  schema: string,
): CommitStatement {
  const parts = new Parts([epoch, lane, commit]);
  const patience = batch.created.size > 0 ? `, ${idWait(CREATE_WAIT_MS)}` : "";
  parts.ctes.push(
    `lane AS (UPDATE S.lanes SET commits = $3 WHERE coordinator = $1 AND lane = $2
       AND commits = $3 - 1 RETURNING pg_advisory_xact_lock_shared(LOCK(write))${patience})`,
  );
  const { held } = batch;
  const required = [`S.require(${FENCE}, '${NO_LANE}')`];
  if (held.length > 0) {
    const keys = parts.numbers(held);
    parts.add("held", `SELECT count(*) AS n FROM S.runs WHERE key = ANY (${keys}) AND owner = $1`);
    const count = parts.value(held.length, "bigint");
    required.push(`S.require((SELECT n FROM held) = ${count}, '${NOT_HELD}')`);
  }
  if (batch.created.size > 0) addCreated(parts, [...batch.created]);
  if (batch.logged.length > 0) addLogged(parts, batch.logged);
  if (batch.updated.size > 0) addUpdated(parts, [...batch.updated]);
  if (batch.awaits.size > 0) addAwaits(parts, [...batch.awaits]);
  addRare(parts, batch);
  const text = inSchema(`WITH ${parts.ctes.join(",\n")}\nSELECT ${required.join(", ")}`, schema);
  return { name: parts.name, text, values: parts.values };
}

function addCreated(parts: Parts, created: readonly (readonly [number, RunRow])[]): void {
  const rows = created.map(([, row]) => row);
  const arrays = [
    parts.numbers(created.map(([key]) => key)),
    parts.texts(rows.map(({ id }) => escaped(id))),
    parts.texts(rows.map(({ saga }) => saga)),
    parts.texts(rows.map(({ hash }) => hash)),
    parts.texts(rows.map(({ nonce }) => nonce)),
    parts.texts(rows.map(({ params }) => params)),
    parts.texts(rows.map(({ status }) => status)),
    parts.texts(rows.map(({ reason }) => reason)),
    parts.texts(rows.map(({ output }) => output)),
    parts.texts(rows.map(({ error }) => error)),
    parts.numbers(rows.map(({ createdAt }) => createdAt)),
    parts.numbers(rows.map(({ updatedAt }) => updatedAt)),
    parts.numbers(rows.map(({ wakeAt }) => wakeAt)),
  ];
  const columns =
    "key, id, saga, hash, nonce, params, status, reason, output, error, created_at, updated_at, wake_at";
  parts.add(
    "made",
    `INSERT INTO S.runs (${columns}, owner)
     SELECT *, CASE WHEN ${FINISHED} THEN NULL ELSE $1 END FROM unnest(${arrays.join(", ")}) AS r (${columns})
     WHERE ${FENCE}`,
  );
}

/** The fields that only some events have. */
interface EventFields {
  readonly node?: string;
  readonly attempt?: number;
  readonly value?: string;
  readonly dueAt?: number;
}

function addLogged(parts: Parts, logged: readonly LoggedOf[]): void {
  const events = logged.flatMap(
    ({ events: some }) => some as readonly (LoggedEvent & EventFields)[],
  );
  const arrays = [
    parts.numbers(logged.flatMap(({ key, events: some }) => some.map(() => key))),
    parts.numbers(
      events.map(({ seq }) => seq),
      "int[]",
    ),
    parts.numbers(events.map(({ at }) => at)),
    parts.texts(events.map(({ type }) => type)),
    parts.texts(events.map(({ node }) => (node === undefined ? undefined : escaped(node)))),
    parts.numbers(
      events.map(({ attempt }) => attempt),
      "int[]",
    ),
    parts.texts(events.map(({ value }) => value)),
    parts.numbers(events.map(({ dueAt }) => dueAt)),
  ];
  parts.add(
    "logged",
    `INSERT INTO S.events (run, seq, at, type, node, attempt, value, due_at)
     SELECT * FROM unnest(${arrays.join(", ")}) WHERE ${FENCE}`,
  );
}

function addUpdated(parts: Parts, updated: readonly (readonly [number, Of<"update">])[]): void {
  const rows = updated.map(([, row]) => row);
  const arrays = [
    parts.numbers(updated.map(([key]) => key)),
    parts.texts(rows.map(({ status }) => status)),
    parts.texts(rows.map(({ reason }) => reason)),
    parts.texts(rows.map(({ output }) => output)),
    parts.texts(rows.map(({ error }) => error)),
    parts.numbers(rows.map(({ updatedAt }) => updatedAt)),
    parts.numbers(rows.map(({ wakeAt }) => wakeAt)),
  ];
  parts.add(
    "changed",
    `UPDATE S.runs r SET status = u.status, reason = u.reason, output = u.output, error = u.error,
       updated_at = u.updated_at, wake_at = u.wake_at, owner = CASE WHEN u.${FINISHED} THEN NULL ELSE $1 END
     FROM unnest(${arrays.join(", ")}) AS u (key, status, reason, output, error, updated_at, wake_at)
     WHERE r.key = u.key AND ${FENCE}`,
  );
  const finished = updated.filter(
    ([, { status }]) => status === "succeeded" || status === "undone",
  );
  if (finished.length === 0) return;
  // Whoever takes those that wait for them is to ask. Owners of theirs are told.
  const ids = parts.texts(finished.map(([, { run }]) => escaped(run)));
  parts.add(
    "woken",
    `UPDATE S.runs SET wake_at = 0 WHERE owner IS NULL AND status IN ('running', 'unwinding', 'stuck')
     AND key IN (SELECT run FROM S.awaits WHERE id = ANY (${ids})) AND ${FENCE}`,
  );
}

function addAwaits(parts: Parts, awaits: readonly (readonly [number, readonly string[]])[]): void {
  const pairs = awaits.flatMap(([key, ids]) =>
    [...new Set(ids)].map((id) => [key, escaped(id)] as const),
  );
  const runs = parts.numbers(awaits.map(([key]) => key));
  const keys = parts.numbers(pairs.map(([key]) => key));
  const ids = parts.texts(pairs.map(([, id]) => id));
  const now = `unnest(${keys}, ${ids}) AS n (run, id)`;
  parts.add(
    "unawaited",
    `DELETE FROM S.awaits a WHERE run = ANY (${runs}) AND ${FENCE}
     AND NOT EXISTS (SELECT FROM ${now} WHERE n.run = a.run AND n.id = a.id)`,
  );
  parts.add(
    "awaited",
    `INSERT INTO S.awaits (run, id) SELECT run, id FROM ${now} WHERE ${FENCE} ON CONFLICT DO NOTHING`,
  );
}

function addRare(parts: Parts, batch: Batch): void {
  const { removed, released, defined, kept, answered, sweepBefore } = batch;
  if (removed.length > 0) {
    const keys = parts.numbers(removed);
    parts.add(
      "gone",
      `DELETE FROM S.runs WHERE key = ANY (${keys}) AND ${FENCE}
       AND (owner = $1 OR ${FINISHED}) RETURNING key`,
    );
    parts.add("unlogged", "DELETE FROM S.events WHERE run IN (SELECT key FROM gone)");
    parts.add("unawaiting", "DELETE FROM S.awaits WHERE run IN (SELECT key FROM gone)");
  }
  if (released.length > 0) {
    const keys = parts.numbers(released);
    parts.add(
      "freed",
      `UPDATE S.runs SET owner = NULL WHERE key = ANY (${keys}) AND owner = $1 AND ${FENCE}`,
    );
  }
  if (defined.size > 0) {
    const all = [...defined.values()];
    const hashes = parts.texts(all.map(({ hash }) => hash));
    const names = parts.texts(all.map(({ name }) => name));
    const manifests = parts.texts(all.map((manifest) => JSON.stringify(manifest)));
    parts.add(
      "defined",
      `INSERT INTO S.definitions SELECT * FROM unnest(${hashes}, ${names}, ${manifests})
       WHERE ${FENCE} ON CONFLICT DO NOTHING`,
    );
  }
  const dropped = [...kept].flatMap(([name, value]) => (value === undefined ? [name] : []));
  const set = [...kept].filter(([, value]) => value !== undefined);
  if (dropped.length > 0) {
    const names = parts.texts(dropped);
    parts.add("dropped", `DELETE FROM S.kept WHERE name = ANY (${names}) AND ${FENCE}`);
  }
  if (set.length > 0) {
    const names = parts.texts(set.map(([name]) => name));
    const values = parts.texts(set.map(([, value]) => value));
    parts.add(
      "kept",
      `INSERT INTO S.kept SELECT * FROM unnest(${names}, ${values}) WHERE ${FENCE}
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    );
  }
  if (answered.size > 0) {
    const ids = parts.numbers([...answered.keys()]);
    const answers = parts.texts([...answered.values()]);
    parts.add(
      "answered",
      `UPDATE S.requests q SET answer = a.answer,
         answered_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
       FROM unnest(${ids}, ${answers}) AS a (id, answer) WHERE q.id = a.id AND ${FENCE}`,
    );
  }
  if (sweepBefore !== undefined) {
    const before = parts.value(sweepBefore, "bigint");
    parts.add(
      "swept",
      `DELETE FROM S.requests WHERE answered_at < ${before} AND ${FENCE}
       AND id IN (SELECT id FROM S.requests WHERE answered_at < ${before} ORDER BY id LIMIT 5000)`,
    );
  }
}
