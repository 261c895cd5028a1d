/** Databases, schemas, roles and transactions as others make them: a store works on them, or says what to do. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { postgresStore, type PostgresStoreOptions } from "steno-runtime/postgres";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { checkSessions, Link, loadDriver } from "../../runtime/stores/postgres-link.js";
import { SafePositions } from "../../runtime/stores/postgres-positions.js";
import { chain, open, openClient } from "../postgres/fleet.js";
import { type PostgresServer, query, startPostgres } from "../postgres/server.js";
import { scriptOf } from "../runtime/sagas.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
});
afterAll(() => server.stop());

const ask = (text: string) => query(server.url("postgres"), text);
const script = scriptOf((node) => node);

/** The store of a role of its own, in its own schema. */
async function roleStore(name: string, settings: string, options: PostgresStoreOptions = {}) {
  await ask(`CREATE ROLE ${name} LOGIN; ${settings}; CREATE SCHEMA ${name} AUTHORIZATION ${name}`);
  const url = server.url("postgres").replace("steno@", `${name}@`);
  return () => postgresStore(url, { schema: name, leaseMs: 1000, ...options });
}

/** All kinds of statements, on one store. */
async function works(store: ReturnType<typeof postgresStore>): Promise<void> {
  const coordinator = await open(store, script);
  const client = await openClient(store);
  expect(await (await coordinator.start(chain, { text: "日本 😀" }, { id: "é" })).result()).toEqual(
    {
      text: "日本 😀",
    },
  );
  expect(await (await client.start(chain, 2, { id: "it's" })).result()).toBe(2);
  const seen = new Set<string>();
  for await (const { run } of client.events({ after: 0 })) if (seen.add(run).size === 2) break;
  await client.close();
  await coordinator.prune({ keep: 0 });
  expect((await coordinator.runs()).runs).toEqual([]);
  await coordinator.close();
}

describe("a schema", () => {
  test.each(["a, b", "x'S.y LOCK(write)", 'we"ird $1 \\ %s;--', "😀".repeat(14)])(
    "may be called %s",
    (schema) => works(postgresStore(server.url("postgres"), { schema })),
  );

  test("has no name that PostgreSQL would cut off", () => {
    for (const schema of ["", "a\0b", "a".repeat(58), "😀".repeat(15)])
      expect(() => postgresStore(server.url("postgres"), { schema })).toThrow("1 to 57 bytes");
  });
});

describe("a role", () => {
  test("may have timeouts and habits of its own", async () => {
    const settings = [
      ...[
        "statement_timeout = 300",
        "lock_timeout = 1",
        "idle_in_transaction_session_timeout = 50",
      ],
      ...["search_path = ''", "TimeZone = 'Asia/Kathmandu'", "datestyle = 'SQL, DMY'"],
      ...["standard_conforming_strings = off", "client_encoding = 'LATIN1'"],
      "default_transaction_isolation = 'serializable'",
    ];
    const store = await roleStore(
      "odd",
      settings.map((set) => `ALTER ROLE odd SET ${set}`).join(";"),
    );
    await works(store());
  });

  test("may have connections that end when they are idle", async () => {
    const store = await roleStore("idle", "ALTER ROLE idle SET idle_session_timeout = 40");
    const coordinator = await open(store(), script);
    for (let i = 0; i < 12; i++) {
      // Just when they end, which the next statement hears of in the place of its answer.
      await sleep(38 + (i % 5));
      expect(await (await coordinator.start(chain, i)).result()).toBe(i);
    }
  });

  test("that may not have as many connections is told how many it takes", async () => {
    const store = await roleStore("few", "ALTER ROLE few CONNECTION LIMIT 2", { patienceMs: 100 });
    const refused = {
      code: "store-unreachable",
      message: expect.stringMatching(/`lanes`.*limit/s) as unknown,
    };
    await expect(open(store(), script)).rejects.toMatchObject(refused);
    await ask("ALTER ROLE few CONNECTION LIMIT 7");
    await works(store());
  });

  test("that may only read is told so", async () => {
    const store = await roleStore(
      "reads",
      "ALTER ROLE reads SET default_transaction_read_only = on",
    );
    await expect(open(store(), script)).rejects.toMatchObject({
      code: "store-not-writable",
      message: expect.stringContaining("default_transaction_read_only") as unknown,
    });
  });
});

test("connections that a pooler shares out are refused", async () => {
  const link = (): Link => {
    const made = new Link({
      connection: server.url("postgres"),
      driver: loadDriver,
      name: "test",
      patienceMs: 0,
    });
    onTestFinished(() => made.close());
    return made;
  };
  const [one, two] = [link(), link()];
  await Promise.all([one.connected(), two.connected()]);
  expect(() => checkSessions([one, two])).not.toThrow();
  expect(() => checkSessions([one, two, one])).toThrow("session mode");
});

test("a pool is no transaction", async () => {
  const coordinator = await open(postgresStore(server.url("postgres"), { schema: "pool" }), script);
  const pool = new pg.Pool({ connectionString: server.url("postgres") });
  const started = coordinator.start(chain, 1, { id: "r", transaction: pool });
  await expect(started).rejects.toMatchObject({ code: "store-transaction" });
  expect(await coordinator.run("r")).toBeUndefined();
  const transaction = await pool.connect();
  await transaction.query("BEGIN");
  const run = await coordinator.start(chain, 1, { id: "r", transaction });
  await transaction.query("COMMIT");
  transaction.release();
  await pool.end();
  expect(await run.result()).toBe(1);
});

test("events of all runs are not read from a replica, where some would be missed", async () => {
  // The one thing that is asked of it first, as a replica answers it.
  const query = () => Promise.resolve([{ last: "7", writers: null, replica: true }]);
  const positions = new SafePositions({ query } as unknown as Link, "steno");
  await expect(positions.until(0)).rejects.toMatchObject({ code: "store-replica" });
});

test("a database that cannot hold every text is refused", async () => {
  await ask(
    "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
  );
  const store = postgresStore(server.url("latin"));
  const refused = { code: "store-encoding", message: expect.stringContaining("UTF8") as unknown };
  await expect(open(store, script)).rejects.toMatchObject(refused);
  await expect(openClient(store)).rejects.toMatchObject(refused);
});

test("a transaction that stays open holds up nobody but those who start the run that it started", async () => {
  const url = server.url("postgres");
  const store = () => postgresStore(url, { schema: "open", leaseMs: 1000 });
  const coordinator = await open(store(), script);
  const client = await openClient(store());
  const caller = new pg.Client(url);
  await caller.connect();
  await caller.query("BEGIN");
  const early = await client.start(chain, 1, { id: "r", transaction: caller });
  await expect(early.result()).rejects.toThrow("transaction");
  const same = [client.start(chain, 1, { id: "r" }), coordinator.start(chain, 1, { id: "r" })];
  const began = performance.now();
  for (let i = 0; i < 4; i++) {
    const all = [coordinator, client].map(async (each) => (await each.start(chain, i)).result());
    expect(await Promise.all(all)).toEqual([i, i]);
  }
  // Of one that waits for the transaction, no others would have come through at all.
  expect(performance.now() - began).toBeLessThan(10_000);
  await caller.query("COMMIT");
  await caller.end();
  for (const run of await Promise.all(same)) expect(await run.result()).toBe(1);
});
