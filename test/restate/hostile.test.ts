/**
 * Whoever reaches Restate's ingress can call the workflow with anything, and many can ask at once: what is
 * no request of ours is refused and not tried again, nothing of it comes into a run, and of commands that
 * meet each is done once or refused.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Node } from "steno-runtime/manifest";
import { type Serving, serveSagas, stenoRestate } from "steno-restate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { action, scripted, scriptOf } from "../runtime/sagas.js";
import { proxyTo } from "./proxy.js";
import { RestateServer } from "./server.js";

let server: RestateServer;
beforeAll(async () => {
  server = await RestateServer.start();
});
afterAll(() => server.stop());

async function post(path: string, body: string, type = "application/json") {
  const response = await fetch(`${server.ingress}/${path}`, {
    method: "POST",
    headers: { "content-type": type },
    body,
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, text: await response.text() };
}

interface Invocation {
  readonly target: string;
  readonly status: string;
  readonly last_failure?: string;
}

/** What of a workflow Restate has not ended. */
async function unfinished(service: string): Promise<readonly Invocation[]> {
  const query =
    "SELECT target, status, last_failure FROM sys_invocation WHERE " +
    `target_service_name = '${service}' AND status <> 'completed'`;
  const response = await fetch(`${server.admin}/query`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { readonly rows: readonly Invocation[] }).rows;
}

const wait: Node = { name: "go", kind: "event", target: "go", after: ["a"] };
const saga = scripted([action("a"), wait, action("b", ["go"])], "Hostile");
const { hash, name } = saga.manifest;

async function until(fits: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await fits())) await sleep(20);
}

function serve(service: string): Promise<Serving> {
  return serveSagas({ sagas: [saga.on(scriptOf((node) => node))], name: service, port: 0 });
}

const NONSENSE = ["null", "[]", '"x"', "5", "{}", "{", "", '{"__proto__":{"saga":"x"}}', "[[[]]]"];
const STARTS = [
  { saga: name, hash, params: "{" },
  { saga: name, hash, params: 5 },
  { saga: name, hash, params: "1", nonce: 7 },
  { saga: name, hash, params: "1", paused: "yes" },
  { saga: [name], hash, params: "1" },
];
const COMMANDS = [
  ...["null", "[]", "5", "{", "", '"x"', '{"node":5}', '{"node":"__proto__","reason":"x"}'],
  ...['{"injection":null}', '{"injection":{"node":"a","error":7}}', '{"event":"__proto__"}'],
  ...['{"event":"go","payload":{"$":"Date"}}', '{"node":"b","at":"sideways"}', '{"node":"a/b/c"}'],
];
const NAMES = [
  ...["send", "retry", "settle", "step", "break", "inject", "constructor", "__proto__", ""],
];

test("what is no request of ours is refused, and a run that is under way does not meet it", async () => {
  const service = "hostile";
  const serving = await serve(service);
  await server.register(serving.port);
  const client = stenoRestate({ ingress: server.ingress, service });
  const run = await client.start(saga, 1, { id: "r" });
  await until(async () => (await run.status()).reason === "waiting-event");
  const handlers = ["run", "row", "read", "readAll", "rest", "tell"];
  const asked: Promise<{ readonly status: number }>[] = [];
  for (const [place, body] of NONSENSE.entries()) {
    for (const handler of handlers) {
      // `{}` is a question for the row.
      if (handler === "row" && /^\{(\}|")/.test(body)) continue;
      asked.push(post(`${service}/${handler === "run" ? `bad${place}` : "r"}/${handler}`, body));
    }
  }
  for (const [place, start] of STARTS.entries()) {
    asked.push(post(`${service}/worse${place}/run`, JSON.stringify(start)));
  }
  asked.push(post(`${service}/${"x".repeat(300)}/run`, JSON.stringify({ saga: name, hash })));
  asked.push(post(`${service}/r/rest`, JSON.stringify({ nonce: "x", atMost: 1e300 })));
  asked.push(post(`${service}/r/read`, JSON.stringify({ after: 0.5 })));
  asked.push(post(`${service}/text/run`, "not JSON", "text/plain"));
  const answers = await Promise.all(asked);
  expect(
    answers.map(({ status }) => status).filter((status) => status < 400 || status > 499),
  ).toEqual([]);
  const told = NAMES.flatMap((command) =>
    COMMANDS.map((args) => post(`${service}/r/tell`, JSON.stringify({ command, args }))),
  );
  for (const { status, text } of await Promise.all(told)) {
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({})]);
  }
  // Nothing is tried again.
  const left = (await unfinished(service)).filter(({ target }) => target !== `${service}/r/run`);
  expect(left).toEqual([]);
  // It may have been told to stop somewhere, or to go on.
  const { status } = await run.status();
  expect(["running", "succeeded"]).toContain(status);
  await expect(client.run("bad0")).rejects.toMatchObject({
    code: "restate-refused",
    message: expect.stringMatching(/^run `bad0` has ended before it began: .* 400: .*stenoRestate/),
  });
  await expect(client.start(saga, 1, { id: "bad0" })).rejects.toMatchObject({
    code: "restate-refused",
  });
  if (status === "running") await run.send("go").catch(() => undefined);
  await run.resume().catch(() => undefined);
  expect(["succeeded", "undone", "stuck"]).toContain((await run.outcome()).status);
  await expect(run.send("go")).rejects.toMatchObject({ code: "run-finished" });
  await serving.close();
});

test("many who start, pause, unwind and send at once get a run that ends, through two endpoints", async () => {
  const service = "races";
  const [one, other] = await Promise.all([serve(service), serve(service)]);
  const proxy = await proxyTo(one.port);
  await server.register(proxy.port);
  const client = stenoRestate({ ingress: server.ingress, service });
  const cuts = [100, 250, 600].map((ms, place) =>
    setTimeout(() => proxy.cut(place % 2 === 0 ? other.port : one.port), ms),
  );
  const ends = await Promise.all(
    Array.from({ length: 6 }, async (_, place) => {
      const id = `r${place}`;
      const starts = await Promise.allSettled(
        Array.from({ length: 6 }, (__, turn) => client.start(saga, turn % 3 === 2 ? 2 : 1, { id })),
      );
      const codes = starts.flatMap((each) =>
        each.status === "rejected" ? [(each.reason as { readonly code: string }).code] : [],
      );
      expect(codes.every((code) => code === "run-exists")).toBe(true);
      expect([2, 4]).toContain(codes.length);
      const run = await client.run(id);
      if (run === undefined) throw new Error("it is not there");
      const told = await Promise.allSettled([
        ...[run.pause("x"), run.send("go", 1), run.resume("x"), run.send("go", 2)],
        ...[place % 2 === 0 ? run.unwind("x") : run.retry("a"), run.pause("y"), run.step()],
      ]);
      for (const each of told) {
        if (each.status === "fulfilled") continue;
        expect([
          ...["run-finished", "node-not-stuck", "run-not-paused", "nothing-to-step"],
        ]).toContain((each.reason as { readonly code: string }).code);
      }
      await run.resume().catch(() => undefined);
      return (await run.outcome()).status;
    }),
  );
  expect(ends.every((end) => end === "succeeded" || end === "undone")).toBe(true);
  cuts.forEach(clearTimeout);
  await Promise.all([one.close(), other.close(), proxy.close()]);
});
