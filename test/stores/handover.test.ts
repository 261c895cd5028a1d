/** A coordinator that closes gives what it has to the others: at once, but for what runs in it. */
import pg from "pg";
import { Coordinator, memoryStore, StoreError, type StoreOwner } from "steno-runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chain, held, open, openClient, type Saga, schemaOf } from "../postgres/fleet.js";
import { type PostgresServer, startPostgres } from "../postgres/server.js";
import { action, scripted, scriptOf, type Script } from "../runtime/sagas.js";
import { gate, until } from "../runtime/watched-store.js";
import type { Write } from "../../runtime/stores/store.js";
import { actionContext } from "../../runtime/context.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
});
afterAll(() => server.stop());

/** Longer than any test: nothing is taken over because somebody is silent. */
const LEASE_MS = 60_000;

/** Who did what, in the order in which it began. */
function acting(who: string, done: string[], body: (id: string, node: string) => unknown): Script {
  return scriptOf((node) => {
    const { sagaId } = actionContext();
    done.push(`${who} ${sagaId}/${node}`);
    return body(sagaId, node);
  });
}

test("what is idle goes on elsewhere while a long body still runs, and its run as soon as that ends", async () => {
  const { store, twice, query, table } = schemaOf(server);
  const napping = scripted(
    [action("a"), { name: "nap", kind: "sleep", after: ["a"] }, action("b", ["nap"])],
    "Test.napping",
  );
  const sagas: readonly Saga[] = [chain, napping];
  const done: string[] = [];
  const long = gate();
  const script = acting("first", done, (id) => (id === "long" ? long.opened : undefined));
  // All but one wait for a place; none of those that sleep is due before the test is over.
  const first = await open(store(LEASE_MS), script, sagas, {
    limits: [{ atMost: 1, saga: "Test.chain" }],
    shortWaitMs: Infinity,
  });
  await first.start(chain, 0, { id: "long" });
  const ids = Array.from({ length: 30 }, (_, i) => `queued ${i}`);
  await Promise.all(ids.map((id) => first.start(chain, id, { id })));
  await first.start(napping, 1, { id: "paused", paused: true });
  await first.start(napping, 1, { id: "asleep" });
  await until(() => done.includes("first asleep/a"));
  const second = await open(
    store(LEASE_MS),
    acting("second", done, () => undefined),
    sagas,
  );
  const client = await openClient(store(LEASE_MS), sagas);
  const before = done.length;
  const began = performance.now();
  const closing = first.close();
  await Promise.all(ids.map(async (id) => (await client.run(id))?.result()));
  expect(await (await client.run("asleep"))?.result()).toBe(1);
  await (await second.run("paused"))?.resume();
  expect(await (await client.run("paused"))?.result()).toBe(1);
  // By the lease or by chance it would take a minute.
  expect(performance.now() - began).toBeLessThan(5000);
  const owners = `SELECT count(DISTINCT owner) AS n, count(*) AS runs FROM ${table("runs")} WHERE owner IS NOT NULL`;
  expect(await query(owners)).toEqual([{ n: "1", runs: "1" }]);
  expect(done.slice(before).filter((each) => each.startsWith("first"))).toEqual([]);
  expect(done.filter((each) => each.includes(" long/"))).toEqual(["first long/a"]);
  long.open();
  expect(await (await client.run("long"))?.result()).toBe(0);
  await closing;
  expect(done.filter((each) => each.includes(" long/"))).toEqual([
    ...["first long/a", "second long/b", "second long/c"],
  ]);
  expect(await twice()).toEqual([]);
  // Nothing was in doubt.
  const doubts = `SELECT run FROM ${table("events")} WHERE type = 'recovered' AND seq > 0`;
  const logs = await query(doubts);
  expect(logs).toEqual([]);
});

test("a run is given away once its own bodies have ended, whatever else still runs", async () => {
  const { store, twice } = schemaOf(server);
  const done: string[] = [];
  const gates = { one: gate(), other: gate() };
  const script = acting("first", done, (id) => gates[id as "one" | "other"].opened);
  const first = await open(store(LEASE_MS), script);
  await first.start(chain, 1, { id: "one" });
  await first.start(chain, 2, { id: "other" });
  await until(() => done.length === 2);
  await open(
    store(LEASE_MS),
    acting("second", done, () => undefined),
  );
  const client = await openClient(store(LEASE_MS));
  const closing = first.close();
  gates.one.open();
  expect(await (await client.run("one"))?.result()).toBe(1);
  expect(done.filter((each) => each.includes("other/"))).toEqual(["first other/a"]);
  gates.other.open();
  await closing;
  expect(await (await client.run("other"))?.result()).toBe(2);
  expect(await twice()).toEqual([]);
});

test("deploys that roll, one coordinator after the other, do every body once", async () => {
  const { store, query, table, twice } = schemaOf(server);
  const done: string[] = [];
  const body = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  const client = await openOnce(store(LEASE_MS));
  const runs = await Promise.all(
    Array.from({ length: 100 }, (_, i) => client.start(chain, i, { id: `r${i}` })),
  );
  const results = Promise.all(runs.map((run) => run.result()));
  let last: Coordinator | undefined;
  for (let version = 0; version < 4; version++) {
    const next = await open(store(LEASE_MS), acting(`v${version}`, done, body));
    await last?.close();
    last = next;
  }
  expect(await results).toEqual(runs.map((_, i) => i));
  expect(done.map((each) => each.replace(/^v\d /, "")).sort()).toEqual(
    runs.flatMap(({ id }) => ["a", "b", "c"].map((node) => `${id}/${node}`)).sort(),
  );
  expect(await query(`SELECT 1 FROM ${table("events")} WHERE type = 'recovered'`)).toEqual([]);
  expect(await twice()).toEqual([]);
});

/** A client of a store whose tables somebody has made. */
async function openOnce(store: Parameters<typeof openClient>[0]) {
  await (await open(store, held("none").script)).close();
  return openClient(store);
}

/** A run that somebody takes while another holds a lock, until it is let go on. */
async function taking(lock: string) {
  const { store, query, table } = schemaOf(server);
  const owner = await store(LEASE_MS).open({ definitions: [chain.manifest.hash] });
  const client = await openClient(store(LEASE_MS));
  await client.start(chain, 1, { id: "r" });
  const other = new pg.Client(server.url("postgres"));
  await other.connect();
  await other.query("BEGIN");
  await other.query(lock.replaceAll("S.", table("")));
  const waiting = async (): Promise<number> =>
    (await query("SELECT 1 FROM pg_locks WHERE NOT granted")).length;
  const claimed = owner.fleet?.claim({ until: Number.MAX_SAFE_INTEGER, limit: 10 });
  await until(async () => (await waiting()) > 0);
  const letGo = async (last = "SELECT 1"): Promise<void> => {
    await other.query(last.replaceAll("S.", table("")));
    await other.query("COMMIT");
    await other.end();
  };
  return {
    owner,
    claimed,
    waiting,
    letGo,
    runs: () => query(`SELECT id, owner FROM ${table("runs")}`),
  };
}

test("a run that a coordinator takes while it closes is not its own for ever", async () => {
  // Whoever takes runs, and whoever leaves, waits for its row, one after the other.
  const { owner, claimed, waiting, letGo, runs } = await taking(
    "SELECT 1 FROM S.coordinators FOR UPDATE",
  );
  const before = await waiting();
  const closed = owner.close();
  await until(async () => (await waiting()) > before);
  await letGo();
  await Promise.allSettled([claimed, closed]);
  expect(await runs()).toEqual([{ id: "r", owner: null }]);
});

test("a run that others have before its log is read is not taken", async () => {
  const { owner, claimed, letGo, runs } = await taking(
    "LOCK TABLE S.events IN ACCESS EXCLUSIVE MODE",
  );
  expect(await runs()).toEqual([{ id: "r", owner: String(owner.epoch) }]);
  await letGo("UPDATE S.runs SET owner = 99");
  expect(await claimed).toEqual([]);
  await owner.close();
});

test("what a coordinator is asked when it has lost the run, and does not know it, is done by the next", async () => {
  const { store, query, table } = schemaOf(server);
  const began: string[] = [];
  const stuck = gate();
  const held = gate();
  const here = acting("first", began, () => stuck.opened);
  const first = await open(store(LEASE_MS), here);
  const run = await first.start(chain, 1, { id: "r" });
  await until(() => began.length > 0);
  await open(
    store(LEASE_MS),
    acting("second", began, () => held.opened),
  );
  const [coordinators, lanes, runs] = ["coordinators", "lanes", "runs"].map(table);
  // As whoever finds that its lease has run out does.
  await query(`WITH lost AS (UPDATE ${runs} SET owner = NULL),
    fenced AS (UPDATE ${coordinators} SET fenced = true WHERE epoch = 1)
    DELETE FROM ${lanes} WHERE coordinator = 1`);
  await run.pause();
  stuck.open();
  held.open();
  await until(async () => (await run.status()).reason === "paused");
  await run.resume();
  expect(await run.result()).toBe(1);
});

test("a definition that was on its way when a coordinator lost what it had comes with the next run, not after it", async () => {
  const inner = memoryStore();
  const [begun, fail] = [gate(), gate()];
  const kinds: string[] = [];
  const owning = async (): Promise<StoreOwner> => {
    const owner = await inner.open();
    let isFirst = true;
    const commit = async (writes: readonly Write[]): Promise<void> => {
      if (isFirst) {
        isFirst = false;
        begun.open();
        await fail.opened;
        throw new StoreError("store-fenced", "others go on with what it had");
      }
      await owner.commit(writes);
      kinds.push(...writes.map(({ kind }) => kind));
    };
    return new Proxy(owner, {
      get: (_, name) => (name === "commit" ? commit : (Reflect.get(owner, name) as unknown)),
    });
  };
  const store = { reader: () => inner.reader(), open: owning };
  const coordinator = await open(
    store,
    scriptOf(() => 1),
  );
  const first = coordinator.start(chain, 1, { id: "first" });
  await begun.opened;
  const second = coordinator.start(chain, 2, { id: "second" });
  // Until it waits for its commit.
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  // The first, which would bring its definition again, is not started again.
  void coordinator.drain();
  fail.open();
  await expect(first).rejects.toMatchObject({ code: "coordinator-draining" });
  expect(await (await second).result()).toBe(2);
  expect(kinds.indexOf("define")).toBeGreaterThanOrEqual(0);
  expect(kinds.indexOf("define")).toBeLessThan(kinds.indexOf("create"));
});
