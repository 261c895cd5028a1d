/** Several coordinators on one PostgreSQL: who goes on with what, and what others see and do of it. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { Client, Coordinator, type CoordinatorOptions } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type PostgresServer, query, startPostgres } from "../postgres/server.js";
import { action, scripted, scriptOf, type Script } from "../runtime/sagas.js";
import { keptLog, until } from "../runtime/watched-store.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
});
afterAll(() => server.stop());

const chain = scripted([action("a"), action("b", ["a"]), action("c", ["b"])], "Test.chain");
const other = scripted([action("a")], "Test.other");

type Saga = typeof chain;

let schemas = 0;

/** A schema of its own for each test. */
function newSchema() {
  const schema = `fleet_${schemas++}`;
  const url = server.url("postgres");
  const table = (name: string): string => `${schema}.${name}`;
  return {
    store: (leaseMs = 1000) => postgresStore(url, { schema, leaseMs }),
    table,
    query: (text: string, values: readonly unknown[] = []) => query(url, text, values),
    /** What ended how often, of each node of each run: more than once is never right. */
    twice: () =>
      query(
        url,
        `SELECT run, node, type, count(*) FROM ${table("events")}
         WHERE type IN ('succeeded', 'failed', 'undone') GROUP BY run, node, type HAVING count(*) > 1`,
      ),
  };
}

async function open(
  store: ReturnType<typeof postgresStore>,
  script: Script,
  sagas: readonly Saga[] = [chain],
  more: Partial<CoordinatorOptions> = {},
): Promise<Coordinator> {
  const coordinator = await Coordinator.open({
    store,
    sagas: sagas.map((saga) => saga.on(script)),
    logger: keptLog(),
    ...more,
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

async function openClient(
  store: ReturnType<typeof postgresStore>,
  sagas: readonly Saga[] = [chain],
): Promise<Client> {
  const client = await Client.open({ store, sagas });
  onTestFinished(() => client.close());
  return client;
}

/** Bodies that end when they are told to. */
function held(node: string): { readonly script: Script; readonly release: () => void } {
  let release = (): void => {};
  const until = new Promise<void>((resolve) => (release = resolve));
  return { script: scriptOf((each) => (each === node ? until : each)), release };
}

describe("a run that another coordinator has", () => {
  test("can be waited for, looked at, paused and resumed", async () => {
    const { store } = newSchema();
    const { script, release } = held("b");
    const first = await open(store(), script);
    const second = await open(
      store(),
      scriptOf(() => "not here"),
    );
    await first.start(chain, "params", { id: "r" });
    const run = await second.run("r");
    const result = run?.result();
    await run?.pause("why not");
    release();
    await until(async () => (await run?.status())?.reason === "paused");
    await run?.resume();
    expect(await result).toBe("params");
    const { runs } = await second.runs({});
    expect(runs.map(({ id, status }) => [id, status])).toEqual([["r", "succeeded"]]);
  });

  test("is the same run to whoever starts it", async () => {
    const { store, twice } = newSchema();
    const coordinators = [
      await open(
        store(),
        scriptOf(() => 1),
      ),
      await open(
        store(),
        scriptOf(() => 2),
      ),
    ];
    const client = await openClient(store());
    const starts = [...coordinators, client].map((each) => each.start(chain, 7, { id: "r" }));
    for (const run of await Promise.all(starts)) expect(await run.result()).toBe(7);
    await expect(coordinators[1]?.start(chain, 8, { id: "r" })).rejects.toMatchObject({
      code: "run-exists",
    });
    await expect(client.start(chain, 8, { id: "r" })).rejects.toMatchObject({ code: "run-exists" });
    expect(await twice()).toEqual([]);
  });
});

describe("a process that executes nothing", () => {
  test("starts runs, waits for them, watches and operates them, and hears of failures", async () => {
    const { store, twice } = newSchema();
    const { script, release } = held("b");
    await open(store(), {
      ...script,
      act: async (node) => {
        if (node === "c") throw new TypeError("no c");
        return script.act(node);
      },
    });
    const client = await openClient(store());
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { event } of client.events({ after: 0 })) seen.push(event.type);
    })();
    const run = await client.start(chain, { some: "params" });
    await run.pause();
    release();
    await until(async () => (await run.status()).reason === "paused");
    await run.resume();
    await expect(run.result()).rejects.toMatchObject({
      code: "saga-failed",
      node: "c",
      cause: expect.any(TypeError) as unknown,
    });
    await expect(run.resume()).rejects.toMatchObject({ code: "run-finished" });
    await until(() => seen.filter((type) => type === "undone").length === 2);
    await client.close();
    await watching;
    await expect(run.result()).rejects.toMatchObject({ code: "client-closed" });
    expect(await twice()).toEqual([]);
  });

  test("starts a run exactly if the caller's transaction is committed", async () => {
    const { store, query: ask } = newSchema();
    const coordinator = await open(
      store(),
      scriptOf(() => 1),
    );
    const client = await openClient(store());
    await ask("CREATE TABLE IF NOT EXISTS orders (id text)");
    const own = new pg.Client(server.url("postgres"));
    await own.connect();
    for (const [starter, end] of [
      [client, "COMMIT"],
      [client, "ROLLBACK"],
      [coordinator, "COMMIT"],
      [coordinator, "ROLLBACK"],
    ] as const) {
      const id = `${starter === client ? "client" : "coordinator"} ${end}`;
      await own.query("BEGIN");
      await own.query("INSERT INTO orders VALUES ($1)", [id]);
      const run = await starter.start(chain, id, { id, transaction: own });
      // Again: the same run, though nobody else can see it yet.
      await starter.start(chain, id, { id, transaction: own });
      expect(await client.run(id)).toBeUndefined();
      await own.query(end);
      if (end === "COMMIT") expect(await run.result()).toBe(id);
      else expect(await client.run(id)).toBeUndefined();
    }
    await own.end();
    const { runs } = await client.runs();
    const rows = await ask("SELECT id FROM orders");
    expect(runs.map(({ id }) => id).sort()).toEqual(rows.map(({ id }) => id).sort());
  });
});

describe("runs go to coordinators that can go on with them", () => {
  test("by their definitions", async () => {
    const { store, query: ask, table } = newSchema();
    const first = await open(
      store(),
      scriptOf(() => 1),
      [chain],
    );
    const client = await openClient(store(), [chain, other]);
    const run = await client.start(other, 1, { id: "other" });
    await (await client.start(chain, 1)).result();
    expect(await ask(`SELECT owner FROM ${table("runs")} WHERE id = 'other'`)).toEqual([
      { owner: null },
    ]);
    // A coordinator that has it comes.
    await open(
      store(),
      scriptOf(() => 1),
      [other],
    );
    expect(await run.result()).toBe(1);
    expect(first.unrecovered).toEqual([]);
  });

  test("as many as each has room for, and all of them", async () => {
    const { store, twice } = newSchema();
    const done = [0, 0, 0];
    const coordinators = await Promise.all(
      done.map((_, place) =>
        open(
          store(),
          scriptOf(async () => {
            await sleep(5);
            done[place] = (done[place] ?? 0) + 1;
          }),
        ),
      ),
    );
    const client = await openClient(store());
    const runs = await Promise.all(
      Array.from({ length: 600 }, (_, i) => client.start(chain, i, { id: `r${i}` })),
    );
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results).toEqual(runs.map((_, i) => i));
    expect(done.reduce((sum, each) => sum + each, 0)).toBe(1800);
    for (const each of done) expect(each).toBeGreaterThan(0);
    expect(await twice()).toEqual([]);
    await Promise.all(coordinators.map((each) => each.close()));
  });
});

describe("a coordinator that ends", () => {
  test("gives what it has to others at once, what waits too", async () => {
    const { store, twice } = newSchema();
    const napping = scripted(
      [action("a"), { name: "nap", kind: "sleep", after: ["a"] }, action("b", ["nap"])],
      "Test.napping",
    );
    const { script, release } = held("a");
    const options = { shortWaitMs: 0 };
    const first = await open(store(60_000), script, [napping], options);
    const runs = await Promise.all(
      Array.from({ length: 20 }, (_, i) => first.start(napping, i, { id: `r${i}` })),
    );
    const client = await openClient(store(), [napping]);
    const results = Promise.all(runs.map(async ({ id }) => (await client.run(id))?.result()));
    await open(
      store(60_000),
      scriptOf(() => 1),
      [napping],
      options,
    );
    release();
    const began = performance.now();
    await first.close();
    expect(await results).toEqual(runs.map((_, i) => i));
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await twice()).toEqual([]);
  });

  test("in silence loses its runs, and goes on with others as a new one", async () => {
    const { store, query: ask, table, twice } = newSchema();
    const { script, release } = held("b");
    const first = await open(store(), script);
    const run = await first.start(chain, 1, { id: "r" });
    await until(async () => (await run.status()).nodes[1]?.state === "working");
    const second = await open(
      store(),
      scriptOf(() => "second"),
    );
    // As if its lease had run out.
    await ask(`UPDATE ${table("coordinators")} SET lease_until = now() - interval '1 h'
      WHERE epoch = (SELECT min(epoch) FROM ${table("coordinators")})`);
    expect(await (await second.run("r"))?.result()).toBe(1);
    release();
    expect(await run.result()).toBe(1);
    const outputs = await ask(
      `SELECT value FROM ${table("events")} WHERE type = 'succeeded' AND node = 'b'`,
    );
    expect(outputs).toEqual([{ value: '"second"' }]);
    expect(await (await first.start(chain, 2, { id: "new" })).result()).toBe(2);
    expect(await twice()).toEqual([]);
  });
});
