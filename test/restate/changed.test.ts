/**
 * Another build is served at the address at which runs began: those go on with the definitions that they
 * were started with, or wait for them and say so, and nothing is lost that was asked of them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  createEndpointHandler,
  handlers,
  workflow,
  type WorkflowContext,
} from "@restatedev/restate-sdk";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { type BoundSaga, defineSaga, type SagaDefinition } from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import { type Serving, serveSagas, stenoRestate } from "steno-restate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { action, type Script, scripted, scriptOf } from "../runtime/sagas.js";
import { RestateServer } from "./server.js";

let server: RestateServer;
beforeAll(async () => {
  server = await RestateServer.start();
});
afterAll(() => server.stop());

let names = 0;

/** An address at which one build after the other is served. */
class Address {
  readonly name = `changed${names++}`;
  readonly warned: string[] = [];
  port = 0;
  #serving: Serving | undefined;

  async serve(sagas: readonly BoundSaga[], crashLimit = 3): Promise<void> {
    await this.#serving?.close();
    const warn = (message: string): void => void this.warned.push(message);
    const { name, port } = this;
    this.#serving = await serveSagas({ sagas, name, port, warn, crashLimit });
    this.port = this.#serving.port;
    await server.register(this.port);
  }

  client(...sagas: readonly SagaDefinition<Script, unknown, unknown>[]) {
    const { ingress, admin } = server;
    return stenoRestate({ ingress, admin, service: this.name, sagas });
  }

  async close(): Promise<void> {
    await this.#serving?.close();
  }
}

const go: Node = { name: "go", kind: "event", target: "go", after: ["a"] };
const older = scripted([action("a"), go, action("b", ["go"])], "Changed");
const newer = scripted([action("a"), go, action("b", ["go"]), action("c", ["b"])], "Changed");

function noted(calls: string[], as: string): Script {
  return scriptOf((node) => void calls.push(`${as} ${node}`));
}

async function until(fits: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await fits())) await sleep(20);
}

async function failureOf(promise: Promise<unknown>): Promise<Error & { readonly code: string }> {
  return promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error as never,
  );
}

test("a run in the middle waits for its definition, says so, and goes on with it", async () => {
  const address = new Address();
  const calls: string[] = [];
  await address.serve([older.on(noted(calls, "older"))]);
  const client = address.client(newer);
  const begun = await address.client().start(older, 1, { id: "r" });
  await until(async () => (await begun.status()).reason === "waiting-event");
  await address.serve([newer.on(noted(calls, "newer"))]);
  const run = await client.run("r");
  const { status, reason, holds, nodes } = (await run?.status()) ?? {};
  expect([status, reason]).toEqual(["running", "definition-missing"]);
  expect(nodes?.map(({ path, state }) => `${path} ${state}`)).toEqual([
    ...["a done", "go waiting", "b blocked"],
  ]);
  const [hold] = holds as readonly { readonly reason: string; readonly message: string }[];
  expect(hold?.reason).toBe("definition-missing");
  expect(hold?.message).toMatch(
    /^it was started with the definition sha256-\w+ of `Changed`, which/,
  );
  expect(hold?.message).toContain("what changed: `c` is new");
  // Refused, as by other hosts, and not done at some time.
  const refused = await failureOf(run?.send("go") ?? Promise.resolve());
  expect(refused.code).toBe("definition-missing");
  expect(refused.message).toMatch(/^run `r` was started with/);
  // New runs take what is served.
  const other = await client.start(newer, 1, { id: "s" });
  await other.send("go");
  expect(await other.result()).toBe(1);
  expect(calls).toEqual(["older a", "newer a", "newer b", "newer c"]);
  // Restate has tried it where it began.
  await until(() => address.warned.length > 0);
  expect(address.warned[0]).toMatch(/^run `r` was started with the definition/);
  const listed = await client.runs({ reason: "definition-missing" });
  expect(listed.runs.map(({ id }) => id)).toEqual(["r"]);
  await address.serve([newer.on(noted(calls, "new")), older.on(noted(calls, "old"))]);
  expect((await run?.status())?.reason).not.toBe("definition-missing");
  await run?.send("go");
  expect(await run?.result()).toBe(1);
  expect(calls.slice(4)).toEqual(["old b"]);
  expect((await client.runs({ reason: "definition-missing" })).runs).toEqual([]);
  await address.close();
});

test("a run that has not begun says so, too", async () => {
  const address = new Address();
  await address.serve([newer.on(noted([], ""))]);
  const { ingress, admin } = server;
  const where = { ingress, admin, service: address.name };
  const run = await stenoRestate(where).start(older, 1, { id: "late" });
  const impatient = stenoRestate({ ...where, patienceMs: 300 });
  const { code, message } = await failureOf(impatient.run(run.id));
  expect([code, message]).toEqual([
    "definition-missing",
    expect.stringContaining("has not begun: its definition is not in `sagas`"),
  ]);
  await address.close();
});

test("what a run has started stays the run that it is, whatever is the newest definition", async () => {
  const address = new Address();
  const child = (version: number): SagaDefinition<Script, null, number> =>
    defineSaga({
      manifest: {
        ...{ steno: 1, name: "Child", hash: `sha256-child-${version}` },
        nodes: [{ ...go, after: [] }, action("b", ["go"])],
      },
      nodes: { b: { inputs: () => ["b"] } } as never,
      output: () => version,
    });
  const parent = defineSaga<Script, null, number>({
    manifest: {
      ...{ steno: 1, name: "Parent", hash: "sha256-parent" },
      nodes: [{ name: "it", kind: "spawn", target: "Child", wait: true, after: [] }],
    },
    nodes: { it: { params: () => null, id: () => "child" } } as never,
    output: ({ it }: { readonly it: number }) => it,
  });
  const script = noted([], "");
  await address.serve([parent.on(script), child(1).on(script)]);
  const client = address.client();
  const run = await client.start(parent, null, { id: "p" });
  await until(async () => (await run.status()).reason === "waiting-run");
  await address.serve([parent.on(script), child(2).on(script), child(1).on(script)]);
  await (await client.run("child"))?.send("go");
  expect(await run.result()).toBe(1);
  await address.close();
});

/** Serves a workflow that journals another beginning, as another version may. */
async function serveAnother(name: string): Promise<{ readonly port: number; end(): void }> {
  const other = workflow({
    name,
    handlers: {
      run: handlers.workflow.workflow(async (ctx: WorkflowContext) => {
        await ctx.run("begin", () => ({ at: 1, nonce: "n", journal: 0 }));
        return ctx.promise<null>("never").get();
      }),
    },
  });
  const quiet = { services: [other], logger: (): void => {} };
  const server = createServer(createEndpointHandler(quiet));
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    end: () => {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

test("a run that another version of steno-restate has begun waits for that, and says so", async () => {
  const address = new Address();
  const another = await serveAnother(address.name);
  await server.register(another.port);
  const { hash, name: saga } = older.manifest;
  await fetch(`${server.ingress}/${address.name}/r/run/send`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ saga, hash, params: "1" }),
  });
  await sleep(200);
  another.end();
  address.port = another.port;
  await address.serve([older.on(noted([], ""))]);
  await until(() => address.warned.length > 0);
  expect(address.warned[0]).toMatch(
    /^run `r` was begun by another version of steno-restate: serve/,
  );
  await address.close();
});
