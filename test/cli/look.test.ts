/** The commands that look at a store or talk to its owner, run as processes, and their errors. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LoggedEvent } from "../../runtime/events.js";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import type { RequestAnswer, StoreOwner, StoreRequest } from "../../runtime/stores/store.js";
import { sampleRun } from "../stores/sample.js";
import { emptyFolder, steno, writeBundle } from "./steno.js";

const of = (node: string): { node: string; attempt: number } => ({ node, attempt: 1 });
const failure = JSON.stringify({ name: "SoldOut", message: "no\ncar \u001b[31mleft" });

/** A run that failed at `car`, beside `flight`, and is unwinding. */
const unwinding: readonly LoggedEvent[] = (
  [
    { type: "created", value: '{"card":"4711"}' },
    { ...of("payment"), type: "started", value: '["4711"]' },
    { ...of("payment"), type: "succeeded", value: '{"id":7}' },
    { ...of("flight"), type: "started", value: "[]" },
    { ...of("car"), type: "started", value: "[]" },
    { ...of("rooms"), type: "started", value: "[]" },
    { ...of("rooms/pick"), type: "started", value: "[]" },
    { ...of("rooms/pick"), type: "succeeded" },
    { ...of("car"), type: "failed", value: failure },
    { ...of("flight"), type: "succeeded" },
    { ...of("flight"), type: "undo-started" },
    { ...of("rooms/pick"), type: "undo-started" },
    { ...of("rooms/pick"), type: "undone" },
  ] as const
).map((event, seq) => ({ ...event, seq, at: 1000 + seq }));

async function storeWithRuns(folder: string): Promise<StoreOwner> {
  const owner = await sqliteStore(join(folder, "a.db")).open();
  onTestFinished(() => owner.close());
  const action = (name: string, after: string[]): object => ({
    ...{ name, kind: "action", action: `do-${name}`, undo: `undo-${name}`, after },
  });
  await owner.commit([
    {
      kind: "define",
      manifest: {
        ...{ steno: 1, name: "BookTrip.bookTrip", hash: "sha256-1" },
        nodes: [
          action("payment", []),
          action("flight", ["payment"]),
          action("car", ["payment"]),
          {
            ...{ name: "rooms", kind: "subsaga", saga: "Rooms.all", after: ["payment"] },
            graph: { nodes: [action("pick", []), action("hold", ["pick"])] },
          },
          action("receipt", ["flight", "car", "rooms"]),
        ],
      } as never,
    },
    { kind: "create", run: sampleRun("trip-1", { status: "succeeded", output: '{"a":1}' }) },
    { kind: "create", run: sampleRun("trip-2", { status: "unwinding" }) },
    { kind: "create", run: sampleRun("other", { saga: "Other.saga", reason: "paused" }) },
    { kind: "append", run: "trip-2", events: unwinding },
  ]);
  return owner;
}

test("`list` lists, filters and pages", async () => {
  const folder = emptyFolder();
  await storeWithRuns(folder);
  const listed = await steno(folder, ["list", "--store", "a.db"]);
  expect(listed).toMatchObject({ status: 0, stderr: "" });
  const lines = listed.stdout.trimEnd().split("\n");
  expect(lines.map((line) => line.split(/\s{2,}/).slice(0, 3))).toEqual([
    ["trip-1", "succeeded", "BookTrip.bookTrip"],
    ["trip-2", "unwinding", "BookTrip.bookTrip"],
    ["other", "running", "Other.saga"],
  ]);
  expect(lines[2]).toMatch(/paused$/);

  const ids = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await steno(folder, ["list", "--store", "a.db", "--json", ...args]);
    return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
  };
  expect(await ids("--saga", "Other.saga")).toEqual(["other"]);
  expect(await ids("--status", "running", "succeeded")).toEqual(["trip-1", "other"]);
  expect(await ids("--after", "trip-1", "--limit", "1")).toEqual(["trip-2"]);
  expect(await ids("--reason", "paused")).toEqual(["other"]);
  expect(await ids("--id-prefix", "trip-", "--status", "unwinding")).toEqual(["trip-2"]);
  expect(await ids("--created-after", "2090-01-01")).toEqual([]);
  expect(await ids("--created-before", "2090-01-01")).toHaveLength(3);
  const first = await steno(folder, ["list", "--store", "a.db", "--limit", "1"]);
  const [, cursor = ""] = /--cursor (\S+)/.exec(first.stderr) ?? [];
  expect(await ids("--cursor", cursor)).toEqual(["trip-2", "other"]);
  const wrong = await steno(folder, ["list", "--store", "a.db", "--cursor", "trip-1"]);
  expect(wrong.stderr).toMatch(/^error\[bad-cursor\]/);
});

test("`show` prints steno's indented tree", async () => {
  const folder = emptyFolder();
  await storeWithRuns(folder);
  const { status, stdout, stderr } = await steno(folder, ["show", "trip-2", "--store", "a.db"]);
  expect(status).toBe(0);
  expect(stderr).toBe("");
  expect(stdout).toBe(`BookTrip.bookTrip: unwinding
+ saga execution: trip-2
+-- done: do-payment (produces "payment")
+-- (parallel actions):
        +-- undo-working: do-flight (produces "flight")
        +-- failed: do-car (produces "car")
        +-- undone: (subsaga start: "Rooms.all")
                +-- undone: do-pick (produces "pick")
                +-- abandoned: do-hold (produces "hold")
        +-- undone: (subsaga end) (produces "rooms")
+-- abandoned: do-receipt (produces "receipt")
`);
  const json = await steno(folder, ["show", "trip-2", "--store", "a.db", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    status: "unwinding",
    owned: true,
    nodes: [
      {},
      { name: "flight", state: "undo-working" },
      {},
      { nodes: [{ state: "undone" }, {}] },
      {},
    ],
  });
});

test("`show` says of an unfinished run that no coordinator is alive", async () => {
  const folder = emptyFolder();
  const owner = await storeWithRuns(folder);
  await owner.close();
  const { stderr } = await steno(folder, ["show", "trip-2", "--store", "a.db"]);
  expect(stderr).toMatch(/^no coordinator is alive: .*steno recover/);
});

test("`log` prints one line per event, whatever is in the values", async () => {
  const folder = emptyFolder();
  await storeWithRuns(folder);
  const { stdout } = await steno(folder, ["log", "trip-2", "--store", "a.db"]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(unwinding.length);
  expect(lines[8]).toMatch(/^8 .* failed +car +SoldOut: no car \uFFFD\[31mleft$/);
  const json = await steno(folder, ["log", "trip-2", "--store", "a.db", "--json"]);
  expect((JSON.parse(json.stdout) as unknown[])[2]).toMatchObject({ seq: 2, value: { id: 7 } });
});

test("colour is for terminals only", async () => {
  const folder = emptyFolder();
  await storeWithRuns(folder);
  const { stdout } = await steno(folder, ["show", "trip-2", "--store", "a.db"], {
    FORCE_COLOR: "",
  });
  expect(stdout).not.toContain("\u001b");
});

describe("commands to the owner", () => {
  /** Answers the next request, and gives what it was. */
  async function answerNext(owner: StoreOwner, answer: RequestAnswer): Promise<StoreRequest> {
    for (;;) {
      const [request] = await owner.requests();
      if (request === undefined) {
        await sleep(5);
        continue;
      }
      await owner.commit([{ kind: "answer", request: request.id, answer }]);
      return request;
    }
  }

  test("are requests, and end as they are answered", async () => {
    const folder = emptyFolder();
    const owner = await storeWithRuns(folder);
    const cases = [
      [["pause", "trip-2"], {}],
      [["resume", "trip-2"], {}],
      [["unwind", "trip-2", "--reason", "by phone"], { reason: "by phone" }],
      [["retry", "trip-2", "flight"], { node: "flight" }],
      [
        ["settle", "trip-2", "flight", "--reason", "by hand"],
        { node: "flight", reason: "by hand" },
      ],
    ] as const;
    for (const [args, expected] of cases) {
      const called = steno(folder, [...args, "--store", "a.db"]);
      const request = await answerNext(owner, { ok: true });
      expect(request).toMatchObject({ command: args[0], run: "trip-2" });
      expect(JSON.parse(request.args)).toEqual(expected);
      expect(await called).toMatchObject({ status: 0, stderr: "" });
    }
    const refused = steno(folder, ["pause", "trip-1", "--store", "a.db"]);
    await answerNext(owner, { ok: false, code: "run-finished", message: "it has ended" });
    expect(await refused).toMatchObject({
      status: 2,
      stderr: "error[run-finished]: it has ended\n",
    });
  });

  test("say so when there is no owner, or it ends", async () => {
    const folder = emptyFolder();
    const owner = await storeWithRuns(folder);
    const called = steno(folder, ["pause", "trip-2", "--store", "a.db"]);
    while ((await owner.requests()).length === 0) await sleep(5);
    await owner.close();
    expect((await called).stderr).toMatch(/^error\[coordinator-ended\]/);
    const late = await steno(folder, ["pause", "trip-2", "--store", "a.db"]);
    expect(late).toMatchObject({ status: 0, stdout: "" });
    expect(late.stderr).toMatch(
      /^pause: no coordinator is alive: .*steno recover <bundle> --store a\.db/,
    );
  });
});

test("what is wrong with a call is said in one line, with exit code 2", async () => {
  const folder = emptyFolder();
  await (await storeWithRuns(folder)).close();
  const bundle = writeBundle(folder);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return name;
  };
  const run = (...args: string[]): string[] => ["run", ...args, "--store", "new.db"];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["list", "--store", "none.db"], /^error\[store-missing\]/],
    [["show", "trip-1", "--store", "none.db"], /^error\[store-missing\]/],
    [["recover", bundle, "--store", "none.db"], /^error\[store-missing\]/],
    [["list", "--store", file("x.txt", "text ".repeat(300))], /^error\[store-not-a-database\]/],
    [["show", "nobody", "--store", "a.db"], /^error\[no-such-run\].*steno list/],
    [["log", "nobody", "--store", "a.db"], /^error\[no-such-run\]/],
    [["list"], /^error: required option '--store <store>'/],
    [["list", "--store", "a.db", "--limit", "x"], /whole number from 1/],
    [["list", "--store", "a.db", "--status", "odd"], /Allowed choices are running/],
    [["lst", "--store", "a.db"], /Did you mean list\?/],
    [run("none.js"), /^error\[bundle-missing\].*steno-compile --bundle/],
    [run("src/tenant.ts"), /^error\[bundle-is-source\].*is a source; .*steno-compile --bundle/],
    [run("."), /^error\[bundle-not-readable\]/],
    [
      run(bundle, "--params", '{"a": 1,\n "b": }'),
      /^error\[params-not-json\].*"}" is unexpected at line 2, column 7/,
    ],
    [run(bundle, "--params", "@none.json"), /^error\[params-not-readable\]/],
    // Has no end.
    [run(bundle, "--params", "@/dev/zero"), /^error\[params-too-long\].*64 MB/],
    [run(bundle, "Other.saga"), /^error\[saga-unknown\].*`Trip\.book`/],
    [run(file("no.js", "export const a = 1;")), /^error\[bundle-without-sagas\].*export default/],
    [run(file("odd.js", "export default [1];")), /^error\[bundle-without-sagas\].*item 0/],
    [
      run(file("throws.js", "throw new Error('at once')")),
      /^error\[bundle-fails-to-load\].*\n.*at once/,
    ],
    [
      run(file("waits.js", "await new Promise(() => {})")),
      /^error\[bundle-never-loads\].*`await` at the top/,
    ],
    [
      run(file("old.js", '/* steno-bundle {"format":9,"runtime":"0.1.0"} */\nthrow 1;')),
      /^error\[bundle-format\].*format 9/,
    ],
    [
      run(file("later.js", '/* steno-bundle {"format":1,"runtime":"7.0.0"} */\nthrow 1;')),
      /^error\[bundle-version\].*steno-runtime 7\.0\.0/,
    ],
  ];
  for (const [args, expected] of cases) {
    const { status, stdout, stderr } = await steno(folder, args);
    expect(stderr, args.join(" ")).toMatch(expected);
    expect({ status, stdout }, args.join(" ")).toEqual({ status: 2, stdout: "" });
    // Only what the user's own bundle threw has a stack.
    if (!args.includes("throws.js")) expect(stderr).not.toMatch(/^\s+at /m);
  }
  expect(existsSync(join(folder, "none.db"))).toBe(false);
  expect(existsSync(join(folder, "new.db"))).toBe(false);
  const json = await steno(folder, ["show", "nobody", "--store", "a.db", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: "no-such-run" } });
}, 180_000);
