/**
 * Kills Restate, and the process that serves sagas to it, in the middle: whatever dies, the run goes
 * on, and the trip is there whole and once, or gone. What is only cut off is not called again.
 */
import { build } from "esbuild";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type BoundSaga, defineSaga, type Run, type SagaDefinition } from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import { type Serving, serveSagas, stenoRestate } from "steno-restate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Agency, type Entry } from "../../examples/trip/agency.js";
import { startBookingServer } from "../../examples/trip/booking-server.js";
import { BookTrip, type TripParams } from "../../examples/trip/book-trip.js";
import { bookTrip } from "../../examples/trip/book-trip.saga.js";
import { action, type Script, scripted, scriptOf } from "../runtime/sagas.js";
import { type Proxy, proxyTo } from "./proxy.js";
import { freePorts, RestateServer } from "./server.js";
import type { Orders } from "./worker.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const good: TripParams = { card: "1", price: 9, hotel: "Grand", flight: "LH 1", car: "compact" };
const bad: TripParams = { ...good, car: "limousine" };
const whole = { payment: "+", hotel: "+", flight: "+", car: "+", summary: "+" };
const gone = { payment: "-", hotel: "-", flight: "-" };

/** A third of them has no car. */
const TRIPS = Number(process.env["RESTATE_TRIPS"] ?? 9);
/** Not so often that an action ends with its process three times, which pauses its run. */
const KILLS = 2;

let server: RestateServer;
let scratch: string;
let worker: string;
let names = 0;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "steno-restate-crash-"));
  // Below node_modules, so that the SDK is found from there.
  const outdir = join(root, "node_modules/.cache/steno-restate");
  mkdirSync(outdir, { recursive: true });
  worker = join(outdir, `worker-${process.pid}.mjs`);
  const [started] = await Promise.all([
    RestateServer.start(),
    build({
      entryPoints: [join(root, "test/restate/worker.ts")],
      outfile: worker,
      tsconfig: join(root, "tsconfig.json"),
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      external: ["libsql", "@restatedev/restate-sdk"],
    }),
  ]);
  server = started;
});
afterAll(async () => {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
  rmSync(worker, { force: true });
});

function tally(bookings: readonly Entry[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const { kind, status } of bookings) {
    result[kind] = (result[kind] ?? "") + (status === "booked" ? "+" : "-");
  }
  return result;
}

/** Something happens when so many bookings were made or cancelled, before the last is answered. */
async function bookings(change: number, happens: () => Promise<void>) {
  let changes = 0;
  const booked = await startBookingServer({
    file: join(mkdtempSync(join(scratch, "run-")), "bookings.json"),
    soldOut: ["limousine"],
    onChange: async () => {
      changes += 1;
      if (changes === change) await happens();
    },
  });
  return { booked, agency: new Agency(booked.url) };
}

async function startWorker(orders: Orders): Promise<ChildProcess> {
  const child = spawn(process.execPath, [worker, JSON.stringify(orders)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

test.each([
  ["is booked", good, 1, whole],
  ["is booked", good, 3, whole],
  ["is booked", good, 5, whole],
  ["is cancelled", bad, 2, gone],
  ["is cancelled", bad, 5, gone],
])(
  "a trip %s whole, once, though its process is killed: %j, change %i",
  async (_, params, change, tallied) => {
    const [port = 0] = await freePorts(1);
    const name = `trips${names++}`;
    let child: ChildProcess | undefined;
    const { booked, agency } = await bookings(change, () => kill(child as ChildProcess));
    const orders: Orders = { url: booked.url, port, name };
    try {
      child = await startWorker(orders);
      await server.register(port);
      const client = stenoRestate({ ingress: server.ingress, service: name });
      const run = await client.start(bookTrip, params, { id: "trip" });
      const ended = run.result().catch(() => undefined);
      await new Promise((resolve) => child?.once("exit", resolve));
      child = await startWorker(orders);
      await ended;
      expect(tally(await agency.list())).toEqual(tallied);
      const types: string[] = [];
      for await (const { type } of run.events()) types.push(type);
      expect(types).toContain("lost");
    } finally {
      child?.kill("SIGKILL");
      await booked.close();
    }
  },
);

test("many trips are whole or gone, though their process is killed again and again", async () => {
  const [port = 0] = await freePorts(1);
  const name = `trips${names++}`;
  const { booked, agency } = await bookings(0, () => Promise.resolve());
  const orders: Orders = { url: booked.url, port, name };
  let child = await startWorker(orders);
  try {
    await server.register(port);
    const client = stenoRestate({ ingress: server.ingress, service: name });
    const runs = await Promise.all(
      Array.from({ length: TRIPS }, (_, trip) =>
        client.start(bookTrip, trip % 3 === 0 ? bad : good),
      ),
    );
    let open = true;
    const outcomes = Promise.all(runs.map((run) => run.outcome())).finally(() => (open = false));
    for (let kills = 0; open && kills < KILLS; kills++) {
      await Promise.race([outcomes, sleep(300)]);
      await kill(child);
      child = await startWorker(orders);
    }
    const ended = (await outcomes).map(({ status }) => status);
    const expected = runs.map((_, trip) => (trip % 3 === 0 ? "undone" : "succeeded"));
    expect(ended).toEqual(expected);
    const all = tally(await agency.list());
    const [goods, bads] = [expected.filter((each) => each === "succeeded").length, TRIPS / 3];
    expect(all["summary"]).toBe("+".repeat(goods));
    for (const kind of ["payment", "hotel", "flight"]) {
      expect([kind, [...(all[kind] ?? "")].sort().join("")]).toEqual([
        ...[kind, "+".repeat(goods) + "-".repeat(bads)],
      ]);
    }
  } finally {
    child.kill("SIGKILL");
    await booked.close();
  }
});

test.each([
  ["is booked", good, 2, whole],
  ["is cancelled", bad, 4, gone],
])(
  "a trip %s though Restate is killed, and nothing is called twice: %j",
  async (_, params, change, tallied) => {
    const killed = { times: 0 };
    const { booked, agency } = await bookings(change, async () => {
      killed.times += 1;
      await server.kill();
      void server.up();
    });
    const name = `trips${names++}`;
    const serving = await serveSagas({
      ...{ sagas: [bookTrip.on(new BookTrip(agency))], name, port: 0 },
    });
    try {
      await server.register(serving.port);
      const client = stenoRestate({ ingress: server.ingress, service: name });
      const run = await client.start(bookTrip, params, { id: "trip" });
      await run.result().catch(() => undefined);
      expect(killed.times).toBe(1);
      expect(tally(await agency.list())).toEqual(tallied);
      for (const { path, attempts, undoAttempts } of (await run.status()).nodes) {
        expect([path, attempts <= (path === "car" ? 2 : 1), undoAttempts <= 1]).toEqual([
          ...[path, true, true],
        ]);
      }
    } finally {
      await serving.close();
      await booked.close();
    }
  },
);

/** An endpoint that can be left: Restate finds another one then, and what ran on the first is lost. */
class Endpoint {
  readonly #all: Serving[] = [];
  #proxy: Proxy | undefined;

  constructor(
    readonly name: string,
    readonly sagas: readonly BoundSaga[],
  ) {}

  async next(sagas = this.sagas, crashLimit = 3): Promise<void> {
    const serving = await serveSagas({ sagas, name: this.name, port: 0, crashLimit });
    this.#all.push(serving);
    this.#proxy?.cut(serving.port);
    if (this.#proxy !== undefined) return;
    this.#proxy = await proxyTo(serving.port);
    await server.register(this.#proxy.port);
  }

  cut(): void {
    this.#proxy?.cut();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((each) => each.close()));
    await this.#proxy?.close();
  }
}

/** Bodies that wait, in the order in which they were called. */
class Held {
  readonly calls: string[] = [];
  #waiting: (() => void)[] = [];

  script = scriptOf(
    (node) => this.#hold(node),
    (node) => this.#hold(`undo ${node}`),
  );

  async called(count: number): Promise<void> {
    while (this.calls.length < count) await sleep(5);
  }

  letGo(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  async #hold(what: string): Promise<string> {
    this.calls.push(what);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (what === "bad") throw new Error("bad fails");
    return what;
  }
}

async function attempts(run: Run): Promise<readonly string[]> {
  const { nodes } = await run.status();
  return nodes.map((node) => `${node.path} ${node.state} ${node.attempts}/${node.undoAttempts}`);
}

test("what ran elsewhere is in doubt and runs again; what was only cut off is waited for", async () => {
  const held = new Held();
  const saga = scripted([action("a"), action("b"), action("c", ["a", "b"])]);
  const endpoint = new Endpoint(`held${names++}`, [saga.on(held.script)]);
  await endpoint.next();
  const client = stenoRestate({ ingress: server.ingress, service: endpoint.name });
  const run = await client.start(saga, 1);
  await held.called(2);
  for (let cut = 0; cut < 3; cut++) {
    endpoint.cut();
    await sleep(100);
  }
  expect(held.calls.sort()).toEqual(["a", "b"]);
  await endpoint.next();
  await held.called(4);
  expect(held.calls.sort()).toEqual(["a", "a", "b", "b"]);
  held.letGo();
  await held.called(5);
  held.letGo();
  expect(await run.result()).toBe(1);
  expect(await attempts(run)).toEqual(["a done 2/0", "b done 2/0", "c done 1/0"]);
  await endpoint.close();
});

test("what was computed is the same wherever the run goes on, and is not computed again", async () => {
  const held = new Held();
  let computed = 0;
  const nodes: readonly Node[] = [
    { name: "x", kind: "compute", after: [] },
    action("a", ["x"]),
    { name: "y", kind: "compute", after: ["a"] },
    action("b", ["y"]),
  ];
  type Values = Readonly<Record<"x" | "y", number>>;
  const saga = defineSaga<Script, null, readonly number[]>({
    manifest: { steno: 1, name: "Computes", hash: "sha256-computes", nodes },
    nodes: {
      x: { compute: () => (computed += 1) + Math.random() },
      y: { compute: () => (computed += 1) + Math.random() },
      a: { inputs: ({ x }: Values) => [`a ${x}`] },
      b: { inputs: ({ x, y }: Values) => [`b ${x} ${y}`] },
    } as never,
    output: ({ x, y }: Values) => [x, y],
  });
  const endpoint = new Endpoint(`held${names++}`, [saga.on(held.script)]);
  await endpoint.next();
  const client = stenoRestate({ ingress: server.ingress, service: endpoint.name });
  const run = await client.start(saga, null);
  await held.called(1);
  await endpoint.next();
  await held.called(2);
  held.letGo();
  await held.called(3);
  await endpoint.next();
  await held.called(4);
  held.letGo();
  const [x, y] = await run.result();
  expect(held.calls).toEqual([`a ${x}`, `a ${x}`, `b ${x} ${y}`, `b ${x} ${y}`]);
  expect(computed).toBe(2);
  await endpoint.close();
});

test("another version may have other policies: what was decided is decided", async () => {
  const held = new Held();
  const policy = { delayMs: 1000, factor: 1, maxDelayMs: 1000, jitter: true };
  const version = (attempts: number): SagaDefinition<Script, null, unknown> => {
    const nodes = [action("bad", [], { retry: { ...policy, attempts } })];
    const { spec } = scripted(nodes);
    const manifest = { ...spec.manifest, hash: "sha256-policies" };
    return defineSaga({ ...spec, manifest });
  };
  const endpoint = new Endpoint(`held${names++}`, [version(2).on(held.script)]);
  await endpoint.next();
  const client = stenoRestate({ ingress: server.ingress, service: endpoint.name });
  const run = await client.start(version(2), null);
  await held.called(1);
  held.letGo();
  while (!(await attempts(run))[0]?.includes("waiting-to-retry")) await sleep(5);
  // Here the first failure would have been the last, and the second is not.
  await endpoint.next([version(1).on(held.script)]);
  await held.called(2);
  await endpoint.next([version(4).on(held.script)]);
  await held.called(3);
  held.letGo();
  await held.called(4);
  held.letGo();
  await held.called(5);
  held.letGo();
  expect(await run.result().catch((error: { readonly code: string }) => error.code)).toBe(
    "saga-failed",
  );
  // One of the five was lost with its process.
  expect(await attempts(run)).toEqual(["bad failed 5/0"]);
  await endpoint.close();
});

test("while it unwinds: what is undone whatever it did is not run again", async () => {
  const held = new Held();
  const nodes = [
    action("a"),
    action("started", ["a"], { undoWhen: "started" }),
    action("bad", ["a"]),
  ];
  const saga = scripted(nodes);
  const endpoint = new Endpoint(`held${names++}`, [saga.on(held.script)]);
  await endpoint.next();
  const client = stenoRestate({ ingress: server.ingress, service: endpoint.name });
  const run = await client.start(saga, 1);
  await held.called(1);
  held.letGo();
  await held.called(3);
  await run.unwind("enough");
  await endpoint.next();
  // `bad` runs again to a definite end; `started` is undone.
  await held.called(5);
  expect(held.calls.slice(3).sort()).toEqual(["bad", "undo started"]);
  held.letGo();
  await held.called(6);
  await endpoint.next();
  await held.called(7);
  held.letGo();
  expect(await run.result().catch((error: { readonly code: string }) => error.code)).toBe(
    "saga-failed",
  );
  expect(held.calls.slice(5)).toEqual(["undo a", "undo a"]);
  expect(await attempts(run)).toEqual(["a undone 1/2", "started undone 1/1", "bad failed 2/0"]);
  await endpoint.close();
});

test("a run that takes its process with it three times is paused", async () => {
  const held = new Held();
  const saga = scripted([action("a"), action("b", ["a"])]);
  const endpoint = new Endpoint(`held${names++}`, [saga.on(held.script)]);
  await endpoint.next();
  const client = stenoRestate({ ingress: server.ingress, service: endpoint.name });
  const run = await client.start(saga, 1);
  for (let crash = 1; crash <= 3; crash++) {
    await held.called(crash);
    await endpoint.next();
  }
  while ((await run.status()).reason !== "crash-loop") await sleep(20);
  expect(held.calls).toEqual(["a", "a", "a"]);
  // Another build may allow more: what was decided is decided.
  await endpoint.next([saga.on(held.script)], 10);
  await run.resume("mended");
  await held.called(4);
  held.letGo();
  await held.called(5);
  held.letGo();
  expect(await run.result()).toBe(1);
  await endpoint.close();
});
