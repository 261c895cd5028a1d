/**
 * The query for a list of runs: one statement for each set of filters, of which each is answered by
 * an index in the order of the list. It reads nothing; that is `sqlite-reader.ts`.
 */
import type { SqlValue } from "./sqlite-driver.js";
import type { Place, RunFilter } from "./store.js";

export const RUN_COLUMNS =
  "key, id, saga, hash, nonce, params, status, reason, output, error, created_at, updated_at, wake_at, row_sum, state_sum";

/** How many runs a list has unless told. */
const DEFAULT_LIMIT = 100;

export interface ListQuery {
  readonly sql: string;
  /** The values for each time that it is to be asked: once for each status. */
  readonly values: readonly (readonly SqlValue[])[];
  readonly limit: number;
}

/** `after`: the place of `filter.after`. Gives nothing where no run can be found. */
export function listQuery(filter: RunFilter, after: Place | "" | undefined): ListQuery | undefined {
  if (filter.after !== undefined && typeof after !== "object") return undefined;
  const { saga, status, hashNot, reason, createdFrom, createdBefore, idPrefix, from } = filter;
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const where = (condition: string, ...given: readonly SqlValue[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  for (const place of [from, after]) {
    if (typeof place === "object") where("(created_at, key) > (?, ?)", place.createdAt, place.key);
  }
  if (createdFrom !== undefined) where("created_at >= ?", createdFrom);
  if (createdBefore !== undefined) where("created_at < ?", createdBefore);
  if (saga !== undefined) where("saga = ?", saga);
  if (reason !== undefined) where("reason = ?", reason);
  if (idPrefix !== undefined && idPrefix !== "") {
    where("id >= ?", idPrefix);
    const end = afterPrefix(idPrefix);
    if (end !== undefined) where("id < ?", end);
  }
  if (hashNot !== undefined) {
    where(`hash NOT IN (${hashNot.map(() => "?").join(", ")})`, ...hashNot);
  }
  if (status !== undefined) conditions.push("status = ?");
  const all = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const sql = `SELECT ${RUN_COLUMNS} FROM runs ${all} ORDER BY created_at, key LIMIT ?`;
  const each = status === undefined ? [[]] : [...new Set(status)].map((one) => [one]);
  return { sql, values: each.map((one) => [...values, ...one, limit]), limit };
}

/** The first text after all that begin so, as SQLite compares: byte by byte. */
function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (point) => point.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10_ffff) continue;
    // Halves of characters are no text.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}
