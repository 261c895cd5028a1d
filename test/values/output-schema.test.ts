/**
 * A user's own Standard Schema for the output of an action, by the fixture `output-schema` (zod and
 * valibot): what it makes of the output is recorded and comes back, and what it refuses is not stored.
 */
import { fileURLToPath } from "node:url";
import {
  Coordinator,
  defineSaga,
  memoryStore,
  type SagaDefinition,
  type SagaFailedError,
  type StandardSchema,
  type Store,
} from "steno-runtime";
import * as z from "steno-runtime/schema";
import { verifySaga } from "steno-runtime/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { validate } from "../../runtime/codec/standard-schema.js";
import { Project } from "../compiler/project.js";
import { Trip } from "../fixtures/saga/output-schema/input.js";
import { codeBlocks } from "../markdown.js";
import { trip } from "../fixtures/saga/output-schema/input.saga.js";

const AT = "2026-11-25T20:00:00.000Z";
const answers = (): Record<string, unknown> => ({
  quote: { amount: 120n, at: AT, legs: [{ from: "Oslo", seats: 3 }], more: 1 },
  book: { id: "h", nights: 2 },
  tag: "red",
  tell: "told",
});
const price = { amount: 120n, at: new Date(AT), note: "none", legs: [{ from: "Oslo" }] };

let given: unknown[];
let answer: Record<string, unknown>;
let coordinator: Coordinator;
beforeEach(() => {
  given = [];
  answer = answers();
});
afterEach(() => coordinator.close());

async function open(store: Store): Promise<Coordinator> {
  const call = (name: string, ...inputs: readonly unknown[]): unknown => {
    given.push([name, ...inputs]);
    return answer[name];
  };
  coordinator = await Coordinator.open({ store, sagas: [trip.on(new Trip({ call }))] });
  return coordinator;
}

async function failure(): Promise<SagaFailedError> {
  const run = await (await open(memoryStore())).start(trip, { name: "x" });
  return run.result().then(
    () => expect.fail("it succeeded"),
    (error: SagaFailedError) => error,
  );
}

test("what a schema makes of an output is what everybody is given, also after a restart", async () => {
  const store = memoryStore();
  const first = await open(store);
  const run = await first.start(trip, { name: "x" }, { id: "r" });
  const result = { price, nights: 2, tag: "RED" };
  expect(await run.result()).toStrictEqual(result);
  expect(given).toStrictEqual([
    ["quote", "x"],
    ["book", "Oslo", new Date(AT)],
    ["tag", "none"],
    ["tell"],
  ]);
  await first.close();
  const again = await (await open(store)).run("r");
  expect(await again?.result()).toStrictEqual(result);
  // A transform is not made twice: what is read is what it gave.
  expect(await again?.outputs()).toStrictEqual({
    price,
    hotel: { id: "h", nights: 2 },
    tag: "RED",
    tell: "TOLD",
  });
});

test("an undo is given what the schema gave", async () => {
  answer["tell"] = 7;
  const error = await failure();
  expect(error.cause).toMatchObject({ code: "value-invalid" });
  expect(given.at(-1)).toStrictEqual(["release", price]);
});

test("what a schema refuses is in doubt, with every issue and its path", async () => {
  const legs = [{ from: "Oslo" }, { from: 7 }];
  answer["quote"] = { amount: -1n, at: AT, legs };
  const { cause } = await failure();
  expect(cause).toMatchObject({ code: "value-invalid" });
  expect((cause as Error).message).toMatch(
    /^the output of `price`\.amount: Too small: .*; the output of `price`\.legs\[1\]\.from: Invalid input: .*: the action's own schema says so; mend what gives it, or the schema$/,
  );
});

test("an asynchronous schema is waited for", async () => {
  answer["book"] = { id: "h", nights: 31 };
  expect(((await failure()).cause as Error).message).toContain(
    "the output of `hotel`: nobody stays so long",
  );
});

test("an operator gives what is recorded, not what the schema takes", async () => {
  answer["quote"] = { amount: -1n };
  const run = await (await open(memoryStore())).start(trip, { name: "x" });
  await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck", node: "price" });
  const text = { ...price, at: AT } as never;
  await expect(run.settle("price", "by phone", { output: text })).rejects.toMatchObject({
    code: "output-invalid",
  });
  await run.settle("price", "by phone", { output: price });
  expect(await run.result()).toStrictEqual({ price, nights: 2, tag: "RED" });
});

test("verifySaga plays all that can go wrong with checked outputs", async () => {
  coordinator = await open(memoryStore());
  const report = await verifySaga(trip, {
    world: () => ({ held: 0 }),
    instance: (world) =>
      new Trip({
        call: (name) => {
          if (name === "quote") world.held = 1;
          if (name === "release") world.held = 0;
          return answers()[name];
        },
      }),
    params: { name: "x" },
    invariant: ({ outcome, world }) => outcome !== "undone" || world.held === 0,
  });
  expect(report.scenarios.length).toBeGreaterThan(20);
});

test("a schema that throws, or gives many issues, is told in one message", async () => {
  coordinator = await open(memoryStore());
  const schema = (run: StandardSchema["~standard"]["validate"]): StandardSchema => ({
    "~standard": { version: 1, vendor: "test", validate: run },
  });
  const broken = schema(() => {
    throw new TypeError("no net");
  });
  expect(() => validate(broken, 1, "it")).toThrow(
    "it could not be checked, since the action's own schema threw: no net",
  );
  const rejects = schema(() => Promise.reject(new TypeError("no net")));
  await expect(validate(rejects, 1, "it")).rejects.toMatchObject({ code: "value-invalid" });
  const issues = Array.from({ length: 7 }, (_, index) => ({
    message: "bad",
    path: ["list", { key: index }, "odd key"],
  }));
  const many = schema(() => ({ issues }));
  expect(() => validate(many, 1, "it")).toThrow(/it\.list\[4\]\["odd key"\]: bad; and 2 more: /);
});

test("the timeout of an action holds while its schema takes its time; a late answer is not heard", async () => {
  coordinator = await open(memoryStore());
  let answerLate: (result: { value: string }) => void = () => undefined;
  const slow: StandardSchema<string> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: () => new Promise((resolve) => (answerLate = resolve)),
    },
  };
  const node = { name: "a", kind: "action", action: "a", undo: "none", timeoutMs: 20, after: [] };
  const definition = defineSaga<{ a(): Promise<string> }, undefined, undefined>({
    manifest: { steno: 1, name: "Slow.a", hash: "sha256-slow", nodes: [node] } as never,
    nodes: { a: { inputs: () => [] } },
    schemas: {
      actions: { a: { inputs: z.tuple([]), output: z.string(), check: slow } },
    },
  });
  const other = await Coordinator.open({
    store: memoryStore(),
    sagas: [definition.on({ a: async () => "x" })],
  });
  const run = await other.start(definition, undefined);
  await expect(run.result()).rejects.toMatchObject({
    code: "saga-failed",
    cause: { code: "in-doubt" },
  });
  answerLate({ value: "late" });
  expect(await run.outputs()).toEqual({});
  await other.close();
});

test("the example of docs/VALUES.md, in a bundle", async () => {
  coordinator = await open(memoryStore());
  const [block] = codeBlocks(fileURLToPath(new URL("../../docs/VALUES.md", import.meta.url)));
  const project = new Project({ "desk.ts": block?.text ?? "" });
  const answered = { amount: 7, until: AT };
  const fetching = vi
    .spyOn(globalThis, "fetch")
    .mockImplementation(async () => Response.json(answered));
  try {
    expect(project.compile("--bundle", "out").stderr).toBe("");
    const { default: sagas, offer } = (await import(project.path("out/desk.js"))) as {
      readonly default: Parameters<typeof Coordinator.open>[0]["sagas"];
      readonly offer: SagaDefinition<object, { name: string }, Date>;
    };
    const other = await Coordinator.open({ store: memoryStore(), sagas });
    const run = await other.start(offer, { name: "x" });
    expect(await run.result()).toEqual(new Date(AT));
    answered.amount = -1;
    const refused = await other.start(offer, { name: "x" });
    await expect(refused.result()).rejects.toMatchObject({ cause: { code: "value-invalid" } });
    await other.close();
  } finally {
    fetching.mockRestore();
    project.remove();
  }
});
