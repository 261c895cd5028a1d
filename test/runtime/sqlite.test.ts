/** Coordinators on a SQLite file: two of them, one that was damaged, and commands of other processes. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Coordinator, sqliteStore } from "steno-runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadDriver } from "../../runtime/stores/sqlite-driver.js";
import { temporaryFolder } from "../stores/sample.js";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { gate, keptLog, until } from "./watched-store.js";

const undoRetry = { attempts: 1, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: false };
const chain = scripted([
  action("a", [], { undoRetry }),
  action("b", ["a"], { undoRetry }),
  action("c", ["b"]),
]);
const log = keptLog();

async function open(path: string, script: Script): Promise<Coordinator> {
  const store = sqliteStore(path);
  const coordinator = await Coordinator.open({ store, sagas: [chain.on(script)], logger: log });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

/** Changes the file behind the store's back. */
function vandalise(path: string, sql: string): void {
  const connection = loadDriver()(path);
  connection.exec(sql);
  connection.close();
}

/** Leaves runs that wait at node `b`. */
async function leaveRuns(path: string, ids: readonly string[]): Promise<void> {
  const held = gate();
  let waiting = 0;
  const script = scriptOf(async (node) => {
    if (node !== "b") return `${node} is done`;
    waiting += 1;
    await held.opened;
    return "b is done";
  });
  const coordinator = await open(path, script);
  for (const id of ids) await coordinator.start(chain, { of: id }, { id });
  await until(() => waiting === ids.length);
  const closing = coordinator.close();
  held.open();
  await closing;
}

describe("a damaged saga log", () => {
  const damages: readonly (readonly [string, string, string])[] = [
    ["an event is missing", "DELETE FROM events WHERE run = 1 AND seq = 2", "event 2 is missing"],
    [
      "a value is no JSON",
      "UPDATE events SET value = substr(value, 3) WHERE run = 1 AND seq = 2",
      "value of event 2 (`succeeded`) is no JSON",
    ],
    ["a type is unknown", "UPDATE events SET type = 'x' WHERE run = 1 AND seq = 2", "`x`"],
    [
      "a node is unknown",
      "UPDATE events SET node = 'x', sum = NULL WHERE run = 1 AND seq = 2",
      "no node `x`",
    ],
    [
      "a value is another",
      'UPDATE events SET value = \'{"of":"evil"}\' WHERE run = 1 AND seq = 2',
      "event 2 (`succeeded`) is not what was written",
    ],
    ["it is empty", "DELETE FROM events WHERE run = 1", "the saga log is empty"],
    [
      "it has an end and its row has not",
      `INSERT INTO events (run, seq, at, type, node, attempt) VALUES
        (1, 5, 0, 'started', 'c', 1), (1, 6, 0, 'succeeded', 'c', 1), (1, 7, 0, 'succeeded', '', 1)`,
      "its row says `running`, but its saga log has come to its end",
    ],
  ];
  test.each(damages)(
    "%s: the run stays as it is, and the others go on",
    async (_, sql, message) => {
      const path = join(temporaryFolder(), "a.db");
      await leaveRuns(path, ["bad", "good"]);
      vandalise(path, sql);
      const reader = await sqliteStore(path).reader();
      onTestFinished(() => reader.close());
      const before = await reader.events("bad");
      const calls: string[] = [];
      const coordinator = await open(
        path,
        scriptOf((node) => void calls.push(node)),
      );
      expect(coordinator.unrecovered).toEqual([
        {
          id: "bad",
          saga: "Test.saga",
          reason: "corrupt-log",
          message: expect.stringContaining(message),
        },
      ]);
      expect(await (await coordinator.run("good"))?.result()).toEqual({ of: "good" });
      const bad = await coordinator.run("bad");
      await expect(bad?.result()).rejects.toMatchObject({ code: "corrupt-log" });
      await expect(bad?.unwind()).rejects.toMatchObject({ code: "corrupt-log" });
      expect(calls).toEqual(["c"]);
      expect(await reader.run("bad")).toMatchObject({ status: "running", reason: "corrupt-log" });
      expect(await reader.events("bad")).toEqual(before);
    },
  );

  test("a definition that is damaged is missed, and told without the difference", async () => {
    const path = join(temporaryFolder(), "a.db");
    await leaveRuns(path, ["r"]);
    vandalise(
      path,
      "UPDATE definitions SET manifest = '{'; UPDATE runs SET hash = 'sha256-old', row_sum = NULL",
    );
    vandalise(path, "UPDATE definitions SET hash = 'sha256-old'");
    const coordinator = await open(
      path,
      scriptOf(() => 1),
    );
    expect(coordinator.unrecovered).toMatchObject([{ id: "r", reason: "definition-missing" }]);
    expect(await (await coordinator.start(chain, 5)).result()).toBe(5);
  });
});

test("a second coordinator is refused while the first lives, and takes over when it is closed", async () => {
  const path = join(temporaryFolder(), "a.db");
  const calls: string[] = [];
  const held = gate();
  const first = await open(
    path,
    scriptOf(async (node) => {
      calls.push(`first ${node}`);
      if (node === "b") await held.opened;
    }),
  );
  const run = await first.start(chain, 1, { id: "r" });
  const ended = run.result().catch((error: unknown) => error);
  await until(() => calls.includes("first b"));
  const second = scriptOf((node) => void calls.push(`second ${node}`));
  await expect(open(path, second)).rejects.toMatchObject({ code: "store-owned" });
  const closing = first.close();
  await expect(open(path, second)).rejects.toMatchObject({ code: "store-owned" });
  held.open();
  await closing;
  expect(await ended).toMatchObject({ code: "coordinator-closed" });
  const next = await open(path, second);
  expect(await (await next.run("r"))?.result()).toBe(1);
  expect(calls).toEqual(["first a", "first b", "second c"]);
});

test("a coordinator whose file was taken over writes nothing more, and says so", async () => {
  const path = join(temporaryFolder(), "a.db");
  const held = gate();
  const coordinator = await open(
    path,
    scriptOf(() => held.opened),
  );
  const run = await coordinator.start(chain, 1, { id: "r" });
  const ended = run.result().catch((error: unknown) => error);
  // As another one would whose lock this one's kernel does not see.
  vandalise(path, "UPDATE owner SET epoch = epoch + 1");
  held.open();
  expect(await ended).toMatchObject({ code: "store-lost" });
  await expect(coordinator.start(chain, 2)).rejects.toMatchObject({ code: "store-lost" });
  const reader = await sqliteStore(path).reader();
  expect((await reader.events("r")).map(({ type }) => type)).toEqual(["created", "started"]);
  expect(await reader.runs({})).toHaveLength(1);
  await reader.close();
});

test("commands of another process are acted on and answered within 250 ms", async () => {
  const path = join(temporaryFolder(), "a.db");
  let broken = true;
  const held = gate();
  const script = scriptOf(
    (node) => (node === "b" ? held.opened : 1),
    (output, node) => {
      if (broken) throw new Error(`${node} ${String(output)}`);
    },
  );
  const coordinator = await open(path, script);
  const run = await coordinator.start(chain, 1, { id: "r" });
  const reader = await sqliteStore(path).reader();
  onTestFinished(() => reader.close());
  const slowest = { ms: 0 };
  const ask = async (command: string, args: object = {}): Promise<unknown> => {
    const began = performance.now();
    const request = await reader.request(command, "r", JSON.stringify(args));
    for (;;) {
      const answer = await reader.answer(request);
      slowest.ms = Math.max(slowest.ms, performance.now() - began);
      if (answer !== undefined) return answer;
      await sleep(5);
    }
  };
  const row = async (): Promise<unknown> => {
    const { status, reason } = (await reader.run("r")) ?? {};
    return [status, reason];
  };
  const yes = { ok: true };
  expect(await ask("pause", { reason: "look" })).toEqual(yes);
  expect(await row()).toEqual(["running", "paused"]);
  expect(await ask("unwind", { reason: "wrong" })).toEqual(yes);
  held.open();
  expect(await row()).toEqual(["unwinding", "paused"]);
  expect(await ask("resume")).toEqual(yes);
  await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck", node: "b" });
  expect(await row()).toEqual(["stuck", "stuck"]);
  expect(await ask("retry", { node: "a" })).toMatchObject({ ok: false, code: "node-not-stuck" });
  const unknown = await ask("retry", { node: "bx" });
  expect(unknown).toMatchObject({ ok: false, code: "no-such-node" });
  expect(JSON.stringify(unknown)).toContain("has no node `bx`: it has `a`, `b`");
  expect(await ask("settle", { node: "b" })).toMatchObject({ ok: false, code: "reason-missing" });
  expect(await ask("settle", { node: "b", reason: "by hand" })).toEqual(yes);
  await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck", node: "a" });
  broken = false;
  expect(await ask("retry", { node: "a" })).toEqual(yes);
  await expect(run.result()).rejects.toMatchObject({ cause: { code: "unwind-requested" } });
  expect(await ask("resume")).toMatchObject({ ok: false, code: "run-finished" });
  expect(await ask("dance")).toMatchObject({ ok: false });
  expect(await ask("pause", ["?"])).toMatchObject({ ok: false });
  const log = await reader.events("r");
  expect(log.find(({ type }) => type === "undo-settled")).toMatchObject({ value: '"by hand"' });
  // 250 ms, and what a busy machine may add.
  expect(slowest.ms).toBeLessThan(1000);
});
