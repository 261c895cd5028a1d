/** Single steps and breakpoints from the handle of a run, over a crash too. */
import { Coordinator } from "steno-runtime";
import { afterEach, expect, test } from "vitest";
import { action, scripted, scriptOf, type Script } from "./sagas.js";
import { gate, keptLog, until, watchedStore, type WatchedStore } from "./watched-store.js";

const chain = scripted([action("a"), action("b", ["a"]), action("c", ["b"])]);
const log = keptLog();
afterEach(() => expect(log.said.splice(0)).toEqual([]));

interface World {
  readonly store: WatchedStore;
  readonly calls: string[];
  open(): Promise<Coordinator>;
  /** Lets `a` end. */
  go(): void;
}

function world(fails: string | undefined = undefined): World {
  const store = watchedStore();
  const calls: string[] = [];
  const begun = gate();
  const script: Script = scriptOf(
    async (node) => {
      calls.push(node);
      if (node === "a") await begun.opened;
      if (node === fails) throw new Error("no");
    },
    (node) => calls.push(`un${node}`),
  );
  const open = (): Promise<Coordinator> =>
    Coordinator.open({ store, sagas: [chain.on(script)], logger: log });
  return { store, calls, open, go: () => begun.open() };
}

const reasonOf = async (coordinator: Coordinator): Promise<string | undefined> =>
  (await (await coordinator.run("r"))?.status())?.reason;

test("a paused run is stepped to its end, each step one body, over a crash too", async () => {
  const { store, calls, open, go } = world();
  const first = await open();
  const run = await first.start(chain, 1, { id: "r" });
  await expect(run.step()).rejects.toMatchObject({ code: "run-not-paused" });
  await run.setBreakpoint({ node: "a", at: "after" });
  go();
  await until(async () => (await reasonOf(first)) === "breakpoint");
  expect(calls).toEqual(["a"]);
  await expect(run.step("c")).rejects.toMatchObject({ code: "nothing-to-step" });
  expect(await run.step()).toBe("b");
  await until(() => calls.length === 2);
  await first.drain();
  expect(await reasonOf(first)).toBe("paused");
  await store.kill();

  const second = await open();
  const again = await second.run("r");
  await second.drain();
  expect(calls).toEqual(["a", "b"]);
  expect(await again?.step("c")).toBe("c");
  await second.drain();
  expect(await again?.step()).toBe("");
  expect(await again?.result()).toBe(1);
  expect(calls).toEqual(["a", "b", "c"]);
  await second.close();
});

test("breakpoints hold before and after a node, over a restart, and while the run unwinds", async () => {
  const { calls, open, go } = world("c");
  const first = await open();
  const run = await first.start(chain, 1, { id: "r" });
  await run.setBreakpoint({ node: "c" });
  await run.setBreakpoint({ node: "b", at: "after" });
  await run.setBreakpoint({ node: "a" });
  go();
  await first.drain();
  expect(await reasonOf(first)).toBe("breakpoint");
  expect(calls).toEqual(["a", "b"]);
  await first.close();

  const second = await open();
  const again = await second.run("r");
  await again?.resume();
  await second.drain();
  expect(calls).toEqual(["a", "b"]);
  await again?.resume();
  await second.drain();
  // `c` failed, and after the undo of `b` is after `b`, too.
  expect(calls).toEqual(["a", "b", "c", "unb"]);
  await again?.clearBreakpoint({ node: "a" });
  await again?.resume();
  await expect(again?.result()).rejects.toMatchObject({ code: "saga-failed" });
  expect(calls).toEqual(["a", "b", "c", "unb", "una"]);
  await second.close();
});

test("a breakpoint at a node that is not there is refused, and names those that are", async () => {
  const { open, go } = world();
  const coordinator = await open();
  const run = await coordinator.start(chain, 1, { id: "r" });
  const wrong = run.setBreakpoint({ node: "d" });
  await expect(wrong).rejects.toMatchObject({ code: "no-such-node" });
  await expect(wrong).rejects.toThrow("`a`, `b`, `c`");
  go();
  await coordinator.close();
});
