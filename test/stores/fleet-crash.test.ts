/**
 * A fleet that is abused: processes killed, stopped and continued, connections cut and silent, the
 * database restarted, clocks apart. After each, every run is finished, all done or all undone, and each
 * checkpoint is there once. Those that take long are run with `FLEET=long`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, type Run } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { worked } from "../postgres/fleet-worker.js";
import { type Proxy, startProxy } from "../postgres/proxy.js";
import { type PostgresServer, query, startPostgres } from "../postgres/server.js";
import { until } from "../runtime/watched-store.js";

let server: PostgresServer;
beforeAll(async () => {
  // What was acknowledged has to be there after the server was killed.
  server = await startPostgres({ fsync: true });
});
afterAll(() => server.stop());

const LEASE_MS = 1500;
const WORKER = fileURLToPath(new URL("../postgres/fleet-worker.ts", import.meta.url));

const long = test.runIf(process.env["FLEET"] === "long");

let schemas = 0;

/** A fleet in a schema of its own. */
async function newFleet() {
  const schema = `crash_${schemas++}`;
  const url = server.url("postgres");
  const start = async (through: string = url, offsetMs = 0, bodyMs = 5): Promise<ChildProcess> => {
    const args = ["--import", "tsx", WORKER, through, schema, `${LEASE_MS}`, `${offsetMs}`];
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, BODY_MS: `${bodyMs}` },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
    return child;
  };
  const startAll = (count: number): Promise<readonly ChildProcess[]> =>
    Promise.all(Array.from({ length: count }, () => start()));
  const openClient = async (): Promise<Client> => {
    const client = await Client.open({ store: postgresStore(url, { schema }), sagas: [worked] });
    onTestFinished(() => client.close());
    return client;
  };
  const ask = (text: string) => query(url, text.replaceAll("S.", `${schema}.`));
  return { start, startAll, openClient, ask };
}

const startRuns = (client: Client, count: number): Promise<readonly Run<unknown>[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => client.start(worked, i, { id: `r${i}` })));

/** Every run is finished, and its log says so of each node once. */
async function expectWhole(
  runs: readonly Run<unknown>[],
  ask: (text: string) => ReturnType<typeof query>,
): Promise<void> {
  const ends = await Promise.allSettled(runs.map((run) => run.result()));
  for (const [i, end] of ends.entries()) {
    if (i % 5 === 0) expect(end).toMatchObject({ reason: { code: "saga-failed", node: "e" } });
    else expect(end).toEqual({ status: "fulfilled", value: i });
  }
  const twice = await ask(`SELECT run, node, type FROM S.events
    WHERE type IN ('succeeded', 'failed', 'undone') GROUP BY run, node, type HAVING count(*) > 1`);
  expect(twice).toEqual([]);
  const logs = await ask(`SELECT r.id, r.status,
      count(*) FILTER (WHERE type = 'succeeded' AND node <> '') AS done,
      count(*) FILTER (WHERE type = 'undone') AS undone, count(*) = max(seq) + 1 AS gapless
    FROM S.events e JOIN S.runs r ON r.key = e.run WHERE r.id LIKE 'r%' GROUP BY r.id, r.status`);
  expect(logs).toHaveLength(runs.length);
  for (const { id, ...log } of logs) {
    const failed = /[05]$/.test(String(id));
    expect({ id, ...log }).toEqual({
      id,
      gapless: true,
      ...(failed
        ? { status: "undone", done: "4", undone: "4" }
        : { status: "succeeded", done: "5", undone: "0" }),
    });
  }
}

describe("processes", () => {
  test("that are killed have their runs taken over within a lease and a second", async () => {
    const { start, openClient, ask } = await newFleet();
    const slow = [server.url("postgres"), 0, 300] as const;
    const [victim, heir] = await Promise.all([start(...slow), start(...slow)]);
    const client = await openClient();
    const runs = await startRuns(client, 120);
    const atWork = `SELECT 1 FROM S.events JOIN S.runs ON key = run
      WHERE node = 'b' GROUP BY owner HAVING owner IS NOT NULL`;
    await until(async () => (await ask(atWork)).length > 1);
    victim.kill("SIGKILL");
    const killed = performance.now();
    const isTaken = async (): Promise<boolean> =>
      (await ask("SELECT 1 FROM S.events WHERE type = 'recovered'")).length > 0;
    await until(isTaken);
    const took = performance.now() - killed;
    // The rest is for what it takes to see it here.
    expect(took).toBeLessThan(LEASE_MS + 1000 + 500);
    await expectWhole(runs, ask);
    heir.kill("SIGTERM");
    await once(heir, "exit");
    expect(
      await ask("SELECT 1 FROM S.coordinators WHERE NOT fenced AND lease_until > now()"),
    ).toEqual([]);
  });

  long("that are killed at random, again and again, lose nothing", async () => {
    const { start, startAll, openClient, ask } = await newFleet();
    const fleet = [...(await startAll(3))];
    const client = await openClient();
    const runs = await startRuns(client, 3000);
    for (let round = 0; round < 10; round++) {
      await sleep(100 + 400 * Math.random());
      fleet.shift()?.kill("SIGKILL");
      fleet.push(await start());
    }
    await expectWhole(runs, ask);
  });

  test("that are stopped for longer than the lease and go on write nothing late", async () => {
    const { startAll, openClient, ask } = await newFleet();
    const [sleeper, other] = (await startAll(2)) as [ChildProcess, ChildProcess];
    const client = await openClient();
    const runs = await startRuns(client, 300);
    await until(async () => (await ask("SELECT 1 FROM S.events WHERE node = 'c'")).length > 0);
    let said = "";
    sleeper.stderr?.on("data", (text) => (said += String(text)));
    sleeper.kill("SIGSTOP");
    // For longer than its lease, until the other has found that out: which may be late itself.
    await until(async () => (await ask("SELECT 1 FROM S.coordinators")).length === 1);
    sleeper.kill("SIGCONT");
    await until(() => said.includes("silent for longer than its lease"));
    await expectWhole(runs, ask);
    // It goes on with others.
    other.kill("SIGKILL");
    expect(await (await client.start(worked, 1, { id: "later1" })).result()).toBe(1);
  });

  long("that a run ends each time leave it alone in the end, and finish the others", async () => {
    const { start, startAll, openClient, ask } = await newFleet();
    await startAll(1);
    const client = await openClient();
    const runs = await startRuns(client, 20);
    const poison = await client.start(worked, 0, { id: "poison" });
    for (let reason: unknown; reason !== "crash-loop";) {
      const child = await start();
      await Promise.race([once(child, "exit"), sleep(LEASE_MS + 500)]);
      [{ reason }] = (await ask("SELECT reason FROM S.runs WHERE id = 'poison'")) as [
        { reason: unknown },
      ];
    }
    expect((await poison.status()).reason).toBe("crash-loop");
    await expectWhole(runs, ask);
  });

  long("whose clocks are minutes apart agree on the time", async () => {
    const { start, openClient, ask } = await newFleet();
    const url = server.url("postgres");
    await Promise.all([start(url, 300_000), start(url, -300_000)]);
    const client = await openClient();
    await expectWhole(await startRuns(client, 50), ask);
    const [{ apart }] = (await ask("SELECT max(at) - min(at) AS apart FROM S.events")) as readonly {
      apart: string;
    }[] as [{ apart: string }];
    expect(Number(apart)).toBeLessThan(60_000);
  });
});

describe("the way to the database", () => {
  async function throughProxy(): Promise<{ proxy: Proxy; url: string }> {
    const proxy = await startProxy(server.port);
    onTestFinished(() => proxy.close());
    return { proxy, url: server.url("postgres").replace(`:${server.port}`, `:${proxy.port}`) };
  }

  test("may be cut again and again, and slow", async () => {
    const { start, openClient, ask } = await newFleet();
    const { proxy, url } = await throughProxy();
    await start(url);
    const client = await openClient();
    const runs = await startRuns(client, 200);
    for (let round = 0; round < 8; round++) {
      await sleep(30 + 100 * Math.random());
      proxy.delayMs = [0, 2, 40][round % 3] as number;
      proxy.cut();
    }
    await expectWhole(runs, ask);
  });

  long("may be silent for longer than the lease, while others go on", async () => {
    const { start, openClient, ask } = await newFleet();
    const { proxy, url } = await throughProxy();
    await Promise.all([start(url), start()]);
    const client = await openClient();
    const runs = await startRuns(client, 200);
    await sleep(100);
    proxy.silence(true);
    await expectWhole(runs, ask);
    proxy.silence(false);
  });

  test("and the database may be killed under load", async () => {
    const { startAll, openClient, ask } = await newFleet();
    await startAll(2);
    const client = await openClient();
    const runs = await startRuns(client, 200);
    for (const signal of ["SIGQUIT", "SIGINT"] as const) {
      await sleep(150);
      await server.restart(signal);
    }
    await expectWhole(runs, ask);
  });
});
