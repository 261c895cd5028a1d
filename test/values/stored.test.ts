/** Values of a compiled saga on a coordinator: what everybody is given, before and after a restart. */
import { Coordinator, memoryStore, type Store } from "steno-runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch, load, type Loaded } from "../oracle/compile.js";

const TEXT = `import { action, event, saga } from "steno-runtime";
export interface Leg { at: Date; price: bigint; by: Map<string, Set<number>>; note?: string | Date }
export class Program {
  readonly go = event<Date>();
  readonly world: { readonly call: (...given: readonly unknown[]) => unknown };
  constructor(world: Program["world"]) {
    this.world = world;
  }
  @action({ undo: "none" })
  async book(leg: Leg, at: number): Promise<Leg> {
    return this.world.call("book", leg, at) as Leg;
  }
  @saga
  async main(params: { legs: readonly Leg[] }): Promise<{ legs: Leg[]; last: Date; sent: Date }> {
    const last = new Date(86_400_000);
    const legs = await Promise.all(params.legs.map((leg) => this.book(leg, leg.at.getTime())));
    const sent = await this.go;
    return { legs, last, sent };
  }
}
`;

const leg = {
  at: new Date("2026-11-25T20:00:00.000Z"),
  price: 120n,
  by: new Map([["train", new Set([1, NaN])]]),
  note: new Date(0),
};

let batch: Batch;
let loaded: Loaded;
beforeAll(async () => {
  batch = new Batch([TEXT]);
  const [result] = batch.results;
  expect(result?.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (result !== undefined) loaded = await load(result);
});
afterAll(() => batch.close());

function open(store: Store, call: (...given: readonly unknown[]) => unknown): Promise<Coordinator> {
  const instance = new loaded.Program({ call } as never);
  return Coordinator.open({ store, sagas: [loaded.main.on(instance)] });
}

test("everybody has copies, which are what the value was, also after a restart", async () => {
  const store = memoryStore();
  const given: unknown[] = [];
  const call = (name: unknown, ...inputs: readonly unknown[]): unknown => {
    given.push([name, ...inputs]);
    return { ...(inputs[0] as object), dropped: true };
  };
  const first = await open(store, call);
  const run = await first.start(loaded.main, { legs: [leg], more: 1 }, { id: "r" });
  await expect(run.send("go", "tomorrow")).rejects.toMatchObject({ code: "payload-invalid" });
  await expect.poll(async () => (await run.outputs())["legs"]).toStrictEqual([leg]);
  expect(given).toStrictEqual([["book", leg, leg.at.getTime()]]);
  await first.close();

  const second = await open(store, call);
  const again = await second.run("r");
  await again?.send("go", new Date(5));
  const result = { legs: [leg], last: new Date(86_400_000), sent: new Date(5) };
  expect(await again?.result()).toStrictEqual(result);
  expect(await again?.outputs()).toStrictEqual({
    last: result.last,
    legs: [leg],
    sent: result.sent,
  });
  await second.close();
  const third = await open(store, call);
  expect(await (await third.run("r"))?.result()).toStrictEqual(result);
  // The same params, in other words.
  await third.start(loaded.main, { legs: [{ ...leg, dropped: 1 }] }, { id: "r" });
  await third.close();
});

test("params that are not of their type are refused, with the path, and nothing is stored", async () => {
  const coordinator = await open(memoryStore(), () => leg);
  const body = { legs: [{ ...leg, at: leg.at.toISOString() }] };
  await expect(coordinator.start(loaded.main, body, { id: "r" })).rejects.toMatchObject({
    code: "params-invalid",
    message:
      'params.legs[0].at must be a Date, and is the text "2026-11-25T20:00:00.000Z": mend the call ' +
      "that starts the run; nothing was stored",
  });
  expect(await coordinator.run("r")).toBeUndefined();
  await coordinator.close();
});

test("an output that is not of its type leaves its node in doubt", async () => {
  const coordinator = await open(memoryStore(), () => ({ ...leg, price: 120 }));
  const run = await coordinator.start(loaded.main, { legs: [leg] });
  await expect(run.result()).rejects.toMatchObject({
    cause: {
      code: "value-invalid",
      message: expect.stringContaining("price must be a bigint, and is the number 120"),
    },
  });
  await coordinator.close();
});
