/** Rows of PostgreSQL as the runtime has them, and lists as PostgreSQL reads them. It asks nothing. */
import type { LoggedEvent } from "../events.js";
import type { Row } from "./postgres-link.js";
import { numberOf, runOf as runOfRow, textOf } from "./rows.js";
import type { ListedRun, RequestAnswer, RunRow, StoreRequest } from "./store.js";

export const RUN_COLUMNS =
  "key, id, saga, hash, nonce, params, status, reason, output, error, created_at, updated_at, wake_at";

/**
 * Whether a row of `runs` (by that name, or `r`) is of a run that nobody can go on with: it is not
 * finished, no coordinator has it, and of those that are alive none was opened with its definition.
 * It is found when it is read, and not written: it is so from the moment when the last one leaves
 * until one comes. Of coordinators of an earlier version nobody knows what they have.
 */
export const isMissing = (r: string): string => `(${r}.owner IS NULL
  AND ${r}.status IN ('running', 'unwinding', 'stuck')
  AND coalesce((SELECT bool_and(NOT coalesce(${r}.hash = ANY (c.definitions), true))
    FROM S.coordinators c WHERE NOT c.fenced AND c.lease_until > now()), false))`;

/** The columns of a run as those see it who cannot go on with it. */
export const readColumns = (r: string): string =>
  RUN_COLUMNS.replaceAll(/\w+/g, `${r}.$&`).replace(
    `${r}.reason`,
    `CASE WHEN ${isMissing(r)} THEN 'definition-missing' ELSE ${r}.reason END AS reason`,
  );

export const EVENT_COLUMNS = "seq, at, type, node, attempt, value, due_at";

export function runOf(row: Row): RunRow {
  const run = runOfRow(row);
  const id = unescaped(run.id);
  return id === run.id ? run : { ...run, id };
}

export function listedOf(row: Row): ListedRun {
  return { ...runOf(row), key: Number(row["key"]) };
}

/** Absent fields are absent properties, as in the event that was written. */
export function eventOf(row: Row): LoggedEvent {
  const node = textOf(row["node"]);
  const attempt = numberOf(row["attempt"]);
  const value = textOf(row["value"]);
  const dueAt = numberOf(row["due_at"]);
  const event = {
    seq: Number(row["seq"]),
    at: Number(row["at"]),
    type: String(row["type"]),
    ...(node !== undefined && { node: unescaped(node) }),
    ...(attempt !== undefined && { attempt }),
    ...(value !== undefined && { value }),
    ...(dueAt !== undefined && { dueAt }),
  };
  return event as unknown as LoggedEvent;
}

export function requestOf(row: Row): StoreRequest {
  const run = textOf(row["run"]);
  return {
    id: Number(row["id"]),
    at: Number(row["at"]),
    command: String(row["command"]),
    run: run === undefined ? undefined : unescaped(run),
    args: String(row["args"]),
  };
}

export function answerOf(row: Row | undefined): RequestAnswer | undefined {
  const answer = textOf(row?.["answer"]);
  return answer === undefined ? undefined : (JSON.parse(answer) as RequestAnswer);
}

/**
 * PostgreSQL's text cannot hold the character 0. Ids and names of nodes may have it; JSON text
 * writes it in another way.
 */
export function escaped(text: string): string {
  return /[\u0000\u001a]/.test(text)
    ? text.replaceAll("\u001a", "\u001as").replaceAll("\u0000", "\u001a0")
    : text;
}

export function unescaped(text: string): string {
  return text.includes("\u001a")
    ? text.replaceAll("\u001a0", "\u0000").replaceAll("\u001as", "\u001a")
    : text;
}

/** An array of text, or of `null`, as PostgreSQL reads it: faster than the driver makes it. */
export function textArray(texts: readonly (string | null | undefined)[]): string {
  let list = "";
  for (const text of texts) {
    if (list !== "") list += ",";
    if (text === null || text === undefined) list += "NULL";
    else list += `"${/["\\]/.test(text) ? text.replace(/["\\]/g, "\\$&") : text}"`;
  }
  return `{${list}}`;
}

export function numberArray(numbers: readonly (number | null | undefined)[]): string {
  let list = "";
  for (const number of numbers) {
    if (list !== "") list += ",";
    list += number ?? "NULL";
  }
  return `{${list}}`;
}
