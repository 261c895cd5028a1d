/**
 * Long values on Restate, which takes no message of more than 32 MB: how logs are kept so that none is longer,
 * and what a user sees of a value that is. `RESTATE_LONG=1` has a run of which all is longer than a message.
 */
import type { WorkflowSharedContext } from "@restatedev/restate-sdk";
import { defineSaga, type LoggedEvent, type SagaDefinition } from "steno-runtime";
import { type Serving, serveSagas, stenoRestate, type StenoRestate } from "steno-restate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LogWriter, readLog } from "../../restate/kept-log.js";
import { action, type Script, scripted, scriptOf } from "../runtime/sagas.js";
import { RestateServer } from "./server.js";

const LONG = process.env["RESTATE_LONG"] !== undefined;
const [OUTPUTS, LENGTH] = LONG ? [4, 11_000_000] : [2, 1_000_000];
const MESSAGE_BYTES = 32_000_000;

let server: RestateServer;
beforeAll(async () => {
  server = await RestateServer.start();
});
afterAll(() => server.stop());

/** State as Restate keeps it. */
function stateOf(events: readonly (readonly LoggedEvent[])[]) {
  const state = new Map<string, string>();
  const writer = new LogWriter((key, value) => state.set(key, JSON.stringify(value)));
  for (const some of events) writer.append(some);
  const ctx = {
    stateKeys: () => Promise.resolve([...state.keys()]),
    get: (key: string) => Promise.resolve(JSON.parse(state.get(key) ?? "null") as unknown),
  };
  return { state, ctx: ctx as unknown as WorkflowSharedContext };
}

async function allOf(ctx: WorkflowSharedContext, brief: boolean, limit?: number) {
  const events: LoggedEvent[] = [];
  for (let pages = 1; ; pages++) {
    const after = events.at(-1)?.seq ?? -1;
    const query = { after, brief, ...(limit !== undefined && { limit }) };
    let answer = await readLog(ctx, query, false);
    const isAll = answer?.all === true;
    if (isAll) answer = await readLog(ctx, query, true);
    const more = answer?.events ?? [];
    expect(Buffer.byteLength(JSON.stringify(more))).toBeLessThan(MESSAGE_BYTES);
    events.push(...more);
    if (answer?.more !== true && (limit === undefined || more.length < limit)) {
      return { events, pages, isAll };
    }
  }
}

function event(seq: number, type: string, length: number): LoggedEvent {
  const value =
    type === "started" ? JSON.stringify(["id", "x".repeat(length)]) : `"${"x".repeat(length)}"`;
  return { seq, at: seq, type, node: `n${seq}`, attempt: 1, value } as LoggedEvent;
}

test.each([
  ["short ones", 20, () => 10],
  ["many", 1200, () => 10],
  ["long ones", 6, () => 1_500_000],
  ["a long one among many", 900, (seq: number) => (seq === 400 ? 5_000_000 : 10)],
])("a log is read as it was written: %s", async (_, count, lengthOf) => {
  const events = Array.from({ length: count }, (__, seq) => {
    return event(seq, ["started", "succeeded", "failed"][seq % 3] as string, lengthOf(seq));
  });
  const written: LoggedEvent[][] = [];
  for (let seq = 0; seq < count; seq += 3) written.push(events.slice(seq, seq + 3));
  const { state, ctx } = stateOf(written);
  const longest = Math.max(...events.map((each) => JSON.stringify(each).length));
  expect(Math.max(...[...state.values()].map(({ length }) => length))).toBeLessThan(longest * 4);
  expect((await allOf(ctx, false)).events).toEqual(events);
  expect((await allOf(ctx, false, 7)).events).toEqual(events);
  const brief = await allOf(ctx, true);
  expect(brief.pages).toBe(1);
  expect(brief.events.map(({ seq, type }) => `${seq} ${type}`)).toEqual(
    events.map(({ seq, type }) => `${seq} ${type}`),
  );
  // Of what starts a run, the id of that run is left; of a failure, all.
  for (const [seq, each] of brief.events.entries()) {
    const { type, value } = each as { readonly type: string; readonly value?: string };
    if (type === "started") expect(JSON.parse(value ?? "")[0]).toBe("id");
    if (type === "failed") expect(each).toEqual(events[seq]);
  }
});

async function hosted(
  name: string,
  outputs: number,
  act: (node: string) => unknown,
): Promise<{
  readonly saga: SagaDefinition<Script, unknown, unknown>;
  readonly client: StenoRestate;
  readonly serving: Serving;
}> {
  const nodes = Array.from({ length: outputs }, (_, index) => {
    return action(`a${index}`, index === 0 ? [] : [`a${index - 1}`]);
  });
  const { spec } = scripted(nodes, name);
  const saga = defineSaga<Script, unknown, unknown>({ ...spec, output: () => "done" } as never);
  const serving = await serveSagas({ sagas: [saga.on(scriptOf(act))], name, port: 0 });
  await server.register(serving.port);
  const client = stenoRestate({ ingress: server.ingress, service: name, sagas: [saga] });
  return { saga, client, serving };
}

test("a run with long values goes on, and can be read", async () => {
  const long = "x".repeat(LENGTH);
  const { saga, client, serving } = await hosted("Long", OUTPUTS, () => long);
  const run = await client.start(saga, long.slice(0, LENGTH / 3));
  expect(await run.result()).toBe("done");
  const { nodes } = await run.status();
  expect(nodes.map(({ state }) => state)).toEqual(nodes.map(() => "done"));
  expect(Object.values(await run.outputs())).toEqual(nodes.map(() => long));
  let length = 0;
  for await (const each of run.events()) length += JSON.stringify(each).length;
  expect(length).toBeGreaterThan((OUTPUTS + 1 / 3) * LENGTH);
  await serving.close();
});

test("what is longer than Restate takes is refused in words, and tried no more", async () => {
  const long = "漢".repeat(10_500_000);
  const { saga, client, serving } = await hosted("TooLong", 1, () => long);
  await expect(client.start(saga, long)).rejects.toMatchObject({
    code: "params-invalid",
    message: expect.stringMatching(
      /is too long for Restate: it takes 32 MB .* at most 30 MB; keep/,
    ),
  });
  const run = await client.start(saga, 1);
  const stuck = await run.outcome();
  expect(stuck).toMatchObject({ status: "stuck", error: { node: "a0" } });
  expect((stuck as { readonly error: Error }).error.message).toMatch(
    /the output of `a0` is too long/,
  );
  await run.settle("a0", "it is known", { output: "short" });
  expect(await run.result()).toBe("done");
  await serving.close();
});
