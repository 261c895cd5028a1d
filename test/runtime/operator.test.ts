/** What operators ask for: it is done, whoever has the store by then, and whatever else is stuck. */
import { Coordinator } from "steno-runtime";
import { afterEach, expect, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { keptLog, until, watchedStore, type WatchedStore } from "./watched-store.js";

const undoRetry = { attempts: 1, delayMs: 1, factor: 1, maxDelayMs: 1, jitter: false };
const pair = scripted([
  action("a", [], { undoRetry }),
  action("b", [], { undoRetry }),
  action("c", ["a", "b"]),
]);
const log = keptLog();
afterEach(() => expect(log.said.splice(0)).toEqual([]));

const open = (store: WatchedStore, script: Script): Promise<Coordinator> =>
  Coordinator.open({ store, sagas: [pair.on(script)], logger: log });

/** `c` fails; the undos do as told. */
function script(undo: (node: string) => unknown): Script {
  return scriptOf(
    (node) => {
      if (node === "c") throw new Error("no");
    },
    (node) => undo(node),
  );
}

const locked = (): never => {
  throw new Error("locked");
};

async function stuckStore(): Promise<WatchedStore> {
  const store = watchedStore();
  const coordinator = await open(store, script(locked));
  await coordinator.start(pair, 1, { id: "r" });
  await coordinator.drain();
  await coordinator.close();
  return store;
}

async function ask(store: WatchedStore, command: string, node: string): Promise<number> {
  const reader = await store.reader();
  return reader.request(command, "r", JSON.stringify({ node, reason: "by hand" }));
}

test("what was asked for while nobody had the store is answered before open() resolves", async () => {
  const store = await stuckStore();
  const asked = [await ask(store, "settle", "a"), await ask(store, "settle", "c")];
  const undone: string[] = [];
  const coordinator = await open(
    store,
    script((node) => undone.push(node)),
  );
  const reader = await store.reader();
  expect(await reader.answer(asked[0] as number)).toEqual({ ok: true });
  expect(await reader.answer(asked[1] as number)).toMatchObject({ code: "node-not-stuck" });
  expect((await reader.run("r"))?.status).toBe("stuck");

  // `drain()` does not wait for the next poll, and not without doing it either.
  await ask(store, "retry", "b");
  await coordinator.drain();
  expect(undone).toEqual(["b"]);
  expect((await reader.run("r"))?.status).toBe("undone");
  await coordinator.close();
});

test("a retry that the process did not survive is done by the next, while another node is stuck", async () => {
  const store = await stuckStore();
  let reached = false;
  const first = await open(
    store,
    script(() => {
      reached = true;
      return new Promise(() => undefined);
    }),
  );
  await (await first.run("r"))?.retry("a");
  await until(() => reached);
  await store.kill();

  const undone: string[] = [];
  const next = await open(
    store,
    script((node) => undone.push(node)),
  );
  await next.drain();
  expect(undone).toEqual(["a"]);
  expect((await (await store.reader()).run("r"))?.status).toBe("stuck");
  await (await next.run("r"))?.retry("b");
  await next.drain();
  expect((await (await store.reader()).run("r"))?.status).toBe("undone");
  await next.close();
});
