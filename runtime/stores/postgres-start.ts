/** The statement that adds a run without an owner, in whatever transaction it is done. */
import { escaped, numberArray, textArray } from "./postgres-rows.js";
import { inSchema, lockOf } from "./postgres-schema.js";
import type { LoggedEvent } from "../events.js";
import type { UnstartedRun } from "./store.js";

/** It gives a row if the run was added, and none if its id is taken. */
export function startStatement(
  { row, events }: UnstartedRun,
  schema: string,
  channel: string,
): { readonly text: string; readonly values: readonly unknown[] } {
  const text = inSchema(
    `WITH writing AS (SELECT pg_advisory_xact_lock_shared(${lockOf(schema, "write")})),
     made AS (
       INSERT INTO S.runs (key, id, saga, hash, nonce, params, status, created_at, updated_at, wake_at)
       SELECT nextval('${inSchema("S.run_keys", schema).replaceAll("'", "''")}'),
         $1, $2, $3, $4, $5, $6, $7, $7, 0 FROM writing
       ON CONFLICT (id) DO NOTHING RETURNING key
     ), logged AS (
       INSERT INTO S.events (run, seq, at, type, value)
       SELECT made.key, e.* FROM made, unnest($8::int[], $9::bigint[], $10::text[], $11::text[]) AS e
     )
     SELECT made.key, pg_notify($12, 'due') FROM made`,
    schema,
  );
  return {
    text,
    values: [
      escaped(row.id),
      row.saga,
      row.hash,
      row.nonce,
      row.params ?? null,
      row.status,
      row.createdAt,
      numberArray(events.map(({ seq }) => seq)),
      numberArray(events.map(({ at }) => at)),
      textArray(events.map(({ type }) => type)),
      textArray(events.map(valueOf)),
      channel,
    ],
  };
}

function valueOf(event: LoggedEvent): string | undefined {
  return "value" in event ? event.value : undefined;
}
