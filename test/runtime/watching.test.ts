/** Watching runs: nothing is missed or told twice, however often and from where one comes back. */
import {
  Coordinator,
  type LoggedEvent,
  memoryStore,
  type Store,
  type WatchedEvent,
} from "steno-runtime";
import { expect, test } from "vitest";
import { action, scripted, scriptOf } from "./sagas.js";
import { gate } from "./watched-store.js";

const chain = scripted([action("a"), action("b", ["a"]), action("c", ["b"])]);
const open = (store = memoryStore(), act: (node: string) => unknown = () => 1) =>
  Coordinator.open({ store, sagas: [chain.on(scriptOf(act))], logger: { warn: () => undefined } });

const TYPES = ["created", ...Array<string[]>(3).fill(["started", "succeeded"]).flat(), "succeeded"];

test("the events of a run are told as they come, until it is finished", async () => {
  const held = gate();
  const coordinator = await open(memoryStore(), (node) => (node === "b" ? held.opened : 1));
  const run = await coordinator.start(chain, 1, { id: "r" });
  const seen: LoggedEvent[] = [];
  for await (const event of run.events()) {
    seen.push(event);
    if (event.type === "started" && event.node === "b") held.open();
  }
  expect(seen.map(({ type }) => type)).toEqual(TYPES);
  expect(seen.map(({ seq }) => seq)).toEqual([...TYPES.keys()]);
  // Whoever comes back goes on where it was; of a run that is finished too.
  const again: number[] = [];
  for await (const { seq } of run.events({ after: 4 })) again.push(seq);
  expect(again).toEqual([5, 6, 7]);
  await coordinator.close();
});

test("the events of all runs are told once each, over reconnects, restarts, and from elsewhere", async () => {
  const store = memoryStore();
  let coordinator = await open(store);
  const seen: WatchedEvent[] = [];
  let cursor = 0;
  /** Takes some events and leaves, as a connection that breaks. */
  const take = async (count: number): Promise<void> => {
    for await (const event of coordinator.events({ after: cursor })) {
      seen.push(event);
      ({ cursor } = event);
      if (--count === 0) break;
    }
  };
  const runs = 40;
  for (let n = 0; n < runs / 2; n++) await coordinator.start(chain, n, { id: `r${n}` });
  await take(7);
  await take(50);
  await coordinator.drain();
  await coordinator.close();
  coordinator = await open(store);
  const taken = take(runs * TYPES.length - seen.length);
  for (let n = runs / 2; n < runs; n++) await coordinator.start(chain, n, { id: `r${n}` });
  await taken;
  expect(seen.length).toBe(runs * TYPES.length);
  expect(new Set(seen.map((each) => each.cursor)).size).toBe(seen.length);
  for (let n = 0; n < runs; n++) {
    const own = seen.filter(({ run }) => run === `r${n}`);
    expect(own.map(({ event }) => event.seq)).toEqual([...TYPES.keys()]);
  }
  await coordinator.close();
});

test("without a cursor one is told what comes from then on; a signal or close() ends it", async () => {
  const coordinator = await open();
  await coordinator.start(chain, 1, { id: "before" });
  await coordinator.drain();
  const stop = new AbortController();
  const heard = async (events: AsyncIterable<WatchedEvent>): Promise<string[]> => {
    const found: string[] = [];
    for await (const { run } of events) found.push(run);
    return found;
  };
  const [first, second] = [coordinator.events({ signal: stop.signal }), coordinator.events()];
  const both = [heard(first), heard(second)];
  await coordinator.start(chain, 1, { id: "after" });
  await coordinator.drain();
  // What is there is told in time, too.
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  expect(await both[0]).toEqual(Array(TYPES.length).fill("after"));
  await coordinator.close();
  expect(await both[1]).toEqual(Array(TYPES.length).fill("after"));
});

test("whoever is slow holds up nothing, and reads a page at a time", async () => {
  const store = memoryStore();
  const coordinator = await open(store);
  await coordinator.start(chain, 0);
  const slow = coordinator.events({ after: 0 });
  const { value } = await slow.next();
  expect(value).toMatchObject({ cursor: expect.any(Number) });
  for (let n = 1; n < 200; n++) await coordinator.start(chain, n);
  await coordinator.drain();
  let rest = 1;
  for await (const each of slow) {
    rest += 1;
    if (each.cursor === 200 * TYPES.length) break;
  }
  expect(rest).toBe(200 * TYPES.length);
  await coordinator.close();
});

test("a store that is closed while it is read ends the watching, and is no failure of it", async () => {
  const inner = memoryStore();
  const closing = gate();
  const store: Store = {
    reader: () => inner.reader(),
    open: async () => {
      const owner = await inner.open();
      // As a database does whose connection ends before its answer.
      owner.log = () =>
        closing.opened.then(() => Promise.reject(new Error("connection terminated")));
      return owner;
    },
  };
  const coordinator = await open(store);
  const next = coordinator.events({ after: 0 }).next();
  await new Promise(setImmediate);
  const closed = coordinator.close();
  closing.open();
  expect(await next).toEqual({ done: true, value: undefined });
  await closed;
});
