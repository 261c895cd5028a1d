/**
 * What a fleet on PostgreSQL costs: a chain against bare commits of the same database, a thousand runs
 * with one, two and four coordinators, how soon one that was killed, or is closed, is replaced, and how
 * large the tables become of runs that are removed. The server is on
 * the same machine, and waits for the disk.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { Client, Coordinator } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { startPostgres } from "../postgres/server.js";
import { chain, Work, type WorkSaga } from "./definitions.js";
import { type Bench, byTurns, type Measured, time } from "./measure.js";

const LENGTH = 10;
const RUNS = 1000;
const LEASE_MS = 2000;

/** So many times the runs of a store are finished and removed: the tables grow no more after the first few. */
const PRUNES = 10;

/** A deploy that rolls hands over within this. */
const HANDOVER_MS = 1000;

/** DBOS on PostgreSQL 15 did 1,000 steps a second of this load: be at least five times as fast. */
const TARGET = 5000;
/** On a disk that takes fewer commits than that needs: so many actions for each that it takes. */
const RATIO = 10;

export const fleetBenches: readonly Bench[] = [
  {
    name: "fleet-chain",
    run: () =>
      onPostgres(async ({ url, bare }) => {
        const saga = chain(LENGTH);
        const store = postgresStore(url);
        const coordinator = await Coordinator.open({ store, sagas: [saga.on(new Work())] });
        const runs = 20;
        const perAction = async (): Promise<number> => {
          const total = await time(async () => {
            for (let i = 0; i < runs; i++) {
              await (await coordinator.start(saga, { id: i })).result();
            }
          });
          return total / (runs * LENGTH);
        };
        await perAction();
        const [value, limit] = await byTurns(5, perAction, () => bare(200));
        await coordinator.close();
        const ratio = value / limit;
        return { value, unit: "ms/action", limit, ratio, target: "<= 3", ok: ratio <= 3 };
      }),
  },
  {
    name: "fleet-throughput",
    run: () =>
      onPostgres(async ({ url, bare }) => {
        const saga = chain(LENGTH);
        const store = postgresStore(url);
        const coordinator = await Coordinator.open({ store, sagas: [saga.on(new Work())] });
        const perSecond = async (): Promise<number> =>
          (RUNS * LENGTH * 1000) / (await time(() => runAll(coordinator, saga)));
        await perSecond();
        const commits = async (): Promise<number> => 1000 / (await bare(200));
        const [value, limit] = await byTurns(3, perSecond, commits);
        await coordinator.close();
        return atLeast(value, limit);
      }),
  },
  ...[1, 2, 4].map((count): Bench => ({
    name: `fleet-of-${count}`,
    run: () =>
      onPostgres(async ({ url, bare }) => {
        const saga = chain(LENGTH);
        const workers = await Promise.all(Array.from({ length: count }, () => worker(url)));
        const client = await Client.open({ store: postgresStore(url), sagas: [saga] });
        const perSecond = async (): Promise<number> =>
          (RUNS * LENGTH * 1000) / (await time(() => runAll(client, saga)));
        await perSecond();
        const commits = async (): Promise<number> => 1000 / (await bare(200));
        const [value, limit] = await byTurns(3, perSecond, commits);
        await client.close();
        await Promise.all(workers.map(end));
        return atLeast(value, limit);
      }),
  })),
  {
    name: "fleet-takeover",
    run: () =>
      onPostgres(async ({ url }) => {
        const saga = chain(LENGTH);
        const [first, second] = (await Promise.all([worker(url, 100), worker(url, 100)])) as [
          ChildProcess,
          ChildProcess,
        ];
        const client = await Client.open({ store: postgresStore(url), sagas: [saga] });
        const ended: Promise<unknown>[] = [];
        for (let id = 0; id < 200; id++) {
          ended.push((await client.start(saga, { id })).result());
        }
        // Those of the one that lives need a second; the last of all is one of the other's.
        const killed = performance.now();
        first.kill("SIGKILL");
        await Promise.all(ended);
        const value = performance.now() - killed - 100 * LENGTH;
        await client.close();
        await end(second);
        const limit = LEASE_MS + 1000;
        const ratio = value / limit;
        return { value, unit: "ms", limit, ratio, target: "<= 1", ok: ratio <= 1 };
      }),
  },
  {
    name: "fleet-handover",
    run: () =>
      onPostgres(async ({ url, ask }) => {
        const saga = chain(LENGTH);
        const first = await worker(url, 100);
        const [{ epoch }] = (await ask("SELECT epoch FROM steno.coordinators")) as [
          { readonly epoch: string },
        ];
        const second = await worker(url, 100);
        const client = await Client.open({ store: postgresStore(url), sagas: [saga] });
        const starts = Array.from({ length: 200 }, (_, id) => client.start(saga, { id }));
        const ended = Promise.all(starts.map(async (start) => (await start).result()));
        const owned = `SELECT 1 FROM steno.runs WHERE owner = ${epoch}`;
        while ((await ask(owned)).length < 20) await sleep(2);
        await sleep(250);
        // Bodies of its runs are at work at every moment, for 100 ms each: these it waits for.
        const asked = performance.now();
        first.kill("SIGTERM");
        const had = (await ask(owned)).length;
        if (had < 20)
          throw new Error(`the first coordinator has ${had} runs: nothing to hand over`);
        while ((await ask(owned)).length > 0) await sleep(2);
        const value = performance.now() - asked;
        await ended;
        await client.close();
        await end(second);
        const ratio = value / HANDOVER_MS;
        return { value, unit: "ms", limit: HANDOVER_MS, ratio, target: "<= 1", ok: ratio <= 1 };
      }),
  },
  {
    name: "fleet-prune",
    run: () =>
      onPostgres(async ({ url, ask }) => {
        // As often for these few runs as it looks by itself for those of a minute.
        await ask("ALTER SYSTEM SET autovacuum_naptime = '1s'");
        await ask("SELECT pg_reload_conf()");
        const saga = chain(LENGTH);
        const store = postgresStore(url);
        const coordinator = await Coordinator.open({ store, sagas: [saga.on(new Work())] });
        const size = async (): Promise<number> => {
          const [row] = (await ask(
            "SELECT pg_total_relation_size('steno.events') + pg_total_relation_size('steno.runs') AS n",
          )) as [{ readonly n: string }];
          return Number(row.n) / 1e6;
        };
        const sizes: number[] = [];
        for (let cycle = 0; cycle < PRUNES; cycle++) {
          await runAll(coordinator, saga);
          sizes.push(await size());
          await coordinator.prune({ keep: 0 });
          await sleep(500);
        }
        await coordinator.close();
        const limit = sizes[0] as number;
        const value = Math.max(...sizes);
        const ratio = value / limit;
        return { value, unit: "MB", limit, ratio, target: "<= 3", ok: ratio <= 3 };
      }),
  },
];

function atLeast(value: number, limit: number): Measured {
  const ratio = value / limit;
  const ok = value >= TARGET || ratio >= RATIO;
  return { value, unit: "1/s", limit, ratio, target: `>= ${TARGET}/s or ${RATIO}`, ok };
}

async function runAll(on: Client | Coordinator, saga: WorkSaga): Promise<void> {
  const starts = Array.from({ length: RUNS }, (_, id) => on.start(saga, { id }));
  await Promise.all(starts.map(async (start) => (await start).result()));
}

interface OnPostgres {
  readonly url: string;
  /** Milliseconds that a commit of one row takes. */
  readonly bare: (count: number) => Promise<number>;
  readonly ask: (text: string) => Promise<readonly unknown[]>;
}

async function onPostgres<T>(measure: (on: OnPostgres) => Promise<T>): Promise<T> {
  const server = await startPostgres({ fsync: true });
  const client = new pg.Client(server.url("postgres"));
  await client.connect();
  await client.query("CREATE TABLE bare (n integer)");
  const bare = async (count: number): Promise<number> => {
    const took = await time(async () => {
      for (let n = 0; n < count; n++) {
        await client.query({ name: "bare", text: "INSERT INTO bare VALUES ($1)", values: [n] });
      }
    });
    return took / count;
  };
  try {
    const ask = async (text: string): Promise<readonly unknown[]> =>
      (await client.query<Record<string, unknown>>(text)).rows;
    return await measure({ url: server.url("postgres"), bare, ask });
  } finally {
    await client.end();
    await server.stop();
  }
}

const WORKER = fileURLToPath(new URL("./fleet-worker.ts", import.meta.url));
const TSCONFIG = fileURLToPath(new URL("./tsconfig.json", import.meta.url));

/** A coordinator in a process of its own. */
async function worker(url: string, bodyMs = 0): Promise<ChildProcess> {
  const args = ["--import", "tsx", WORKER, url, `${LENGTH}`, `${LEASE_MS}`, `${bodyMs}`];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TSX_TSCONFIG_PATH: TSCONFIG },
  });
  await once(child.stdout!, "data");
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
