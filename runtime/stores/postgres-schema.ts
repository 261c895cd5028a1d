/**
 * The tables of a store on PostgreSQL, in a schema of their own, and how a store of an earlier
 * version becomes one of this. It holds no queries. `docs/SCALING.md` describes the tables for people.
 */
import { StoreError } from "../errors.js";
import type { Link } from "./postgres-link.js";

/** Counted up with each change of the tables; kept in `meta`. */
export const SCHEMA_VERSION = 2;

/** Keys of runs are handed out in blocks of so many, so that no commit has to ask for them. */
export const KEY_BLOCK = 100;

/** "STEN" in ASCII: the first half of the advisory locks that are ours. */
const LOCKS = 0x5354_454e;

/**
 * The second half: of whoever makes or changes the tables; and, shared, of each transaction that
 * writes events, so that readers know which may still come. By the schema, since stores that share
 * a database have nothing to do with each other.
 */
export function lockOf(schema: string, what: string): readonly [string, string] {
  // Backslashes are told to be escapes, since a role may say that they always are.
  const name = schema.replaceAll("'", "''").replaceAll("\\", "\\\\");
  return [String(LOCKS), `hashtext('${what} ' || E'${name}')`];
}

/**
 * What makes a store of each version one of the next; the first makes an empty schema version 1.
 * Forward only. `S.` stands for the schema.
 */
const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE S.coordinators (
  epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_until timestamptz NOT NULL,
  fenced boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
CREATE TABLE S.lanes (
  coordinator bigint NOT NULL,
  lane smallint NOT NULL,
  commits bigint NOT NULL,
  PRIMARY KEY (coordinator, lane)
) WITH (fillfactor = 10);
CREATE TABLE S.definitions (
  hash text PRIMARY KEY,
  saga text NOT NULL,
  manifest text NOT NULL
);
CREATE SEQUENCE S.run_keys INCREMENT ${KEY_BLOCK};
CREATE TABLE S.runs (
  key bigint PRIMARY KEY,
  id text COLLATE "C" NOT NULL CONSTRAINT runs_id UNIQUE,
  saga text NOT NULL,
  hash text NOT NULL,
  nonce text NOT NULL,
  params text,
  status text NOT NULL,
  reason text,
  output text,
  error text,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  wake_at bigint,
  owner bigint,
  takeovers smallint NOT NULL DEFAULT 0,
  taken_seq integer NOT NULL DEFAULT 0
);
CREATE INDEX runs_due ON S.runs (hash, wake_at) WHERE owner IS NULL AND wake_at IS NOT NULL;
CREATE INDEX runs_owned ON S.runs (owner) WHERE owner IS NOT NULL;
CREATE INDEX runs_by_status ON S.runs (status, created_at, key);
CREATE INDEX runs_by_saga ON S.runs (saga, status, created_at, key);
CREATE INDEX runs_by_reason ON S.runs (reason, created_at, key) WHERE reason IS NOT NULL;
CREATE INDEX runs_by_creation ON S.runs (created_at, key);
CREATE INDEX runs_finished ON S.runs (updated_at, key) WHERE status IN ('succeeded', 'undone');
CREATE TABLE S.events (
  run bigint NOT NULL,
  seq integer NOT NULL,
  at bigint NOT NULL,
  type text NOT NULL,
  node text,
  attempt integer,
  value text,
  due_at bigint,
  position bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (run, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE INDEX events_by_position ON S.events (position);
CREATE TABLE S.awaits (
  id text COLLATE "C" NOT NULL,
  run bigint NOT NULL,
  PRIMARY KEY (id, run)
);
CREATE INDEX awaits_by_run ON S.awaits (run);
CREATE TABLE S.requests (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at bigint NOT NULL,
  command text NOT NULL,
  run text,
  args text NOT NULL,
  answer text,
  answered_at bigint
);
CREATE INDEX requests_unanswered ON S.requests (id) WHERE answer IS NULL;
CREATE TABLE S.kept (
  name text PRIMARY KEY,
  value text NOT NULL
);
CREATE FUNCTION S.require(ok boolean, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT ok THEN RAISE EXCEPTION USING ERRCODE = 'STN01', MESSAGE = what; END IF;
END $$;
`,
  // The hashes of what it can go on with; unknown of those of version 1.
  "ALTER TABLE S.coordinators ADD COLUMN definitions text[]",
];

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** SQL in which `S.` is the schema, and `LOCK(write)` one of its locks. In one pass: a schema may be called like that. */
export function inSchema(sql: string, schema: string): string {
  return sql.replace(/\bS\.|\bLOCK\((\w+)\)/g, (_, lock?: string) =>
    lock === undefined ? `${quoted(schema)}.` : lockOf(schema, lock).join(", "),
  );
}

/** An expression after which its transaction waits for locks so long, and then fails with `55P03`. */
export function idWait(ms: number): string {
  return `set_config('lock_timeout', '${ms}', true)`;
}

/**
 * Makes the tables, or brings them to this version. Any number of processes may do so at once: one
 * does, and the others wait for it.
 * @throws StoreError `store-version` for a store of a later version
 */
export async function migrate(link: Link, schema: string): Promise<void> {
  const found = await versionOf(link, schema);
  if (found === SCHEMA_VERSION) return;
  checkVersion(found, schema);
  await link.patiently(async () => {
    const client = await link.connected();
    await client.query("BEGIN");
    try {
      await client.query(inSchema("SELECT pg_advisory_xact_lock(LOCK(migrate))", schema));
      // Somebody else may have been faster.
      const { rows } = await client.query(EXISTS, [schema]);
      if (rows[0]?.exists !== true) {
        // Not if it is there: a role that may not make one can use one that was made for it.
        const { rows: schemas } = await client.query(SCHEMA, [schema]);
        if (schemas.length === 0) await client.query(`CREATE SCHEMA ${quoted(schema)}`);
        await client.query(inSchema("CREATE TABLE S.meta (version integer NOT NULL)", schema));
        await client.query(inSchema("INSERT INTO S.meta VALUES (0)", schema));
      }
      const before = await client.query(inSchema("SELECT version FROM S.meta", schema));
      const version = Number(before.rows[0]?.version);
      checkVersion(version, schema);
      for (const step of MIGRATIONS.slice(version)) await client.query(inSchema(step, schema));
      await client.query(inSchema("UPDATE S.meta SET version = $1", schema), [SCHEMA_VERSION]);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK").catch(() => undefined);
      throw error;
    }
  });
}

/** Not the view of all tables, which takes a new connection several milliseconds to plan. */
const EXISTS = `SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = 'meta'
  AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)) AS exists,
  current_setting('server_encoding') AS encoding`;

/** In which every text can be stored; the second takes bytes as they are. */
const ENCODINGS: readonly unknown[] = ["UTF8", "SQL_ASCII"];

const SCHEMA = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";

/** The version of the tables; `undefined` if there are none. @throws StoreError `store-encoding` */
export async function versionOf(link: Link, schema: string): Promise<number | undefined> {
  const [there] = await link.query(EXISTS, [schema]);
  if (!ENCODINGS.includes(there?.["encoding"])) {
    throw new StoreError(
      "store-encoding",
      `the database is encoded in ${String(there?.["encoding"])}, which cannot hold every text that a run ` +
        "may have: name one that is in UTF8 (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)",
    );
  }
  if (there?.["exists"] !== true) return undefined;
  const [meta] = await link.query(inSchema("SELECT version FROM S.meta", schema));
  return Number(meta?.["version"]);
}

/** @throws StoreError `store-version` */
export function checkVersion(version: number | undefined, schema: string): void {
  if (version === undefined || version <= SCHEMA_VERSION) return;
  throw new StoreError(
    "store-version",
    `the store in schema \`${schema}\` has version ${version}, and this steno-runtime knows versions ` +
      `up to ${SCHEMA_VERSION}: a newer one works on it; update this process, too`,
  );
}
