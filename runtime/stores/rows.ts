/** Rows of runs as the runtime has them: what stores in SQL have in common. It asks nothing. */
import type { RunRow, RunStatus } from "./store.js";

export function runOf(row: Readonly<Record<string, unknown>>): RunRow {
  return {
    id: String(row["id"]),
    saga: String(row["saga"]),
    hash: String(row["hash"]),
    nonce: String(row["nonce"]),
    params: textOf(row["params"]),
    // Only owners write rows, and they write what the type allows.
    status: row["status"] as RunStatus,
    reason: textOf(row["reason"]),
    output: textOf(row["output"]),
    error: textOf(row["error"]),
    createdAt: Number(row["created_at"]),
    updatedAt: Number(row["updated_at"]),
    wakeAt: numberOf(row["wake_at"]),
  };
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Some drivers give numbers of eight bytes as text. */
export function numberOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
