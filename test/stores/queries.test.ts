/** The queries of docs/STORE.md are run against a store, and the tables it names are those there are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Connection, loadDriver } from "../../runtime/stores/sqlite-driver.js";
import { Mark } from "../../runtime/stores/sqlite-mark.js";
import { SqliteOwner } from "../../runtime/stores/sqlite-owner.js";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import { sampleManifest, sampleRun, temporaryFolder } from "./sample.js";

const page = readFileSync(new URL("../../docs/STORE.md", import.meta.url), "utf8");

test("the queries of docs/STORE.md give what they say", async () => {
  const path = join(temporaryFolder(), "a.db");
  const owner = await sqliteStore(path).open();
  const of = { node: "hotel", attempt: 1 };
  await owner.commit([
    { kind: "define", manifest: sampleManifest },
    { kind: "create", run: sampleRun("trip-41", { status: "succeeded" }) },
    { kind: "create", run: sampleRun("trip-42", { reason: "paused" }) },
    {
      kind: "append",
      run: "trip-42",
      events: [
        { seq: 0, at: 1000, type: "created", value: "{}" },
        { seq: 1, at: 1000, ...of, type: "started", value: "[]" },
        { seq: 2, at: 1250, ...of, type: "failed", value: '{"name":"Error","message":"full"}' },
      ],
    },
  ]);
  const queries = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql ?? "");
  const connection = loadDriver()(path);
  const results = queries.map((sql) => connection.prepare(sql).all());
  connection.close();
  await owner.close();
  expect(results).toHaveLength(3);
  expect(results[0]).toMatchObject([{ id: "trip-42", status: "running", reason: "paused" }]);
  expect(results[0]).toHaveLength(1);
  expect(results[1]).toMatchObject([{ node: "hotel", failures: 1, example: "full" }]);
  expect(results[2]).toMatchObject([{ node: "hotel", attempt: 1, type: "failed", ms: 250 }]);
});

test("docs/STORE.md names every table and column", async () => {
  const path = join(temporaryFolder(), "a.db");
  await (await sqliteStore(path).open()).close();
  const connection = loadDriver()(path);
  const columns = connection
    .prepare(
      `SELECT m.name AS "table", c.name AS "column" FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
       WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`,
    )
    .all();
  connection.close();
  expect(columns.length).toBeGreaterThan(30);
  for (const { table, column } of columns) {
    expect(page, `${table}`).toContain(`**${table}**`);
    expect(page, `${table}.${column}`).toContain(`\`${column}\``);
  }
});

test("whatever is looked for among many runs is found by an index", async () => {
  const path = join(temporaryFolder(), "a.db");
  const made = await sqliteStore(path).open();
  await made.commit([{ kind: "create", run: sampleRun("r1") }]);
  await made.close();
  const open = loadDriver();
  const connection = open(path);
  const asked = new Set<string>();
  const noting: Connection = {
    exec: (sql) => connection.exec(sql),
    prepare: (sql) => {
      asked.add(sql);
      return connection.prepare(sql);
    },
    close: () => connection.close(),
  };
  const lock = { release: () => undefined };
  const owner = new SqliteOwner({ path, connection: noting, open }, 1, lock, new Mark(path, 1));
  asked.clear();
  await owner.run("r1");
  await owner.events("r1");
  await owner.due({ until: 5, after: { wakeAt: 1, id: "" }, limit: 9 });
  await owner.awaiting("r1");
  await owner.awaiting();
  await owner.prunable({ before: 5, keep: 1, limit: 9 });
  await owner.prunable({ keep: 0, limit: 9 });
  const plans = [...asked].flatMap((sql) =>
    connection
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...Array(sql.split("?").length - 1).fill(0))
      .map(({ detail }) => [String(detail), sql] as const),
  );
  await owner.close();
  expect(plans.length).toBeGreaterThan(8);
  for (const [detail, sql] of plans) {
    expect(detail, sql).not.toMatch(/TEMP B-TREE FOR (ORDER BY|GROUP BY)/);
    // `awaits` has one row for each run that waits for another, and is looked through once, at open.
    expect(detail, sql).not.toMatch(/^SCAN (?!awaits|runs USING (COVERING )?INDEX runs_finished)/);
  }
});
