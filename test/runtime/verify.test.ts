/** `verifySaga()`: a right saga passes, each with a bug is found, and the scenario is named. */
import {
  type SagaNotVerifiedError,
  type VerifyReport,
  verifySaga,
  type VerifyOptions,
} from "steno-runtime/testing";
import { defineSaga } from "steno-runtime";
import { describe, expect, test } from "vitest";
import { NODE_FAULTS } from "../../runtime/testing/verify/faults.js";
import { bugs, buy, Shop, Stock } from "./shop.js";

type Options = VerifyOptions<Shop, { readonly order: string }, string, Stock>;

const options: Options = {
  world: () => new Stock(),
  instance: (stock) => new Shop(stock),
  params: { order: "7" },
  invariant: ({ outcome, world }) => {
    if (outcome === "undone") return world.things.size === 0;
    const parts = ["reservation", "payment", "label", "parcel"].map((kind) => world.count(kind));
    return parts.join() === "1,1,1,1" && world.count("gift") + world.count("apology") === 1;
  },
};

/** One scenario of each kind. */
const PARTS = [
  "good run",
  "token fails",
  "pay retries",
  "label half-fails",
  "pay fails + label fails",
  "pay fails + label slow",
  "ship fails + pay undo-retries",
  "try/gift fails + try/apologise fails",
  "try/gift fails + try/apologise unwound-after + try/apologise undo-repeats",
  "(process) dies-before-1",
  "(process) dies-after-1",
];

async function failureOf(given: Options): Promise<SagaNotVerifiedError> {
  return verifySaga(buy, given).then(
    (report) => {
      throw new Error(`it passed:\n${String(report)}`);
    },
    (error: SagaNotVerifiedError) => error,
  );
}

test("a saga without a bug passes, and the table has each node and fault", async () => {
  const report = await verifySaga(buy, options);
  expect(report.cut).toBe(false);
  expect(report.notReached).toEqual([]);
  expect(report.coverage.filter(({ state }) => state !== "passed")).toEqual([]);
  const names = report.scenarios.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const part of PARTS) expect(names).toContain(part);
  const header = String(report).split("\n")[1]?.split(/\s+/);
  expect(header).toEqual(
    ["node", ...Object.keys(NODE_FAULTS), "dies-before", "dies-after"].filter(
      (each) => each !== "undo-loses-answer",
    ),
  );
});

test("the same seed gives the same scenarios, with the same logs", async () => {
  const some = { ...options, maxScenarios: 40 };
  const [one, other] = await Promise.all([verifySaga(buy, some), verifySaga(buy, some)]);
  const nonce = /[0-9a-f]{18}(?=\.)/g;
  const text = (report: VerifyReport): string =>
    JSON.stringify(report.scenarios).replaceAll(nonce, "");
  expect(text(one)).toBe(text(other));
});

test("a snapshot alone finds what is left, and what is there twice", async () => {
  const { invariant: _, ...rest } = options;
  const snapshot = ({ things }: Stock): unknown => [...things].sort();
  await verifySaga(buy, { ...rest, snapshot });
  for (const [name, [Buggy, scenario]] of Object.entries(bugs)) {
    const error = await failureOf({
      ...rest,
      snapshot,
      instance: (s) => new Buggy(s),
      only: scenario,
    }).catch((e: Error) => e);
    // What a handler does is for the invariant.
    if (name !== "a catch handler undoes too much")
      expect(error, name).toMatchObject({ code: "saga-not-verified" });
  }
});

test("a cut is said, and what is excepted is not tried", async () => {
  const cut = await verifySaga(buy, { ...options, maxScenarios: 10 });
  expect(cut.scenarios).toHaveLength(10);
  expect(cut.cut).toBe(true);
  expect(String(cut)).toContain("CUT at `maxScenarios`");
  const [Buggy] = bugs["an action ignores its idempotency key"] as (typeof bugs)[string];
  const except = {
    "pay repeats": "r",
    "pay retries": "r",
    "pay loses-answer": "the bank finds it",
  };
  const died = await failureOf({ ...options, instance: (s) => new Buggy(s), except });
  const failed = died.report.scenarios.filter(({ problem }) => problem !== undefined);
  expect(failed.every(({ name }) => name.includes("(process)"))).toBe(true);
  expect(died.report.coverage).toContainEqual({
    ...{ node: "pay", fault: "pay loses-answer".slice(4), state: "excepted", scenarios: 0 },
    reason: "the bank finds it",
  });
});

test("an operator may settle, or leave it stuck", async () => {
  const settled: string[] = [];
  await verifySaga(buy, {
    ...options,
    only: "ship fails + pay undo-fails",
    onStuck: async ({ run, node, world }) => {
      for (const [id, kind] of world.things) if (kind === "payment") world.things.delete(id);
      settled.push(node);
      await run.settle(node, "by hand");
    },
  });
  expect(settled).toEqual(["pay"]);
  const outcomes: string[] = [];
  await verifySaga(buy, {
    ...options,
    only: "ship fails + pay undo-fails",
    onStuck: "leave",
    invariant: ({ outcome }) => void outcomes.push(outcome),
  });
  expect(outcomes).toEqual(["succeeded", "stuck"]);
});

test("a call that makes no sense is refused", async () => {
  const { invariant: _, ...nothing } = options;
  const refused: readonly [Options, RegExp][] = [
    [nothing, /give `invariant`/],
    [{ ...options, params: [] }, /empty list/],
    [{ ...options, only: "pay fials" }, /name of no scenario/],
    [{ ...options, maxScenarios: 0 }, /maxScenarios/],
  ];
  for (const [given, message] of refused) {
    await expect(verifySaga(buy, given)).rejects.toMatchObject({
      code: "verify-options",
      message: expect.stringMatching(message),
    });
  }
});

test("a saga whose good run does not hold is told so at once", async () => {
  const error = await failureOf({ ...options, invariant: () => false });
  expect(error.report.scenarios.map(({ name, problem }) => [name, problem])).toEqual([
    ["good run", "it has succeeded, and the invariant does not hold"],
  ]);
});

/** A saga that waits for an event, and has nothing else. */
const waiting = defineSaga<object, undefined, unknown>({
  manifest: {
    ...{ steno: 1, name: "Test.waiting", hash: "sha256-waiting" },
    nodes: [{ name: "answer", kind: "event", target: "answer", after: [], timeoutMs: 1000 }],
  },
  nodes: {},
  output: ({ answer }: { readonly answer: unknown }) => answer,
});

test("events are sent by the script, and time out where one is made to be lost", async () => {
  const given: unknown[] = [];
  const report = await verifySaga(waiting, {
    instance: () => ({}),
    params: undefined,
    events: { answer: () => 42 },
    invariant: ({ outcome, result, error }) => {
      given.push(outcome === "succeeded" ? result : (error as { code: string }).code);
    },
    maxScenarios: 2,
  });
  expect(given).toEqual([42, "saga-failed"]);
  expect(report.scenarios[1]?.name).toBe("answer fails");
  const { nodes, ...head } = waiting.manifest;
  const forever = defineSaga<object, undefined, unknown>({
    ...waiting.spec,
    manifest: { ...head, nodes: nodes.map((node) => ({ ...node, timeoutMs: undefined }) as never) },
  });
  const silent = verifySaga(forever, {
    instance: () => ({}),
    params: undefined,
    invariant: () => true,
  });
  await expect(silent).rejects.toThrow("the run waits for the event `answer`: give it in `events`");
});

describe.each(Object.keys(bugs))("%s", (name) => {
  const [Buggy, scenario] = bugs[name] as (typeof bugs)[string];
  const buggy: Options = { ...options, instance: (stock) => new Buggy(stock) };

  test("is found, and its scenario shows it alone", async () => {
    const error = await failureOf(buggy);
    const failed = error.report.scenarios.filter(({ problem }) => problem !== undefined);
    expect(failed.map((each) => each.name)).toContain(scenario);
    const alone = await failureOf({ ...buggy, only: scenario });
    expect(alone.report.scenarios.map((each) => each.name)).toEqual(["good run", scenario]);
    expect(alone.message).toContain(`only: ${JSON.stringify(scenario)}`);
  });
});
