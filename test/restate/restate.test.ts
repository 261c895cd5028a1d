/**
 * Sagas on a real Restate: what its handlers and the client are for. That runs go there as they do in
 * memory is in `test/hosts`, what is left when processes die in `crash.test.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  actionContext,
  type BoundSaga,
  defineSaga,
  type Run,
  type RunQuery,
  SagaFailedError,
  type SagaStuckError,
} from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import * as z from "steno-runtime/schema";
import { type Serving, serveSagas, stenoRestate, type StenoRestate } from "steno-restate";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Declined, type Parcel, Shop } from "../fixtures/saga/policies/input.js";
import { order } from "../fixtures/saga/policies/input.saga.js";
import { action, type Script, scripted, scriptOf } from "../runtime/sagas.js";
import { RestateServer } from "./server.js";

let server: RestateServer;
const serving: Serving[] = [];
let names = 0;

beforeAll(async () => {
  server = await RestateServer.start();
});
afterEach(async () => {
  await Promise.all(serving.splice(0).map((each) => each.close()));
});
afterAll(() => server.stop());

interface Hosted {
  readonly client: StenoRestate;
  readonly name: string;
  serve(sagas: readonly BoundSaga[]): Promise<Serving>;
}

/** A workflow of its own. */
function host(): Hosted {
  const name = `test${names++}`;
  return {
    name,
    client: stenoRestate({ ingress: server.ingress, service: name }),
    serve: async (sagas) => {
      const served = await serveSagas({ sagas, name, port: 0 });
      serving.push(served);
      await server.register(served.port);
      return served;
    },
  };
}

function where(service: string) {
  return { ingress: server.ingress, admin: server.admin, service };
}

function fail(): never {
  throw new Error("no");
}

async function hostOf(...sagas: readonly BoundSaga[]): Promise<Hosted> {
  const hosted = host();
  await hosted.serve(sagas);
  return hosted;
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: { readonly code?: string }) => error.code ?? String(error),
  );
}

async function states(run: Run): Promise<Record<string, string>> {
  const { nodes } = await run.status();
  return Object.fromEntries(nodes.map(({ path, state }) => [path, state]));
}

async function until(fits: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await fits())) await sleep(5);
}

test("the same id is the same run, and params are checked before anything is stored", async () => {
  const saga = scripted([action("a")]);
  const { client, name } = await hostOf(saga.on(scriptOf(() => 1)));
  const run = await client.start(saga, { n: 1 }, { id: "one / ü" });
  expect(await run.result()).toEqual({ n: 1 });
  const again = await client.start(saga, { n: 1 }, { id: "one / ü" });
  expect(await again.result()).toEqual({ n: 1 });
  expect(await codeOf(client.start(saga, { n: 2 }, { id: "one / ü" }))).toBe("run-exists");
  expect(await codeOf(client.start(saga, { n: () => 1 }))).toBe("params-invalid");
  expect(await codeOf(client.start(saga, {}, { id: "" }))).toBe("bad-id");
  expect(await client.run("nobody")).toBeUndefined();
  expect((await client.run("one / ü"))?.id).toBe("one / ü");
  const reader = stenoRestate({ ingress: server.ingress, service: name });
  const known = await reader.run("one / ü");
  expect((await known?.status())?.status).toBe("succeeded");
  expect(await known?.result()).toEqual({ n: 1 });
  expect(await codeOf(stenoRestate({ ingress: server.ingress, service: "no" }).run("x"))).toBe(
    "restate-service-missing",
  );
  const nowhere = stenoRestate({ ingress: "http://127.0.0.1:1", patienceMs: 10 });
  expect(await codeOf(nowhere.run("x"))).toBe("restate-unreachable");
});

class QuickShop extends Shop {
  readonly calls: string[] = [];
  declined: Declined | undefined = new Declined("limit", 12);

  override async reserve(item: string): Promise<Parcel> {
    this.calls.push(`reserve ${item}`);
    return { id: item };
  }
  override async release(parcel: Parcel | undefined): Promise<void> {
    this.calls.push(`release ${parcel?.id}`);
  }
  override async pay(card: string): Promise<string> {
    this.calls.push(`pay ${card}`);
    if (this.declined !== undefined && card === "first") throw this.declined;
    return `paid with ${card}`;
  }
  override async ship(parcel: Parcel): Promise<string> {
    return `track ${parcel.id}`;
  }
  override async thank(text: string): Promise<void> {
    this.calls.push(text);
    if (this.calls.filter((call) => call === text).length === 1) throw new Error("no stamps");
  }
}

test("declared errors are instances, a failure pauses, and events are delivered", async () => {
  const shop = new QuickShop();
  const { client } = await hostOf(order.on(shop));
  const params = { item: "hat", card: "first", spare: "second" };
  const run = await client.start(order, params);
  // Before anybody waits for it.
  await run.send("pickedUp", "by Ann");
  expect(await codeOf(run.send("pickedUp", 7))).toBe("payload-invalid");
  expect(await codeOf(run.send("dropped"))).toBe("no-such-event");
  const stuck = await run.result().catch((error: unknown) => error as SagaStuckError);
  expect(stuck).toMatchObject({ code: "saga-stuck", node: "thank" });
  // The command `steno` does nothing here.
  expect((stuck as Error).message).toMatch(
    /`run\.retry\("thank"\)`; or .*`run\.settle\("thank", reason\)`$/,
  );
  const notStuck = await run.retry("parcel").catch((error: unknown) => error as Error);
  expect((notStuck as Error).message).toMatch(/is not stuck: see `run\.status\(\)`$/);
  expect((await run.status()).reason).toBe("action-failed");
  expect(await codeOf(run.unwind())).toBe("pivot-passed");
  expect(await codeOf(run.settle("nothing" as never, "?"))).toBe("no-such-node");
  await run.retry("thank");
  expect(await run.result()).toBe("track hat");
  expect(await codeOf(run.send("pickedUp", "again"))).toBe("run-finished");
  expect(shop.calls).toEqual([
    "reserve hat",
    "pay first",
    "pay second",
    "paid with second",
    "paid with second",
  ]);
  shop.declined = new Declined("stolen", 0);
  const other = await client.start(order, params);
  const failed = await other.result().catch((error: unknown) => error as SagaFailedError);
  expect(failed).toBeInstanceOf(SagaFailedError);
  const { cause } = failed as SagaFailedError;
  expect(cause).toBeInstanceOf(Declined);
  expect(cause).toMatchObject({ reason: "stolen", missing: 0, message: "declined: stolen" });
  expect(shop.calls.at(-1)).toBe("release hat");
});

test("values keep their types, also those that operators and events bring", async () => {
  const nodes: readonly Node[] = [
    { name: "when", kind: "event", target: "when", after: [] },
    action("late", ["when"], { onFailure: "pause" }),
  ];
  const span = z.object({ from: z.date(), to: z.date() });
  type Span = Readonly<Record<"from" | "to", Date>>;
  const saga = defineSaga<Script, Span, Span>({
    manifest: { steno: 1, name: "Values", hash: "sha256-values", nodes },
    nodes: {
      late: { inputs: ({ when }: { readonly when: Span }) => [when.from.toISOString()] },
    } as never,
    output: ({ params, late }: { readonly params: Span; readonly late: Date }) => ({
      from: params.from,
      to: late,
    }),
    schemas: {
      params: span,
      result: span,
      values: { when: span },
      actions: { act: { inputs: z.tuple([z.string()]), output: z.date() } },
    },
  });
  const script = scriptOf((text) => Promise.reject(new Error(`${text} is over`)));
  const { client, name } = await hostOf(saga.on(script));
  const [from, to] = [new Date(1_000), new Date(2_000)];
  const run = await client.start(saga, { from, to }, { id: "r" });
  expect(await codeOf(run.send("when", { from, to: "later" }))).toBe("payload-invalid");
  await run.send("when", { from, to });
  const stuck = await run.result().catch((error: Error) => error);
  expect((stuck as Error).message).toContain(`${from.toISOString()} is over`);
  // Without the definition, values are what JSON makes of them: of a date, what is stored.
  const stranger = await stenoRestate({ ingress: server.ingress, service: name }).run("r");
  expect(await codeOf(stranger?.settle("late", "?", { output: 7 }) as never)).toBe(
    "output-invalid",
  );
  await run.settle("late", "it is known", { output: to });
  expect(await run.result()).toEqual({ from, to });
  expect(await run.outputs()).toEqual({ when: { from, to }, late: to });
  expect(await stranger?.result()).toEqual({ from: from.toISOString(), to: to.toISOString() });
});

test("an undo that fails makes the run stuck; it is retried, or settled", async () => {
  let mended = false;
  const undone: string[] = [];
  const script = scriptOf(
    (node) => {
      if (node === "c") throw new Error("c fails");
      return node;
    },
    (node, output) => {
      if (!mended) throw new Error(`undo ${node} fails`);
      undone.push(`${node} ${String(output)}`);
    },
  );
  const once = { attempts: 2, delayMs: 1, factor: 1, maxDelayMs: 1, jitter: false };
  const saga = scripted([
    action("a", [], { undoRetry: once }),
    action("b", ["a"], { undoRetry: once }),
    action("c", ["b"]),
  ]);
  const { client } = await hostOf(saga.on(script));
  const run = await client.start(saga, null, { id: "r" });
  const stuck = await run.result().catch((error: unknown) => error);
  expect(stuck).toMatchObject({ code: "saga-stuck", node: "b", sagaId: "r" });
  expect(await states(run)).toEqual({ a: "done", b: "undo-failed", c: "failed" });
  expect(await codeOf(run.retry("a"))).toBe("node-not-stuck");
  expect(await codeOf(run.settle("b", ""))).toBe("reason-missing");
  await run.settle("b", "by hand");
  expect(await codeOf(run.result())).toBe("saga-stuck");
  expect((await run.status()).holds).toContainEqual({
    ...{ reason: "undo-failed", node: "a", attempt: 2 },
  });
  mended = true;
  await run.retry("a");
  const failed = await run.result().catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: "saga-failed", node: "c" });
  expect(undone).toEqual(["a a"]);
});

test("a body that only listens for its signal is told, though that was known before it was called", async () => {
  const nodes: readonly Node[] = [
    action("note", [], { undo: "none" }),
    { name: "fails", kind: "compute", after: [] },
  ];
  const { spec } = scripted(nodes, "Told");
  const saga = defineSaga<Script, unknown, unknown>({
    ...spec,
    nodes: { ...spec.nodes, fails: { compute: fail } } as never,
  });
  const script = scriptOf(() => {
    const { signal } = actionContext();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("told")));
    });
  });
  const { client } = await hostOf(saga.on(script));
  const run = await client.start(saga, null);
  expect(await codeOf(run.result())).toBe("saga-failed");
});

test("a run is paused, stepped, stopped at breakpoints, and unwound", async () => {
  const calls: string[] = [];
  const script = scriptOf(
    (node) => void calls.push(node),
    (node) => void calls.push(`undo ${node}`),
  );
  const saga = scripted([action("a"), action("b", ["a"]), action("c", ["b"])]);
  const { client } = await hostOf(saga.on(script));
  const run = await client.start(saga, null, { paused: true });
  expect(await run.step()).toBe("a");
  await until(async () => (await states(run))["a"] === "done");
  expect(calls).toEqual(["a"]);
  expect((await run.status()).reason).toBe("paused");
  await run.setBreakpoint({ node: "c" });
  await run.resume("go on");
  await until(async () => (await run.status()).reason === "breakpoint");
  expect(calls).toEqual(["a", "b"]);
  expect(await codeOf(run.setBreakpoint({ node: "nothing" }))).toBe("no-such-node");
  await run.unwind("changed my mind");
  await run.resume();
  const failed = await run.result().catch((error: unknown) => error as Error);
  expect((failed as Error).message).toContain("changed my mind");
  expect(calls).toEqual(["a", "b", "undo b", "undo a"]);
  const log: string[] = [];
  for await (const { type } of run.events()) log.push(type);
  expect(log.slice(0, 5)).toEqual(["created", "paused", "stepped", "started", "succeeded"]);
  expect(log.at(-1)).toBe("undone");
});

test("who cancels the invocation in Restate has the run undone", async () => {
  const calls: string[] = [];
  const script = scriptOf(
    (node) => void calls.push(node),
    (node) => void calls.push(`undo ${node}`),
  );
  const wait: Node = { name: "go", kind: "event", target: "go", after: ["a"] };
  const saga = scripted([action("a"), wait, action("b", ["go"])]);
  const { client, name } = await hostOf(saga.on(script));
  const run = await client.start(saga, null, { id: "r" });
  await until(async () => (await states(run))["go"] === "waiting");
  const query = `select id from sys_invocation where target = '${name}/r/run'`;
  const found = await fetch(`${server.admin}/query`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query }),
  });
  const { rows } = (await found.json()) as { readonly rows: readonly { readonly id: string }[] };
  await fetch(`${server.admin}/invocations/${rows[0]?.id}/cancel`, { method: "PATCH" });
  const failed = await run.result().catch((error: unknown) => error as Error);
  expect((failed as Error).message).toContain("cancelled in Restate");
  expect(calls).toEqual(["a", "undo a"]);
});

test("runs start others, and wait for them", async () => {
  const child = scripted([action("a")], "Child");
  const nodes: readonly Node[] = [
    { name: "first", kind: "spawn", target: "Child", wait: true, after: [] },
    { name: "second", kind: "spawn", target: "Child", after: ["first"] },
    { name: "third", kind: "spawn", target: "Child", wait: true, after: ["second"] },
  ];
  const parent = defineSaga<Script, string, unknown>({
    manifest: { steno: 1, name: "Parent", hash: "sha256-parent", nodes },
    nodes: {
      first: { params: () => "one", id: () => "child-1" },
      second: { params: () => "two" },
      third: { params: () => "bad", id: ({ params }: { readonly params: string }) => params },
    } as never,
    output: ({ first, third }: { readonly first: string; readonly third: string }) => [
      first,
      third,
    ],
  });
  const script = scriptOf((node) => node);
  const { client } = await hostOf(parent.on(script), child.on(script));
  const run = await client.start(parent, "child-3", { id: "p" });
  expect(await run.result()).toEqual(["one", "bad"]);
  for (const id of ["child-1", "p.second", "child-3"]) {
    expect((await (await client.run(id))?.status())?.status).toBe("succeeded");
  }
  // The id of the third is that of a run with other params.
  const other = await client.start(parent, "child-1", { id: "q" });
  const failed = await other.result().catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: "saga-failed",
    node: "third",
    cause: { code: "run-exists" },
  });
});

test("a run without its definition waits until that is served", async () => {
  const saga = scripted([action("a")], "Late");
  const hosted = host();
  await hosted.serve([scripted([action("b")], "Early").on(scriptOf(() => 1))]);
  const { client } = hosted;
  const run = await client.start(saga, 5);
  const impatient = stenoRestate({
    ...{ ingress: server.ingress, service: hosted.name, patienceMs: 100 },
  });
  expect(await codeOf(impatient.run(run.id))).toBe("run-not-begun");
  const [early] = serving.splice(0);
  await early?.close();
  const again = await serveSagas({
    ...{ sagas: [saga.on(scriptOf(() => 1))], name: hosted.name, port: early?.port ?? 0 },
  });
  serving.push(again);
  expect(await run.result()).toBe(5);
});

test("what waits and what sleeps is there when Restate was killed, and an endpoint closes gently", async () => {
  const calls: string[] = [];
  const script = scriptOf((node) => void calls.push(node));
  const nodes: readonly Node[] = [
    action("a"),
    { name: "nap", kind: "sleep", after: ["a"] },
    { name: "go", kind: "event", target: "go", after: ["nap"] },
    action("b", ["go"]),
  ];
  const spec = scripted(nodes).spec;
  const saga = defineSaga<Script, unknown, unknown>({
    ...spec,
    nodes: { ...spec.nodes, nap: { duration: () => 1500 } },
  });
  const { client, name } = await hostOf(saga.on(script));
  const run = await client.start(saga, 1);
  const result = run.result();
  await until(async () => (await states(run))["nap"] === "waiting");
  await server.kill();
  // Nothing runs here: it begins nothing more.
  const [first] = serving.splice(0);
  await first?.close();
  await server.up();
  // At the same address: a run belongs to the deployment that began it.
  serving.push(await serveSagas({ sagas: [saga.on(script)], name, port: first?.port ?? 0 }));
  await run.send("go");
  expect(await result).toBe(1);
  expect(calls).toEqual(["a", "b"]);
  const types: string[] = [];
  for await (const { type } of run.events()) types.push(type);
  expect(types).not.toContain("lost");
});

test("what Restate has not is refused in words", async () => {
  const saga = scripted([action("a")]).on(scriptOf(() => 1));
  const client = stenoRestate({ ingress: server.ingress });
  expect(await codeOf(client.runs())).toBe("not-on-restate");
  for (const method of ["export", "prune", "events", "drain", "setBreakpoint"] as const) {
    expect(() => client[method]()).toThrow(/^`\w+` is not available on Restate: ./);
  }
  const within = { transaction: { query: () => Promise.reject(new Error("asked")) } };
  expect(await codeOf(client.start(saga as never, 1, within as never))).toBe("not-on-restate");
  await client.close();
  const limits = [{ atMost: 1 }];
  await expect(serveSagas({ sagas: [saga], limits } as never)).rejects.toMatchObject({
    code: "not-on-restate",
  });
  expect(() => stenoRestate({ store: 1 } as never)).toThrow("ingress");
});

test("runs are listed, a page at a time, also while nobody serves them", async () => {
  const { name, serve } = host();
  const client = stenoRestate({ ...where(name), patienceMs: 700 });
  const saga = scripted([action("a"), action("b", ["a"])]);
  const served = await serve([saga.on(scriptOf((node) => (node === "b" ? fail() : 1)))]);
  const ids = ["it's", "two / ü", "three"];
  for (const id of ids) await (await client.start(saga, 1, { id })).outcome();
  const held = await client.start(saga, 2, { id: "held", paused: true });
  await held.status();
  await served.close();
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.runs({ limit: 3, ...(cursor !== undefined && { cursor }) });
    listed.push(...page.runs.map(({ id, status, reason }) => `${id} ${status} ${reason}`));
    cursor = page.next;
  } while (cursor !== undefined);
  const undone = ids.map((id) => `${id} undone undefined`);
  expect(listed).toEqual([...undone, "held running paused"]);
  const idsOf = async (query: RunQuery): Promise<readonly string[]> =>
    (await client.runs(query)).runs.map(({ id }) => id);
  expect(await idsOf({ idPrefix: "it's" })).toEqual(["it's"]);
  expect(await idsOf({ status: ["running", "stuck"], reason: "paused" })).toEqual(["held"]);
  expect(await idsOf({ saga: "' OR true --" })).toEqual([]);
  expect(await idsOf({ createdBefore: 0 })).toEqual([]);
  expect(await idsOf({ saga: saga.manifest.name, createdFrom: 0.5 })).toHaveLength(4);
  expect(await codeOf(client.runs({ limit: 0 }))).toBe("bad-limit");
  expect(await codeOf(client.runs({ cursor: "x" }))).toBe("bad-cursor");
  const nowhere = stenoRestate({ ...where(name), admin: "http://127.0.0.1:1", patienceMs: 10 });
  expect(await codeOf(nowhere.runs())).toBe("restate-unreachable");
  // Of one run, those who serve it tell.
  expect(await codeOf(held.status())).toBe("restate-no-answer");
  const ended = held.result();
  await sleep(1000);
  // A run belongs to the address at which it began.
  serving.push(await serveSagas({ sagas: [saga.on(scriptOf(() => 1))], name, port: served.port }));
  const patient = await stenoRestate(where(name)).run("held");
  await patient?.resume();
  expect(await ended).toBe(2);
});

test("a port that is another's is told as such", async () => {
  const saga = scripted([action("a")]);
  const { port } = await serveSagas({ sagas: [saga.on(scriptOf(() => 1))], port: 0 }).then(
    (one) => {
      serving.push(one);
      return one;
    },
  );
  expect(await codeOf(serveSagas({ sagas: [saga.on(scriptOf(() => 1))], port }))).toBe(
    "cannot-serve",
  );
});
