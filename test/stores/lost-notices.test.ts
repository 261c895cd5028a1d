/**
 * Coordinators and clients on a PostgreSQL that tells nobody anything: each notice is lost, and all is done
 * all the same, a little later. Notices are cut off in the database, by a function in front of the server's own.
 * And what is asked of a run is done once, also when the answer to the statement that asks for it is lost.
 */
import { connect, createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { Client, Coordinator } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type PostgresServer, query, startPostgres } from "../postgres/server.js";
import { action, scripted, scriptOf } from "../runtime/sagas.js";
import { keptLog, until } from "../runtime/watched-store.js";

/** A second, as docs/SCALING.md says, and what a busy machine takes. */
const LATE_MS = 4000;
const SCHEMA = "deaf";
const script = scriptOf(() => 1);
const quick = scripted([action("a"), action("b", ["a"])], "Test.quick");
/** Sleeps, and waits for an event. */
const slow = scripted(
  [
    { name: "nap", kind: "sleep", after: [] },
    { name: "go", kind: "event", target: "go", after: ["nap"] },
    action("a", ["go"]),
  ],
  "Test.slow",
);
let server: PostgresServer;
let url: string;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  url = server.url("postgres");
  await query(
    url,
    `CREATE SCHEMA silence;
     CREATE FUNCTION silence.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''`,
  );
});
afterAll(() => server.stop());

const store = (to = url) =>
  postgresStore(
    { connectionString: to, options: "-c search_path=silence,pg_catalog" },
    { schema: SCHEMA, leaseMs: 60_000 },
  );

async function open(sagas: readonly (typeof quick)[]): Promise<Coordinator> {
  const opened = await Coordinator.open({
    ...{ store: store(), logger: keptLog(), shortWaitMs: 0 },
    sagas: sagas.map((saga) => saga.on(script)),
  });
  onTestFinished(() => opened.close());
  return opened;
}

/** It comes, and not much later than it should. */
async function soon<T>(what: string, coming: Promise<T>): Promise<T> {
  const late = sleep(LATE_MS).then(() => {
    throw new Error(`${what} takes too long`);
  });
  return Promise.race([coming, late]);
}

test("a notice that is lost costs time, and nothing else", async () => {
  const heard: unknown[] = [];
  const listener = new pg.Client(url);
  await listener.connect();
  onTestFinished(() => listener.end());
  const first = await open([quick]);
  const second = await open([slow]);
  await listener.query(`LISTEN "steno_${SCHEMA}"`);
  listener.on("notification", (notice) => heard.push(notice));
  const client = await Client.open({ store: store(), sagas: [quick, slow] });
  onTestFinished(() => client.close());

  const started = await client.start(quick, 1);
  expect(await soon("a start, and its result", started.result())).toBe(1);
  // Of a run that another coordinator has.
  const own = await first.start(quick, 2, { id: "own" });
  expect(await soon("a result", (await second.run("own"))?.result() ?? sleep(0))).toBe(2);
  expect(await own.result()).toBe(2);

  const run = await client.start(slow, 3, { id: "slow" });
  const seen: string[] = [];
  const watching = (async () => {
    for await (const { type } of run.events()) seen.push(type);
  })();
  const reasonIs = (reason: string | undefined) =>
    soon(
      `to be ${reason}`,
      until(async () => (await run.status()).reason === reason),
    );
  // The timer has fired.
  await reasonIs("waiting-event");
  await soon("a command", run.pause());
  await reasonIs("paused");
  await soon("a command", (await first.run("slow"))?.resume() ?? sleep(0));
  await soon("an event", run.send("go"));
  expect(await soon("a result", run.result())).toBe(3);
  await soon("the last event", watching);
  const ofRun = `SELECT type FROM ${SCHEMA}.events WHERE run = (SELECT key FROM ${SCHEMA}.runs WHERE id = 'slow') ORDER BY seq`;
  expect(seen).toEqual((await query(url, ofRun)).map(({ type }) => type));

  // What all are told: nobody starts anything more, a client at once, a coordinator soon.
  const codeOf = (on: { start: typeof client.start }): Promise<unknown> =>
    on.start(quick, 0).then(
      () => undefined,
      (error: { readonly code?: unknown }) => error.code,
    );
  await query(url, `INSERT INTO ${SCHEMA}.kept VALUES ('draining', 'true')`);
  expect(await codeOf(client)).toBe("coordinator-draining");
  expect((await client.start(slow, 3, { id: "slow" })).id).toBe("slow");
  const drained = until(async () => (await codeOf(first)) === "coordinator-draining");
  await soon("draining", drained);
  await query(url, `DELETE FROM ${SCHEMA}.kept`);
  expect(await codeOf(client)).toBeUndefined();
  await soon(
    "its end",
    until(async () => (await codeOf(first)) === undefined),
  );

  // Those who listen are heard from again after their connections were lost.
  await query(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> $1",
    [(listener as unknown as { processID: number }).processID],
  );
  expect(await soon("a result", (await client.start(quick, 4)).result())).toBe(4);
  expect(heard).toEqual([]);
});

/** Loses the answer to the first statement that has this text in it, and the connection. */
async function losesAnswerTo(text: string): Promise<{ readonly port: number; times: number }> {
  const lost = { port: 0, times: 0 };
  const proxy = createServer((near) => {
    const far = connect(server.port, "127.0.0.1");
    let isLast = false;
    near.on("data", (data) => {
      isLast = lost.times === 0 && data.includes(text);
      far.write(data);
    });
    far.on("data", (data) => {
      if (!isLast) return void near.write(data);
      lost.times += 1;
      near.destroy();
      far.end();
    });
    near.on("close", () => far.destroy()).on("error", () => far.destroy());
    far.on("close", () => near.destroy()).on("error", () => near.destroy());
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => proxy.once("listening", resolve));
  onTestFinished(() => void proxy.close());
  return Object.assign(lost, { port: (proxy.address() as AddressInfo).port });
}

test("what is asked of a run is asked once, though its answer is lost", async () => {
  await open([slow]);
  const lost = await losesAnswerTo("INSERT INTO");
  const through = url.replace(String(server.port), String(lost.port));
  const client = await Client.open({ store: store(through), sagas: [slow] });
  onTestFinished(() => client.close());
  const other = await Client.open({ store: store(), sagas: [slow] });
  onTestFinished(() => other.close());
  const run = await other.start(slow, 0, { id: "asked" });
  const same = await client.run("asked");
  await same?.send("go", 1);
  expect(lost.times).toBe(1);
  expect(await run.result()).toBe(0);
  const received = `SELECT count(*)::int AS n FROM ${SCHEMA}.events e JOIN ${SCHEMA}.runs r ON r.key = e.run
    WHERE r.id = 'asked' AND e.type = 'event-received'`;
  expect(await query(url, received)).toEqual([{ n: 1 }]);
  const requests = `SELECT count(*)::int AS n FROM ${SCHEMA}.requests WHERE run = 'asked'`;
  expect(await query(url, requests)).toEqual([{ n: 1 }]);
});
