/** Several coordinators on one PostgreSQL: who goes on with what, and what others see and do of it. */
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { defineSaga } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { emptyFolder, steno, writeBundle } from "../cli/steno.js";
import {
  chain,
  held,
  open,
  openClient,
  other,
  type Saga,
  type Schema,
  schemaOf,
} from "../postgres/fleet.js";
import { type PostgresServer, startPostgres } from "../postgres/server.js";
import { action, scripted, scriptOf } from "../runtime/sagas.js";
import { keptLog, until } from "../runtime/watched-store.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
});
afterAll(() => server.stop());

const newSchema = (): Schema => schemaOf(server);

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

  test("and those that nobody can go on with say so, to everybody, until somebody comes", async () => {
    const { store, name } = newSchema();
    const leaving = await open(
      store(60_000),
      scriptOf(() => 1),
      [other],
    );
    const client = await openClient(store(), [chain, other]);
    const run = await leaving.start(other, 1, { id: "old", paused: true });
    await leaving.close();
    const found = await client.run("old");
    // Nobody is there at all: it is as it was.
    expect((await found?.status())?.reason).toBe("paused");
    const log = keptLog();
    const first = await open(
      store(60_000),
      scriptOf(() => 1),
      [chain],
      { logger: log },
    );
    await (await client.start(chain, 1, { id: "new" })).result();
    const missing = { reason: "definition-missing" };
    for (const on of [client, first]) {
      expect(await (await on.run("old"))?.status()).toMatchObject({
        ...missing,
        holds: [{ ...missing, message: expect.stringContaining("Test.other") as unknown }, {}],
      });
      expect((await on.runs(missing)).runs).toMatchObject([{ id: "old", ...missing }]);
      expect((await on.runs({ reason: "paused" })).runs).toEqual([]);
    }
    expect(log.said).toEqual([expect.stringMatching(/^run `old` .* is not in `sagas`/)]);
    const at = `${server.url("postgres")}?schema=${name}`;
    const folder = emptyFolder();
    expect((await steno(folder, ["list", "--store", at])).stdout).toMatch(
      /old .*definition-missing/,
    );
    expect((await steno(folder, ["show", "old", "--store", at])).stdout).toMatch(
      /which no coordinator has/,
    );
    // It moves no more, as far as they know who wait.
    await first.drain();
    const heir = await open(
      store(60_000),
      scriptOf(() => 1),
      [other],
    );
    expect((await found?.status())?.reason).toBe("paused");
    await (await heir.run(run.id))?.resume();
    expect(await found?.result()).toBe(1);
  });

  test("but not one that ended those who took it before anything came of it", async () => {
    const { store, query: ask, table } = newSchema();
    const crashLimit = 1;
    const logger = keptLog();
    const first = await open(
      store(60_000),
      scriptOf(() => 1),
      [other],
      { crashLimit },
    );
    const client = await openClient(store(), [chain, other]);
    await client.start(chain, 1, { id: "poison" });
    const taken = `SELECT 1 FROM ${table("runs")} WHERE id = 'poison' AND owner IS NOT NULL`;
    for (let round = 0; round < 3; round++) {
      // It takes the run, and is heard of no more.
      const owner = await store(60_000).open({ definitions: [chain.manifest.hash] });
      onTestFinished(() => owner.close());
      expect(await owner.fleet?.claim({ until: Date.now(), limit: 1 })).toHaveLength(1);
      const late = `UPDATE ${table("coordinators")} SET lease_until = now() - interval '1 h' WHERE epoch = $1`;
      await until(async () => {
        // Again: it renews its lease once a second, and on a busy machine before the other looks.
        await ask(late, [owner.epoch]);
        return (await ask(taken)).length === 0;
      });
    }
    const aside = await open(
      store(60_000),
      scriptOf(() => 1),
      [chain],
      { crashLimit, logger },
    );
    await until(() => aside.unrecovered.length > 0);
    expect(aside.unrecovered).toMatchObject([{ id: "poison", reason: "not-recoverable" }]);
    expect(logger.said).toEqual([expect.stringContaining("set aside")]);
    const poison = await client.run("poison");
    await until(async () => (await poison?.status())?.reason === "not-recoverable");
    // Others go on there, and it does with one that is told to try more often.
    expect(await (await aside.start(chain, 2)).result()).toBe(2);
    await aside.close();
    await open(
      store(60_000),
      scriptOf(() => 1),
      [chain],
      { crashLimit: 2 },
    );
    expect(await poison?.result()).toBe(1);
    await first.close();
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
    const ownerOf = async (): Promise<unknown> =>
      (await ask(`SELECT owner FROM ${table("runs")} WHERE id = 'r'`))[0]?.["owner"];
    const silent = await ownerOf();
    // As if its lease had run out: again, since it renews it.
    await until(async () => {
      const expired = `lease_until = now() - interval '1 h' WHERE epoch = ${String(silent)}`;
      await ask(`UPDATE ${table("coordinators")} SET ${expired}`);
      return (await ownerOf()) !== silent;
    });
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

test("a commit that takes its time holds up its own runs, and no others", async () => {
  const { store, query: ask, table, twice } = newSchema();
  const { script, release } = held("c");
  const coordinator = await open(store(60_000), script);
  const slow = await coordinator.start(chain, 1, { id: "slow" });
  await until(async () => (await slow.status()).nodes[2]?.state === "working");
  const own = new pg.Client(server.url("postgres"));
  await own.connect();
  await own.query("BEGIN");
  await own.query(`SELECT FROM ${table("runs")} WHERE id = 'slow' FOR UPDATE`);
  release();
  // That it is finished cannot be written: the commit waits for us.
  const waits = "SELECT 1 FROM pg_locks WHERE NOT granted";
  await until(async () => (await ask(waits)).length > 0);
  let isSlowDone = false;
  const slowly = slow.result().then(() => (isSlowDone = true));
  const others = Array.from({ length: 10 }, (_, i) => coordinator.start(chain, i));
  for (const [i, run] of (await Promise.all(others)).entries()) expect(await run.result()).toBe(i);
  expect(isSlowDone).toBe(false);
  await own.query("ROLLBACK");
  await own.end();
  await slowly;
  expect(await twice()).toEqual([]);
});

describe("runs that wait", () => {
  test("for a time go on where there is a coordinator, and for a run when that is finished elsewhere", async () => {
    const { store, query: ask, table, twice } = newSchema();
    const child = scripted([action("c")], "Test.child");
    const parent = defineSaga<object, unknown, unknown>({
      manifest: {
        ...{ steno: 1, name: "Test.parent", hash: "sha256-parent" },
        nodes: [{ name: "kid", kind: "spawn", target: "Test.child", wait: true, after: [] }],
      } as never,
      nodes: { kid: { params: () => 5, id: () => "the kid" } },
      output: ({ kid }: { readonly kid: unknown }) => ["parent of", kid],
    });
    const { script, release } = held("c");
    const sagas = [child, parent as unknown as Saga];
    const options = { shortWaitMs: 0 };
    const first = await open(store(), script, sagas, options);
    const run = await first.start(parent, null, { id: "p" });
    const ownerOf = async (id: string): Promise<unknown> =>
      (await ask(`SELECT owner FROM ${table("runs")} WHERE id = $1`, [id]))[0]?.["owner"];
    await until(async () => (await ownerOf("the kid")) !== undefined);
    await until(async () => (await ownerOf("p")) === null);
    await open(
      store(),
      scriptOf(() => "elsewhere"),
      sagas,
      options,
    );
    const client = await openClient(store(), sagas);
    release();
    expect(await run.result()).toEqual(["parent of", 5]);
    expect(await (await client.run("p"))?.result()).toEqual(["parent of", 5]);
    expect(await twice()).toEqual([]);
  });

  test("are told of breakpoints of their saga wherever they are", async () => {
    const { store } = newSchema();
    const first = await open(
      store(),
      scriptOf(() => 1),
    );
    const second = await open(
      store(),
      scriptOf(() => 1),
    );
    await first.setBreakpoint("Test.chain", { node: "b" });
    await until(async () => {
      const run = await second.start(chain, 1);
      await until(
        async () =>
          (await run.status()).status !== "running" || (await run.status()).reason !== undefined,
      );
      return (await run.status()).reason === "breakpoint";
    });
  });

  test("have all breakpoints that several set, and none that any has cleared, at the same time", async () => {
    const { store, query: ask, table } = newSchema();
    const script = scriptOf(() => 1);
    const [first, second] = [await open(store(), script), await open(store(), script)];
    // As a version before this one kept them.
    await ask(`INSERT INTO ${table("kept")} VALUES ('breakpoints/Test.chain', '["after a"]')`);
    await Promise.all([
      first.setBreakpoint("Test.chain", { node: "b" }),
      second.setBreakpoint("Test.chain", { node: "c" }),
    ]);
    const third = await open(store(), script);
    const run = await third.start(chain, 1);
    const stopsAt = async (node: string, at: "before" | "after"): Promise<void> => {
      await until(async () => (await run.status()).reason === "breakpoint");
      expect((await run.status()).holds).toEqual([{ reason: "breakpoint", node, at }]);
    };
    await stopsAt("a", "after");
    await run.resume();
    await stopsAt("b", "before");
    await run.resume();
    await stopsAt("c", "before");
    await Promise.all([
      third.clearBreakpoint("Test.chain", { node: "a", at: "after" }),
      second.clearBreakpoint("Test.chain", { node: "b" }),
      first.clearBreakpoint("Test.chain", { node: "c" }),
    ]);
    expect(await ask(`SELECT * FROM ${table("kept")}`)).toEqual([]);
    const fourth = await open(store(), script);
    expect(await (await fourth.start(chain, 2)).result()).toBe(2);
  });
});

describe("the tables", () => {
  test("are made by one of many that start at once", async () => {
    const { store, query: ask, table } = newSchema();
    const all = await Promise.all(
      Array.from({ length: 6 }, () =>
        open(
          store(),
          scriptOf(() => 1),
        ),
      ),
    );
    expect(await ask(`SELECT version FROM ${table("meta")}`)).toEqual([{ version: 2 }]);
    for (const each of all) expect(await (await each.start(chain, 1)).result()).toBe(1);
  });

  test("of a later version are refused with words, and stay as they are", async () => {
    const { store, query: ask, table } = newSchema();
    await (
      await open(
        store(),
        scriptOf(() => 1),
      )
    ).close();
    await ask(`UPDATE ${table("meta")} SET version = 99`);
    const refused = { code: "store-version", message: expect.stringContaining("99") as unknown };
    await expect(
      open(
        store(),
        scriptOf(() => 1),
      ),
    ).rejects.toMatchObject(refused);
    await expect(openClient(store())).rejects.toMatchObject(refused);
    expect(await ask(`SELECT version FROM ${table("meta")}`)).toEqual([{ version: 99 }]);
  });

  test("need no more privileges than docs/SCALING.md says", async () => {
    const { query: ask } = newSchema();
    const page = readFileSync(new URL("../../docs/SCALING.md", import.meta.url), "utf8");
    const [, sql = ""] = /```sql\n(CREATE ROLE[\s\S]*?)```/.exec(page) ?? [];
    expect(sql).toContain("GRANT");
    for (const statement of sql.split(";\n")) if (statement.trim() !== "") await ask(statement);
    const url = server.url("postgres").replace("steno@", "trips@");
    const mine = () => postgresStore(url, { schema: "trips" });
    const coordinator = await open(
      mine(),
      scriptOf(() => 1),
    );
    const client = await openClient(mine());
    expect(await (await client.start(chain, 1)).result()).toBe(1);
    await coordinator.prune({ keep: 0 });
    expect((await client.runs()).runs).toEqual([]);
  });

  test("that are not there, or not to be reached, are told with a code", async () => {
    const { store } = newSchema();
    await expect(openClient(store())).rejects.toMatchObject({ code: "store-missing" });
    const nowhere = postgresStore("postgres://steno@127.0.0.1:1/none");
    await expect(
      open(
        nowhere,
        scriptOf(() => 1),
      ),
    ).rejects.toMatchObject({ code: "store-unreachable" });
    const none = postgresStore(server.url("none"));
    await expect(
      open(
        none,
        scriptOf(() => 1),
      ),
    ).rejects.toMatchObject({ code: "store-not-reachable" });
  });
});

test("finished runs are pruned by several coordinators at once", async () => {
  const { store, query: ask, table } = newSchema();
  const [first, second] = [
    await open(
      store(),
      scriptOf(() => 1),
    ),
    await open(
      store(),
      scriptOf(() => 1),
    ),
  ];
  const runs = await Promise.all(Array.from({ length: 60 }, (_, i) => first.start(chain, i)));
  await Promise.all(runs.map((run) => run.result()));
  const removed = await Promise.all([first.prune({ keep: 5 }), second.prune({ keep: 5 })]);
  expect(Math.max(...removed)).toBeGreaterThan(0);
  expect(await ask(`SELECT count(*)::int AS n FROM ${table("runs")}`)).toEqual([{ n: 5 }]);
  expect(await ask(`SELECT count(DISTINCT run)::int AS n FROM ${table("events")}`)).toEqual([
    { n: 5 },
  ]);
  expect(await (await second.start(chain, 1)).result()).toBe(1);
});

test("an idle coordinator asks at most twice a second", async () => {
  const { store, query: ask } = newSchema();
  await open(
    store(10_000),
    scriptOf(() => 1),
  );
  const count = async (): Promise<number> =>
    Number(
      (
        await ask(
          "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = 'postgres'",
        )
      )[0]?.["n"],
    );
  await sleep(1500);
  const before = await count();
  await sleep(4000);
  // Each look of the test's own is some transactions, and statistics may be a second late.
  expect((await count()) - before).toBeLessThan(2 * 5 + 6);
});

test("an operator drains all coordinators, those that come too, and clients", async () => {
  const { store, name } = newSchema();
  const folder = emptyFolder();
  const steno_ = (...args: string[]) =>
    steno(folder, [...args, "--store", `${server.url("postgres")}?schema=${name}`]);
  const { script, release } = held("b");
  const first = await open(store(60_000), script);
  const second = await open(store(60_000), script);
  const client = await openClient(store());
  const run = await client.start(chain, 1, { id: "under way" });
  await until(async () => (await run.status()).nodes[1]?.state === "working");
  expect(await steno_("drain", "--no-wait")).toMatchObject({ status: 0 });
  const draining = steno_("drain");
  const late = await open(store(60_000), script);
  const refuses = async (on: { start: typeof client.start }): Promise<boolean> =>
    on.start(chain, 0).then(
      () => false,
      (error: { readonly code?: unknown }) => error.code === "coordinator-draining",
    );
  for (const on of [first, second, late, client]) {
    await until(() => refuses(on));
    // What is there is found.
    expect((await on.start(chain, 1, { id: "under way" })).id).toBe("under way");
  }
  release();
  expect(await draining).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("every run is at rest") as unknown,
  });
  expect(await run.result()).toBe(1);
  expect(await steno_("drain", "--end")).toMatchObject({ status: 0 });
  for (const on of [first, second, late, client]) await until(async () => !(await refuses(on)));
});

test("the command works on it", async () => {
  const { store, name } = newSchema();
  const folder = emptyFolder();
  const bundle = writeBundle(folder);
  const at = `${server.url("postgres")}?schema=${name}`;
  const run = async (...args: string[]) => {
    const ended = await steno(folder, [...args, "--store", at, "--json"]);
    return [ended.status, JSON.parse(ended.stdout) as unknown];
  };
  expect(await run("run", bundle, "--id", "t1", "--params", "{}")).toMatchObject([
    0,
    { id: "t1", status: "succeeded" },
  ]);
  expect(await run("run", bundle, "--id", "t2", "--params", '{"fail":"car"}')).toMatchObject([
    1,
    { status: "undone" },
  ]);
  expect(await run("list")).toMatchObject([0, [{ id: "t1" }, { id: "t2" }]]);
  expect(await run("prune", "--keep", "1")).toMatchObject([0, { removed: 1 }]);
  const client = await openClient(store());
  expect((await client.runs()).runs).toMatchObject([{ id: "t2" }]);
});

test("the code of docs/SCALING.md is that of the types", { timeout: 300_000 }, () => {
  const folder = emptyFolder();
  const root = fileURLToPath(new URL("../..", import.meta.url));
  for (const file of ["agency.ts", "book-trip.ts", "book-trip.saga.ts"]) {
    cpSync(join(root, "examples/trip", file), join(folder, file));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const page = readFileSync(join(root, "docs/SCALING.md"), "utf8");
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");
  expect(blocks).toHaveLength(3);
  const given = `import pg from "pg";
import { Agency } from "./agency.js";
import { BookTrip } from "./book-trip.js";
import { bookTrip } from "./book-trip.saga.js";
declare const agency: Agency, params: Parameters<BookTrip["bookTrip"]>[0];
const pgClient = new pg.Client(), store = postgresStore("postgres://trips@db/trips");
`;
  writeFileSync(join(folder, "page.ts"), given + blocks.join(""));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const flags = "--noEmit --strict --skipLibCheck --target es2023 --module nodenext --types node";
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, ...flags.split(" "), "page.ts"];
  const said = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(said.stdout).toBe("");
  expect(said.status).toBe(0);
});
