/**
 * Runs of every shape on Restate, branches, lists, a scope, events, sleeps, parts and runs of their own, while
 * the process that serves them dies at random moments, in the middle of bodies and undos, and Restate itself is killed:
 * what is called, what is left and how each run ends is as `test/kills` has it for SQLite.
 * `RESTATE_SEEDS=20 npx vitest run test/restate/kills` goes on for longer.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoggedEvent, Run } from "steno-runtime";
import { stenoRestate, type StenoRestate } from "steno-restate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Seen, wrongInTheEnd, wrongWith } from "../kills/examine.js";
import { bundleProcess } from "../kills/bundle.js";
import { endOf, type Promised } from "../kills/kill-worker.js";
import { audit, count, order } from "../kills/orders.saga.js";
import { type Order, plan } from "../kills/plan.js";
import { linesOf } from "../kills/shop.js";
import type { Told } from "./orders-worker.js";
import { freePorts, RestateServer } from "./server.js";

const LONG = process.env["RESTATE_SEEDS"] !== undefined;
const SEEDS = Number(process.env["RESTATE_SEEDS"] ?? 1);
const FIRST_SEED = Number(process.env["RESTATE_SEED"] ?? 40);
/** Of so many moments of a process one is its last. */
const ONE_IN = LONG ? 25 : 60;
/** Restate is killed each time when so many have died. */
const SERVER_EACH = LONG ? 4 : 2;

let server: RestateServer;
let worker: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "steno-restate-kills-"));
  [server, worker] = await Promise.all([
    RestateServer.start(),
    bundleProcess("test/restate/orders-worker.ts", ["@restatedev/restate-sdk"]),
  ]);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  rmSync(worker, { force: true });
});

/** Processes one after the other, each of which dies soon, until it is told that it is enough. */
class Mortals {
  deaths = 0;
  readonly #told: Told;
  #child: ChildProcess | undefined;
  #stopped = false;
  readonly #all: Promise<void>;
  #restarting: Promise<void> = Promise.resolve();

  constructor(told: Told) {
    this.#told = told;
    this.#all = this.#go();
  }

  async #go(): Promise<void> {
    while (!this.#stopped) {
      const child = spawn(process.execPath, [worker, JSON.stringify(this.#told)]);
      this.#child = child;
      await new Promise((resolve) => child.once("exit", resolve));
      if (this.#stopped) return;
      this.deaths += 1;
      if (this.deaths % SERVER_EACH === 0) this.#restarting = this.#restart();
    }
  }

  async #restart(): Promise<void> {
    await server.kill();
    await server.up();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#child?.kill("SIGKILL");
    await this.#all;
    await this.#restarting;
  }
}

async function playOne(
  client: StenoRestate,
  { id, saga, params }: Order,
  promised: Promised[],
): Promise<Run> {
  const run: Run =
    saga === "order"
      ? await client.start(order, params, { id })
      : await client.start(audit, params, { id });
  promised.push({ what: "started", run: id });
  if (saga === "order") {
    await run.send("paid", "by card").then(
      () => promised.push({ what: "sent", run: id }),
      // It may have failed before.
      (error: { readonly code?: string }) => expect(error.code).toBe("run-finished"),
    );
  }
  promised.push({ what: "ended", run: id, end: await endOf(run) });
  return run;
}

async function seenOf(client: StenoRestate): Promise<Map<string, Seen>> {
  const found = new Map<string, Seen>();
  for (const { id } of (await client.runs({ limit: 1000 })).runs) {
    const run = (await client.run(id)) as Run;
    const { status, nodes } = await run.status();
    const events: LoggedEvent[] = [];
    for await (const event of run.events()) events.push(event);
    found.set(id, { row: { status } as Seen["row"], events, nodes });
  }
  return found;
}

const limit = { timeout: SEEDS * 240_000 };

test(
  "whatever dies at whatever moment, each run ends as it has to, and nothing is left behind",
  limit,
  async () => {
    const [port = 0] = await freePorts(1);
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const shop = join(folder, `shop-${seed}`);
      const name = `orders${seed}`;
      const where = { ingress: server.ingress, admin: server.admin, service: name };
      const client = stenoRestate({ ...where, sagas: [order, audit, count], patienceMs: 60_000 });
      const first = new Mortals({ shop, port, name, oneIn: 0 });
      // It serves as soon as it can.
      while (
        !(await server.register(port).then(
          () => true,
          () => sleep(50),
        ))
      )
        continue;
      await first.stop();
      const mortals = new Mortals({ shop, port, name, oneIn: ONE_IN });
      const promised: Promised[] = [];
      const orders = plan(seed);
      const ends = new Map<string, string>();
      try {
        await Promise.all(orders.map((each) => playOne(client, each, promised)));
        for (const line of promised) if (line.what === "ended") ends.set(line.run, line.end);
        // Nothing was told to a client that is not so for all who come.
        for (const { id } of orders)
          expect(await endOf((await client.run(id)) as Run)).toBe(ends.get(id));
      } finally {
        await mortals.stop();
      }
      const last = new Mortals({ shop, port, name, oneIn: 0 });
      try {
        const world = { seen: await seenOf(client), lines: linesOf(shop), promised };
        expect(
          [...wrongWith(world), ...wrongInTheEnd(world, orders, ends)],
          `seed ${seed}`,
        ).toEqual([]);
        expect(mortals.deaths, `seed ${seed}`).toBeGreaterThan(0);
      } finally {
        await last.stop();
      }
    }
  },
);
