/**
 * Errors that actions declare: recorded with their data, and given back as instances, in a `catch` of
 * the saga and in what `result()` rejects with; before a crash and after it. Anything else that can be
 * thrown is recorded, too.
 */
import { Coordinator, type SagaFailedError } from "steno-runtime";
import { expect, test } from "vitest";
import { recordError, reviveError } from "../../runtime/codec/recorded-error.js";
import { Declined, type Parcel, Shop } from "../fixtures/saga/policies/input.js";
import { order } from "../fixtures/saga/policies/input.saga.js";
import { watchedStore } from "./watched-store.js";

/** A shop whose cards are declined as told. */
function shop(declined: Readonly<Record<string, "limit" | "stolen">>) {
  const done: string[] = [];
  const made = new Shop();
  made.reserve = async (item): Promise<Parcel> => ({ id: item });
  made.release = async (parcel) => void done.push(`release ${parcel?.id}`);
  made.pay = async (card) => {
    const reason = declined[card];
    if (reason !== undefined) throw new Declined(reason, 7);
    return `paid by ${card}`;
  };
  made.ship = async ({ id }) => `tracked ${id}`;
  made.thank = async (text) => void done.push(text);
  return { made, done };
}

const params = { item: "book", card: "first", spare: "second" };

test("`instanceof` in a catch tells a declared error, whose data is there", async () => {
  const { made, done } = shop({ first: "limit" });
  const store = watchedStore();
  const coordinator = await Coordinator.open({ store, sagas: [order.on(made)] });
  const run = await coordinator.start(order, params);
  await run.send("pickedUp", "yes");
  expect(await run.result()).toBe("tracked book");
  expect(done).toEqual(["paid by second"]);
  await coordinator.close();
});

test("what `result()` rejects with has an instance for a cause, before a crash and after it", async () => {
  const { made, done } = shop({ first: "stolen" });
  const store = watchedStore();
  const coordinator = await Coordinator.open({ store, sagas: [order.on(made)] });
  const run = await coordinator.start(order, params, { id: "r" });
  const failedWith = async (result: Promise<unknown>): Promise<SagaFailedError> =>
    result.then(
      () => expect.fail("it failed"),
      (error: unknown) => error as SagaFailedError,
    );
  const before = await failedWith(run.result());
  await store.kill();
  const next = await Coordinator.open({ store, sagas: [order.on(made)] });
  const again = await next.run("r");
  const after = await failedWith((again ?? run).result());
  for (const { cause, failures } of [before, after]) {
    expect(cause).toBeInstanceOf(Declined);
    expect(cause).toMatchObject({ name: "Declined", reason: "stolen", missing: 7 });
    expect(failures[0]?.error).toBeInstanceOf(Declined);
  }
  expect(after.cause).toEqual(before.cause);
  expect(done).toEqual(["release book"]);
  await next.close();
});

const shownAs = (thrown: unknown): unknown => {
  const error = reviveError(recordError(thrown));
  return { ...error, name: error.name, message: error.message };
};
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
const throwing = Object.defineProperties(new Error("read me"), {
  fine: { value: 1, enumerable: true },
  never: {
    enumerable: true,
    get: () => {
      throw new Error("not readable");
    },
  },
});
const unreadable = new Proxy(new Error("hidden"), {
  get: () => {
    throw new Error("no");
  },
});
const revoked = Proxy.revocable({}, {});
revoked.revoke();

test.each<[string, unknown, unknown]>([
  ["a string", "gone", { name: "NonError", message: "gone", value: "gone" }],
  ["null", null, { name: "NonError", message: "null was thrown, which is no Error", value: null }],
  [
    "undefined",
    undefined,
    { name: "NonError", message: "undefined was thrown, which is no Error" },
  ],
  ["an object", { code: 7 }, { message: '{"code":7} was thrown, which is no Error' }],
  ["a symbol", Symbol("s"), { message: "Symbol(s) was thrown, which is no Error" }],
  ["a bigint", 7n, { message: "7 was thrown, which is no Error" }],
  [
    "an object without a prototype",
    Object.create(null),
    { message: "{} was thrown, which is no Error" },
  ],
  ["one that contains itself", cyclic, { message: "an object was thrown, which is no Error" }],
  ["a frozen error", Object.freeze(new Error("cold")), { name: "Error", message: "cold" }],
  ["one whose getters throw", throwing, { message: "read me", fine: 1 }],
  ["one that answers nothing", unreadable, { name: "Error", message: expect.any(String) }],
  [
    "a proxy that is revoked",
    revoked.proxy,
    { message: "an error that cannot be read was thrown" },
  ],
  ["one with a bigint", Object.assign(new Error("n"), { big: 1n, small: 1 }), { small: 1 }],
  [
    "one with a list of its own",
    Object.assign(new Error("n"), { errors: [{ at: "x" }] }),
    { errors: [{ at: "x" }] },
  ],
])("%s is recorded", (_, thrown, expected) => {
  expect(shownAs(thrown)).toMatchObject(expected as object);
});

test("causes and lists of errors are recorded in depth, and built-in classes come back", () => {
  const cause = new TypeError("inner", { cause: new RangeError("innermost") });
  const all = new AggregateError([cause, new Error("other")], "both");
  class Sub extends TypeError {
    override readonly name = "Sub";
  }
  const error = reviveError(recordError(all)) as AggregateError;
  expect(error).toBeInstanceOf(AggregateError);
  expect(error.errors[0]).toBeInstanceOf(TypeError);
  expect((error.errors[0] as Error).cause).toBeInstanceOf(RangeError);
  expect(reviveError(recordError(new Sub("s")))).toBeInstanceOf(TypeError);
  const loop = new Error("again");
  loop.cause = loop;
  expect(reviveError(recordError(loop)).message).toBe("again");
});

test("a declared class comes back with its methods, and no constructor is called", () => {
  let made = 0;
  class Counted extends Error {
    readonly count: number;
    constructor(count: number) {
      super(`${count}`);
      made += 1;
      this.count = count;
    }
    twice(): number {
      return this.count * 2;
    }
  }
  class More extends Counted {}
  const classes = new Map([["Counted", { made: Counted }]]);
  for (const thrown of [new Counted(3), new More(3)]) {
    made = 0;
    const back = reviveError(recordError(thrown, classes), classes);
    expect(back).toBeInstanceOf(Counted);
    expect((back as Counted).twice()).toBe(6);
    expect(made).toBe(0);
    // Without the class it is an error all the same.
    expect(reviveError(recordError(thrown, classes))).toMatchObject({ message: "3", count: 3 });
  }
});
