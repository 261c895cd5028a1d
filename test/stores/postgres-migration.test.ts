/**
 * A store that version 1 left on PostgreSQL, with runs of every kind in it: whoever comes first brings it to
 * the tables of today, and all that was unfinished goes on.
 */
import { readFileSync } from "node:fs";
import { postgresStore } from "steno-runtime/postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { open, openClient } from "../postgres/fleet.js";
import { type PostgresServer, query, startPostgres } from "../postgres/server.js";
import { action, scripted, scriptOf } from "../runtime/sagas.js";

/** In it are runs that ended, that wait, that were paused, and that were in the middle of a body or an undo. */
const OLD = readFileSync(new URL("../fixtures/stores/postgres-1.sql", import.meta.url), "utf8");

const body = scripted([action("a"), action("b", ["a"]), action("c", ["b"])], "Old.body");
const waits = scripted(
  [action("a"), { name: "go", kind: "event", target: "go", after: ["a"] }, action("b", ["go"])],
  "Old.waits",
);
const sleeps = scripted(
  [action("a"), { name: "nap", kind: "sleep", after: ["a"] }, action("b", ["nap"])],
  "Old.sleeps",
);
const sagas = [body, waits, sleeps];

let server: PostgresServer;
let url: string;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  url = server.url("postgres");
});
afterAll(() => server.stop());

const store = (schema: string) => postgresStore(url, { schema, leaseMs: 1000 });

/** The tables with their columns, and the indices. */
const tablesOf = (schema: string) =>
  query(
    url,
    `SELECT table_name AS of, column_name::text AS has, data_type, is_nullable FROM information_schema.columns
     WHERE table_schema = $1 UNION ALL SELECT tablename, indexname,
     replace(indexdef, $1 || '.', ''), '' FROM pg_indexes WHERE schemaname = $1 ORDER BY 1, 2`,
    [schema],
  );

test("a store of version 1 is brought to this one by one of many that open it at once, and goes on", async () => {
  await query(url, OLD);
  // Who does not own it changes nothing, and says what to do.
  await expect(openClient(store("old"), sagas)).rejects.toMatchObject({
    code: "store-version",
    message: expect.stringContaining("of an earlier version") as unknown,
  });
  const calls: string[] = [];
  const script = scriptOf((node) => (calls.push(node), node));
  const before = await query(url, "SELECT * FROM old.events ORDER BY run, seq");
  const [first] = await Promise.all(
    Array.from({ length: 4 }, () => open(store("old"), script, sagas)),
  );
  expect(await query(url, "SELECT version FROM old.meta")).toEqual([{ version: 2 }]);
  await open(store("fresh"), script, sagas);
  expect(await tablesOf("old")).toEqual(await tablesOf("fresh"));

  const client = await openClient(store("old"), sagas);
  const resultOf = async (id: string): Promise<unknown> => (await client.run(id))?.result();
  // Those that the old one had are taken over; what was asked for meanwhile is done.
  expect(await resultOf("acting")).toEqual({ n: 6 });
  expect(await resultOf("late")).toEqual({ n: 9 });
  expect(await resultOf("waiting")).toEqual({ n: 4 });
  await (await first?.run("paused"))?.resume();
  expect(await resultOf("paused")).toEqual({ n: 8 });
  // What had ended is as it was.
  expect(await resultOf("done")).toEqual({ n: 1 });
  expect(await resultOf("sleeping")).toEqual({ n: 5 });
  const codeOf = async (id: string): Promise<unknown> => {
    const outcome = await (await client.run(id))?.outcome();
    return outcome?.status;
  };
  expect(await codeOf("undone")).toBe("undone");
  expect(await codeOf("stuck")).toBe("stuck");
  await (await client.run("stuck"))?.retry("a");
  expect(await codeOf("stuck")).toBe("undone");
  expect(await codeOf("unwinding")).toBe("undone");
  expect((await client.runs()).runs.map(({ id }) => id)).toHaveLength(9);

  // Nothing of the old logs is another, and nothing ended twice.
  const after = await query(url, "SELECT * FROM old.events ORDER BY run, seq");
  for (const event of before) expect(after).toContainEqual(event);
  const twice = `SELECT run, node, type FROM old.events WHERE type IN ('succeeded', 'failed', 'undone')
    GROUP BY run, node, type HAVING count(*) > 1`;
  expect(await query(url, twice)).toEqual([]);
  // In the middle of which the old one ended: called again.
  expect(calls).toContain("b");
});
