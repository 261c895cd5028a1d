/**
 * What comes from outside and is malformed or malicious: manifests, requests, stored events, params.
 * Each ends in an error with a code, or does what it says; none ends the process, or changes objects
 * that it does not own.
 */
import fc from "fast-check";
import { join } from "node:path";
import { Coordinator, defineSaga, memoryStore, sqliteStore, StenoError } from "steno-runtime";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { makePlan } from "../../runtime/machine/plan.js";
import { parseManifest } from "../../runtime/manifest.js";
import { loadDriver, type SqlValue } from "../../runtime/stores/sqlite-driver.js";
import { randomGraph } from "../machine/random-graph.js";
import { stream } from "../simulate/random.js";
import { temporaryFolder } from "../stores/sample.js";
import { action, scripted, scriptOf } from "./sagas.js";
import { keptLog, until } from "./watched-store.js";

/** Texts that mean something to a language, a shell, a path or a database. */
const nasty = fc.constantFrom(
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "",
    " ",
    "../../etc/passwd",
    "\0",
    "a/b",
  ],
  ...["'; DROP TABLE runs; --", "${process.exit(1)}", "$(touch /tmp/x)", "\ud800", "n0", "a[0]/b"],
  ...["x".repeat(10_000), "-", "--store", "null", "%s%n", "node:child_process"],
);
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    nasty,
    fc.constantFrom(null, true, false, 0, -1, 1e308, -0, 2 ** 53, 0.5),
    fc.string(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(
        fc.tuple(fc.oneof(nasty, fc.constantFrom("node", "event", "name", "kind")), tie("value")),
        { maxLength: 4 },
      )
      // Not through an object literal, in which `__proto__` would be no property.
      .map(
        (entries) =>
          JSON.parse(
            `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value ?? null)}`).join(",")}}`,
          ) as unknown,
      ),
  ),
})).value;

const untouched = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
afterEach(() => {
  expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(untouched);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

/** Puts something in the place of one value of some JSON. */
function replaced(json: unknown, place: number, by: unknown): unknown {
  let left = place;
  const visit = (value: unknown): unknown => {
    if (left-- === 0) return by;
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item)]));
  };
  return visit(json);
}

test("a manifest that is not one is refused with a code; one that is taken can be planned", () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(), fc.nat(120), anything, (seed, place, by) => {
      const graph = randomGraph(stream(seed, "manifest"));
      const whole = JSON.parse(
        JSON.stringify({ steno: 1, name: "A.b", hash: "sha256-x", ...graph }),
      ) as unknown;
      try {
        makePlan(parseManifest(replaced(whole, place, by)));
      } catch (error) {
        if (!(error instanceof StenoError) || !error.code.startsWith("manifest-")) throw error;
        refused += 1;
      }
    }),
    { numRuns: 400 },
  );
  expect(refused).toBeGreaterThan(50);
});

/** An action in so many subsagas, and how it is fed. */
function nested(depth: number): ReturnType<typeof scripted> {
  let { manifest, ...bindings } = scripted([action("x")]).spec;
  for (let level = 0; level < depth; level++) {
    const { nodes } = manifest;
    const holds = {
      name: "s",
      kind: "subsaga",
      saga: "In.it",
      after: [],
      graph: { nodes },
    } as const;
    manifest = { ...manifest, nodes: [holds] };
    bindings = { nodes: { s: { inputs: () => [1], graph: bindings } }, output: () => 1 } as never;
  }
  return defineSaga({ manifest, ...bindings }) as ReturnType<typeof scripted>;
}

test("graphs in one another, as deep as may be, run; deeper ones are refused, and end no coordinator", async () => {
  for (const depth of [501, 20_000]) {
    const { manifest } = nested(depth).spec;
    expect(() => parseManifest(manifest)).toThrow(/`s\/s\/.*…` holds graphs in one another/);
  }
  const deepest = nested(500);
  const fails = scriptOf(() => Promise.reject(new Error("deep")));
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [deepest.on(fails)],
    logger: keptLog(),
  });
  onTestFinished(() => coordinator.close());
  const run = await coordinator.start(deepest, 1);
  await expect(run.result()).rejects.toMatchObject({ code: "saga-failed" });
  expect((await run.status()).status).toBe("undone");
});

const event = { name: "e", kind: "event", target: "go", after: ["a"] } as const;
const saga = scripted([action("a"), event, action("b", ["e"])]);

test("requests of any content are answered, and none with an error of ours", async () => {
  const store = memoryStore();
  const reader = await store.reader();
  const coordinator = await Coordinator.open({
    store,
    sagas: [saga.on(scriptOf((node) => node))],
    logger: keptLog(),
  });
  onTestFinished(() => coordinator.close());
  await coordinator.start(saga, 1, { id: "r" });
  const commands = [
    "pause",
    "resume",
    "step",
    "break",
    "send",
    "inject",
    "retry",
    "settle",
    "prune",
    "drain",
  ];
  const command = fc.oneof(fc.constantFrom(...commands), nasty);
  const args = fc.oneof(
    anything.map((value) => JSON.stringify(value)),
    fc
      .record(
        {
          node: fc.oneof(nasty, fc.constantFrom("a", "e", "b")),
          event: nasty,
          payload: anything,
          output: anything,
          injection: anything,
          reason: nasty,
          at: nasty,
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
    fc.string(),
  );
  const asked: { readonly id: number; readonly what: string }[] = [];
  for (const [name, run, text] of fc.sample(
    fc.tuple(command, fc.constantFrom("r", undefined, "no", "__proto__"), args),
    400,
  )) {
    asked.push({ id: await reader.request(name, run, text), what: `${name} ${run} ${text}` });
  }
  for (const { id, what } of asked) {
    await until(() => reader.answer(id));
    const answer = await reader.answer(id);
    if (answer?.ok === false) expect([what, answer.code, answer.message]).not.toContain("internal");
  }
  // It is as well as before.
  await reader.request("drain", undefined, '{"clear":true}');
  const last = await reader.request("resume", "r", "{}");
  await until(() => reader.answer(last));
  expect((await coordinator.start(saga, 1, { id: "other" })).id).toBe("other");
});

/** Types that some event has, which these may not have where they are. */
const TYPES = [
  ...["created", "recovered", "paused", "resumed", "stepped", "unwind-requested", "started"],
  ...["succeeded", "attempt-failed", "failed", "failure-held", "in-doubt", "lost", "undo-started"],
  ...["undone", "undo-attempt-failed", "undo-failed", "retry-requested", "undo-settled", "spawned"],
  ...["output-settled", "decided", "skipped", "expanded", "timer-set", "timer-fired", "injected"],
  ...["event-received", "breakpoint-set", "breakpoint-cleared"],
];

test("stored events of any content stop no other run, and are told as what they are", async () => {
  const path = join(temporaryFolder(), "a.db");
  const columns = ["seq", "at", "type", "node", "attempt", "value", "due_at"];
  const cases = fc.sample(
    fc.tuple(
      fc.nat(4),
      fc.constantFrom(...columns),
      fc.oneof(
        nasty,
        fc.integer(),
        fc.constant(null),
        fc.constantFrom(...TYPES, "a", "b", "e"),
        anything.map((value) => JSON.stringify(value)),
      ),
    ),
    Number(process.env["HOSTILE_ROWS"] ?? 60),
  );
  const first = await Coordinator.open({
    store: sqliteStore(path),
    sagas: [saga.on(scriptOf((node) => node))],
    logger: keptLog(),
  });
  for (const place of cases.keys()) await first.start(saga, place, { id: `r${place}` });
  await first.start(saga, "good", { id: "good" });
  await until(async () => (await (await first.run("good"))?.status())?.reason === "waiting-event");
  await first.close();
  const file = loadDriver()(path);
  for (const [place, [seq, column, value]] of cases.entries()) {
    try {
      file
        .prepare(
          // Without its checksum, as an earlier version wrote it: else that alone would tell.
          `UPDATE events SET ${column} = ?, sum = NULL WHERE seq = ? AND run = (SELECT key FROM runs WHERE id = ?)`,
        )
        .run(value as SqlValue, seq, `r${place}`);
    } catch {
      // The schema allows no such value there.
    }
  }
  file.close();
  const second = await Coordinator.open({
    store: sqliteStore(path),
    sagas: [saga.on(scriptOf((node) => node))],
    logger: keptLog(),
  });
  onTestFinished(() => second.close());
  let damaged = 0;
  for (const place of cases.keys()) {
    const run = await second.run(`r${place}`);
    try {
      await run?.send("go");
      expect(await run?.result()).toBe(place);
    } catch (error) {
      expect(error).toBeInstanceOf(StenoError);
      expect((error as StenoError).code).not.toBe("internal");
      damaged += 1;
    }
  }
  expect(damaged).toBeGreaterThan(5);
  const good = await second.run("good");
  await good?.send("go");
  expect(await good?.result()).toBe("good");
});

test("params of any content are stored and given back as they were, or refused with a code", async () => {
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [saga.on(scriptOf((node) => node))],
    logger: keptLog(),
  });
  onTestFinished(() => coordinator.close());
  await fc.assert(
    fc.asyncProperty(anything, nasty, async (params, id) => {
      try {
        const run = await coordinator.start(saga, params, { id });
        await run.send("go");
        expect(JSON.stringify(await run.result())).toBe(JSON.stringify(params));
      } catch (error) {
        if (!(error instanceof StenoError) || error.code === "internal") throw error;
      }
    }),
    { numRuns: 100 },
  );
});
