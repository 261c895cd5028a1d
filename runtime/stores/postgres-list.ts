/** The query for a list of runs on PostgreSQL: each filter is answered by an index. It asks nothing. */
import { escaped, isMissing, readColumns } from "./postgres-rows.js";
import type { RunFilter } from "./store.js";

/** How many runs a list has unless told. */
const DEFAULT_LIMIT = 100;

/** More than any `bigint`-safe number of ours: for no limit. */
const ALL = Number.MAX_SAFE_INTEGER;

export function listQuery(filter: RunFilter): {
  readonly text: string;
  readonly values: readonly unknown[];
} {
  const { saga, status, hashNot, reason, createdFrom, createdBefore, idPrefix, from, after } =
    filter;
  const conditions: string[] = [];
  const values: unknown[] = [];
  const value = (given: unknown): string => `$${values.push(given)}`;
  if (from !== undefined) {
    conditions.push(`(created_at, key) > (${value(from.createdAt)}, ${value(from.key)})`);
  }
  if (after !== undefined) {
    conditions.push(
      `(created_at, key) > (SELECT created_at, key FROM S.runs WHERE id = ${value(escaped(after))})`,
    );
  }
  if (createdFrom !== undefined) conditions.push(`created_at >= ${value(createdFrom)}`);
  if (createdBefore !== undefined) conditions.push(`created_at < ${value(createdBefore)}`);
  if (saga !== undefined) conditions.push(`saga = ${value(saga)}`);
  if (reason === "definition-missing") conditions.push(isMissing("runs"));
  else if (reason !== undefined) {
    conditions.push(`reason = ${value(reason)} AND NOT ${isMissing("runs")}`);
  }
  if (idPrefix !== undefined && idPrefix !== "") {
    conditions.push(`starts_with(id, ${value(escaped(idPrefix))})`);
  }
  if (hashNot !== undefined) conditions.push(`hash <> ALL (${value(hashNot)}::text[])`);
  const limit = value(filter.limit ?? DEFAULT_LIMIT);
  const select = (more: readonly string[]): string => {
    const all = [...conditions, ...more];
    const where = all.length === 0 ? "" : `WHERE ${all.join(" AND ")}`;
    return `SELECT ${readColumns("runs")} FROM S.runs ${where} ORDER BY created_at, key LIMIT ${limit}`;
  };
  if (status === undefined) return { text: select([]), values };
  // For each status the index gives them in order, and stops at the limit.
  const each = [...new Set(status)].map((one) => `(${select([`status = ${value(one)}`])})`);
  if (each.length === 0) return { text: `${select(["false"])}`, values };
  const all = each.join(" UNION ALL ");
  const text =
    each.length === 1
      ? all
      : `SELECT * FROM (${all}) AS runs ORDER BY created_at, key LIMIT ${limit}`;
  return { text, values };
}

/** As PostgreSQL takes it: without an end is up to the greatest number. */
export function boundOf(limit: number): number {
  return Math.min(limit, ALL);
}
