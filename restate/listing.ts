/**
 * Lists runs by Restate's own SQL over the state of the workflow: also while nobody serves the sagas. It
 * knows of a run what its row says, and so of none that has not begun.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type RunPage, type RunQuery, type RunSummary, StenoError } from "steno-runtime";
import { badCursor, readPage } from "steno-runtime/host";
import { MISSING } from "./definitions.js";
import { ROW } from "./protocol.js";

export interface ListingOptions {
  /** Where Restate is administered: `http://127.0.0.1:9070`. */
  readonly admin: string;
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long it is tried again when Restate cannot be reached, in milliseconds. */
  readonly patienceMs: number;
}

const PAUSE_MS = 200;

/** What is told of each, as SQL reads it from the row. */
const COLUMNS = [
  "service_key AS id",
  "value_utf8->>'saga' AS saga",
  "value_utf8->>'hash' AS hash",
  "value_utf8->>'status' AS status",
  "CAST(value_utf8->>'createdAt' AS BIGINT) AS created_at",
  "CAST(value_utf8->>'updatedAt' AS BIGINT) AS updated_at",
].join(", ");

type Row = Readonly<Record<string, unknown>>;

/** A page of runs. @throws StenoError `bad-cursor`, `bad-limit`, `restate-unreachable`, `restate-refused` */
export async function listRuns(options: ListingOptions, query: RunQuery): Promise<RunPage> {
  const missing = await missingRuns(options);
  const read = async (most: number): Promise<readonly RunSummary[]> =>
    (await ask(options, sqlOf(options.service, query, missing, most))).map(summaryOf);
  return readPage(query.limit, read, cursorOf);
}

/** What Restate tried last of some invocations came to this. */
const FAILED = `last_failure LIKE '%${MISSING}: run %'`;

/** The ids of runs that Restate tries again, since their definitions are not served where they began. */
async function missingRuns(options: ListingOptions): Promise<readonly string[]> {
  const failed = await ask(options, `SELECT id FROM sys_invocation_state WHERE ${FAILED}`);
  if (failed.length === 0) return [];
  const ids = failed.map(({ id }) => text(String(id))).join(", ");
  const found = await ask(
    options,
    `SELECT target_service_key AS id FROM sys_invocation_status WHERE id IN (${ids}) AND ` +
      `target_service_name = ${text(options.service)} AND target_handler_name = 'run'`,
  );
  return found.map(({ id }) => String(id));
}

/** What Restate knows of the invocation of a run. */
export interface Tried {
  /** Where it began, its definition was looked for and not found. */
  readonly inVain: boolean;
  /** It began at the newest of the addresses, which answers for all runs. */
  readonly atNewest: boolean;
}

export async function triedFor(options: ListingOptions, id: string): Promise<Tried> {
  const [found] = await ask(
    options,
    `SELECT ${FAILED} AS in_vain, pinned_deployment_id = deployment_id AS at_newest ` +
      "FROM sys_invocation JOIN sys_service ON name = target_service_name WHERE " +
      `target_service_name = ${text(options.service)} AND target_service_key = ${text(id)} AND ` +
      "target_handler_name = 'run'",
  );
  return { inVain: found?.["in_vain"] === true, atNewest: found?.["at_newest"] === true };
}

function sqlOf(
  service: string,
  query: RunQuery,
  missing: readonly string[],
  limit: number,
): string {
  const { saga, status, reason, createdFrom, createdBefore, idPrefix, cursor } = query;
  const conditions = ["true"];
  if (saga !== undefined) conditions.push(`saga = ${text(saga)}`);
  if (status !== undefined) {
    const all = typeof status === "string" ? [status] : status;
    conditions.push(all.length === 0 ? "false" : `status IN (${all.map(text).join(", ")})`);
  }
  if (reason !== undefined) conditions.push(`reason = ${text(reason)}`);
  if (createdFrom !== undefined) conditions.push(`created_at >= ${number(createdFrom)}`);
  if (createdBefore !== undefined) conditions.push(`created_at < ${number(createdBefore)}`);
  if (idPrefix !== undefined) conditions.push(`starts_with(id, ${text(idPrefix)})`);
  if (cursor !== undefined) {
    const { createdAt, id } = parseCursor(cursor);
    conditions.push(
      `(created_at > ${createdAt} OR (created_at = ${createdAt} AND id > ${text(id)}))`,
    );
  }
  return (
    `SELECT * FROM (SELECT ${COLUMNS}, ${reasonOf(missing)} AS reason FROM state ` +
    `WHERE service_name = ${text(service)} AND key = '${ROW}') ` +
    `WHERE ${conditions.join(" AND ")} ORDER BY created_at, id LIMIT ${limit}`
  );
}

function reasonOf(missing: readonly string[]): string {
  const stored = "value_utf8->>'reason'";
  if (missing.length === 0) return stored;
  return `CASE WHEN service_key IN (${missing.map(text).join(", ")}) THEN '${MISSING}' ELSE ${stored} END`;
}

function text(value: string): string {
  return `'${String(value).replaceAll("'", "''")}'`;
}

function number(value: number): string {
  // Times that are no whole numbers are between two that are.
  return Number.isFinite(value) ? String(Math.ceil(value)) : value > 0 ? "9e15" : "-9e15";
}

async function ask(
  { admin, headers, patienceMs }: ListingOptions,
  query: string,
): Promise<readonly Row[]> {
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      const response = await fetch(`${admin.replace(/\/$/, "")}/query`, {
        method: "POST",
        headers: { accept: "application/json", "content-type": "application/json", ...headers },
        body: JSON.stringify({ query }),
        signal: AbortSignal.timeout(patienceMs),
      });
      const said = await response.text();
      if (response.ok) return (JSON.parse(said) as { readonly rows: readonly Row[] }).rows;
      if (response.status !== 503 || Date.now() > until) throw refused(response.status, said);
    } catch (error) {
      if (error instanceof StenoError) throw error;
      if (Date.now() > until) throw unreachable(admin, error);
    }
    await sleep(PAUSE_MS);
  }
}

function summaryOf(row: Row): RunSummary {
  return {
    id: String(row["id"]),
    saga: String(row["saga"]),
    hash: String(row["hash"]),
    status: row["status"] as RunSummary["status"],
    reason: typeof row["reason"] === "string" ? row["reason"] : undefined,
    createdAt: Number(row["created_at"]),
    updatedAt: Number(row["updated_at"]),
  };
}

function cursorOf({ createdAt, id }: RunSummary): string {
  return `${createdAt}.${encodeURIComponent(id)}`;
}

/** @throws StenoError `bad-cursor` */
function parseCursor(cursor: string): { readonly createdAt: number; readonly id: string } {
  const [, createdAt, id] = /^(\d{1,15})\.(.+)$/s.exec(cursor) ?? [];
  try {
    if (createdAt !== undefined && id !== undefined) {
      return { createdAt: Number(createdAt), id: decodeURIComponent(id) };
    }
  } catch {
    // It is none of ours.
  }
  throw badCursor(cursor);
}

function unreachable(admin: string, error: unknown): StenoError {
  const cause = (error as { readonly cause?: unknown }).cause ?? error;
  return new StenoError(
    "restate-unreachable",
    `Restate does not answer at ${admin} (${String(cause)}): is it running, and is this its admin API?`,
    { cause: error },
  );
}

function refused(status: number, said: string): StenoError {
  return new StenoError(
    "restate-refused",
    `Restate answered a question for runs with ${status}: ${said.slice(0, 500)}; is \`admin\` the admin API of a Restate of version 1.7 or later?`,
  );
}
