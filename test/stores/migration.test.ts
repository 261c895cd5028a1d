/** Stores that earlier versions wrote: they are brought to the schema of today, whole. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDriver, type Connection } from "../../runtime/stores/sqlite-driver.js";
import { SCHEMA_VERSION } from "../../runtime/stores/sqlite-schema.js";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import { sampleEvents, sampleRun, temporaryFolder } from "./sample.js";

/** As version 1 made them: this text is not to be changed. */
const VERSION_1 = `
CREATE TABLE owner (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, pid INTEGER NOT NULL,
  host TEXT NOT NULL, opened_at INTEGER NOT NULL) STRICT;
CREATE TABLE definitions (hash TEXT PRIMARY KEY, saga TEXT NOT NULL, manifest TEXT NOT NULL) STRICT;
CREATE TABLE runs (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, saga TEXT NOT NULL, hash TEXT NOT NULL,
  nonce TEXT NOT NULL, params TEXT, status TEXT NOT NULL, reason TEXT, output TEXT, error TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE INDEX runs_by_status ON runs (status);
CREATE INDEX runs_by_saga ON runs (saga);
CREATE TABLE events (run INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL,
  node TEXT, attempt INTEGER, value TEXT, due_at INTEGER, UNIQUE (run, seq)) STRICT;
CREATE TABLE requests (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, command TEXT NOT NULL, run TEXT,
  args TEXT NOT NULL, answer TEXT, answered_at INTEGER) STRICT;
CREATE INDEX requests_unanswered ON requests (id) WHERE answer IS NULL;
INSERT INTO owner (id, epoch, pid, host, opened_at) VALUES (1, 7, 0, '', 0);
PRAGMA application_id = ${0x5354_454e};
PRAGMA user_version = 1;
`;

const ROWS = ["running", "unwinding", "stuck", "succeeded", "undone"].map(
  (status, key) =>
    `INSERT INTO runs VALUES (${key + 1}, '${status}', 'BookTrip.bookTrip', 'sha256-1', 'n0nce',
     '{"hotel":"Ritz"}', '${status}', NULL, NULL, NULL, 1700000000000, 1700000000000);
     INSERT INTO events VALUES (${key + 1}, 0, 1700000000000, 'started', 'node-0', 1, '["Ritz"]', NULL);`,
);

/** The tables with their columns, and the indices with theirs. */
function schemaOf(connection: Connection): readonly object[] {
  const columns = connection.prepare(
    `SELECT m.type, m.name AS of, m.sql IS NOT NULL AS own, c.name, c.type AS holds, c."notnull", c.pk
     FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c ORDER BY m.name, c.cid`,
  );
  const indices = connection.prepare(
    `SELECT m.tbl_name, m.name AS of, c.name, c.seqno,
       CASE WHEN m.sql LIKE '%WHERE%' THEN substr(m.sql, instr(m.sql, 'WHERE')) END AS only
     FROM sqlite_schema AS m, pragma_index_info(m.name) AS c WHERE m.type = 'index' ORDER BY m.name, c.seqno`,
  );
  return [...columns.all(), ...indices.all()].map((row) => ({ ...row }));
}

test("a store of version 1 is brought to this one when a coordinator opens it, and is like a new one", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "old.db");
  const open = loadDriver();
  const old = open(path);
  old.exec(VERSION_1 + ROWS.join("\n"));
  old.close();
  // Nobody but its owner may change it.
  await expect(sqliteStore(path).reader()).rejects.toMatchObject({
    code: "store-version",
    message: expect.stringContaining("earlier version"),
  });

  const owner = await sqliteStore(path).open();
  expect(owner.epoch).toBe(8);
  const wakes = (await owner.runs({})).map(({ id, wakeAt }) => [id, wakeAt]);
  expect(wakes).toEqual([
    ["running", 0],
    ["unwinding", 0],
    ["stuck", 0],
    ["succeeded", undefined],
    ["undone", undefined],
  ]);
  expect(await owner.run("running")).toEqual(sampleRun("running"));
  expect(await owner.events("stuck")).toEqual(sampleEvents(0, 1));
  expect(await owner.prunable({ limit: 9 })).toEqual(["succeeded", "undone"]);
  await owner.close();
  await (await sqliteStore(path).open()).close();
  await (await sqliteStore(join(folder, "new.db")).open()).close();

  const [migrated, fresh] = [open(path), open(join(folder, "new.db"))];
  expect(schemaOf(migrated)).toEqual(schemaOf(fresh));
  expect(schemaOf(fresh).length).toBeGreaterThan(50);
  expect(migrated.prepare("PRAGMA user_version").get()).toMatchObject({
    user_version: SCHEMA_VERSION,
  });
  expect(migrated.prepare("PRAGMA integrity_check").get()).toMatchObject({ integrity_check: "ok" });
  migrated.close();
  fresh.close();
});

test("a migration that fails leaves the store as it was", async () => {
  const path = join(temporaryFolder(), "old.db");
  const open = loadDriver();
  const old = open(path);
  // In the way of what the migration makes last.
  old.exec(`${VERSION_1}${ROWS.join("\n")} CREATE TABLE awaits (a INTEGER);`);
  old.close();
  await expect(sqliteStore(path).open()).rejects.toThrow();
  const after = open(path);
  expect(after.prepare("PRAGMA user_version").get()).toMatchObject({ user_version: 1 });
  expect(schemaOf(after).some((row) => "name" in row && row.name === "wake_at")).toBe(false);
  after.close();
});
