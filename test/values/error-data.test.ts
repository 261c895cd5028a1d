/**
 * The own data of declared errors: stored by the schemas of its types, and back as it was, in a `catch`
 * and in what a run came to, before a restart and after it.
 */
import { Coordinator, memoryStore, type SagaFailedError, type Store } from "steno-runtime";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Batch, load, type Loaded } from "../oracle/compile.js";

const TEXT = `import { action, saga } from "steno-runtime";
export interface Seat { row: bigint; free?: Date | string }
export class Base<T> extends Error {
  readonly until!: T;
}
export class Full extends Base<Date> {
  readonly seats = new Map<string, Seat[]>();
  note?: string;
  tags = new Set<number>();
  private secret: URL | null = null;
  private hint?: bigint;
  declare readonly cause: { at: Date } | undefined;
  get text(): string { return [this.secret, this.hint].join(); }
  shown(): string { return [this.until.getTime(), this.seats.size, this.text].join(); }
  set(secret: URL, hint: bigint): this { this.secret = secret; this.hint = hint; return this; }
}
export class Bare extends TypeError {
  override readonly name = "Bare";
}
export class Wrapped extends AggregateError {
  declare readonly cause: Full;
  readonly size = 2n;
}
export class Program {
  readonly world: { readonly call: (...given: readonly unknown[]) => unknown };
  constructor(world: Program["world"]) {
    this.world = world;
  }
  @action({ undo: "none", errors: [Full, Bare, Wrapped] })
  async book(): Promise<void> {
    await this.world.call("book");
  }
  @action({ undo: "none" })
  async tell(at: Date, text: string): Promise<void> {
    await this.world.call("tell", at, text);
  }
  @saga
  async main(params: { again: boolean }): Promise<string> {
    try {
      await this.book();
    } catch (error) {
      if (!(error instanceof Full)) throw error;
      await this.tell(error.until, error.shown());
      if (params.again) throw error;
    }
    return "done";
  }
}
`;

const REFUSED = `import { action, saga } from "steno-runtime";
export interface Page { at: Date; next: { fetch: () => void } }
export class Lost extends Error {
  readonly id = 1;
  readonly page!: Page;
}
export class Program {
  @action({ undo: "none", errors: [Lost] })
  async book(): Promise<void> {}
  @saga
  async main(): Promise<number> {
    try {
      await this.book();
    } catch (error) {
      if (error instanceof Lost) return error.id;
    }
    return 0;
  }
}
`;

interface Full extends Error {
  until: unknown;
  seats: Map<string, unknown>;
  set(secret: URL, hint: bigint): Full;
}
type Make = new (...given: unknown[]) => Full;

let batch: Batch;
let loaded: Loaded;
let full: Full;
beforeAll(async () => {
  batch = new Batch([TEXT, REFUSED]);
  const [result] = batch.results;
  expect(result?.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (result !== undefined) loaded = await load(result);
});
afterAll(() => batch.close());
const classes = (): Record<string, Make> => loaded.main.spec.errors as never;

beforeEach(() => {
  full = new (classes()["Full"] as Make)("full");
  full.until = new Date(5);
  full.seats.set("a", [
    { row: 7n, free: new Date(1) },
    { row: 8n, free: "soon" },
  ]);
  full.set(new URL("https://example.com/"), 3n);
  full.cause = { at: new Date(9) };
});

async function played(thrown: unknown, again: boolean, store: Store = memoryStore()) {
  const told: unknown[] = [];
  const call = (name: unknown, ...given: readonly unknown[]): void => {
    if (name === "book") throw thrown;
    told.push(...given);
  };
  const instance = new loaded.Program({ call } as never);
  const open = (): Promise<Coordinator> =>
    Coordinator.open({ store, sagas: [loaded.main.on(instance)] });
  const first = await open();
  const run = await first.start(loaded.main, { again }, { id: "r" });
  const before = await run.outcome();
  await first.close();
  const second = await open();
  const after = await (await second.run("r"))?.outcome();
  await second.close();
  const errors = [before, after].map(
    (outcome) => (outcome as { readonly error?: SagaFailedError }).error?.cause as Full,
  );
  return { told, before, errors };
}

test("tsc finds the schemas to be exactly those of the data", () => {
  expect(batch.typeErrors()).toEqual([]);
});

test("what cannot be stored is said once, at the property of the class, with the path", () => {
  const [found, ...more] = batch.results[1]?.diagnostics ?? [];
  expect(more).toEqual([]);
  expect(found?.message).toBe(
    "the error `Lost` cannot be stored: Lost.page.next.fetch is a function",
  );
  expect(REFUSED.slice(found?.span?.start, found?.span?.end)).toBe("readonly page!: Page;");
});

test("a catch reads the data as it was, methods included", async () => {
  const { told, before } = await played(full, false);
  expect(before).toEqual({ status: "succeeded", result: "done" });
  expect(told).toStrictEqual([new Date(5), "5,1,https://example.com/,3"]);
});

test("what a run failed with is typed, before a restart and after it", async () => {
  const { before, errors } = await played(full, true);
  expect(before.status).toBe("undone");
  for (const error of errors) {
    expect(error).toBeInstanceOf(classes()["Full"]);
    expect(error.stack).toBe(full.stack);
    expect({ ...error, cause: error.cause }).toStrictEqual({ ...full, cause: full.cause });
  }
});

test("errors in errors are declared ones, too", async () => {
  const wrapped = new (classes()["Wrapped"] as Make)([full, new TypeError("x")], "all");
  wrapped.cause = full;
  const { errors } = await played(wrapped, true);
  for (const error of errors as unknown as (AggregateError & { size: bigint })[]) {
    expect(error.size).toBe(2n);
    expect((error.cause as Full).until).toEqual(new Date(5));
    expect(error.errors[0]).toBeInstanceOf(classes()["Full"]);
    expect(error.errors[0].seats).toEqual(full.seats);
    expect(error.errors[1]).toBeInstanceOf(TypeError);
  }
});

test("one whose data is not of its type is no instance, and says why", async () => {
  full.until = "tomorrow";
  const { told, errors } = await played(full, false);
  expect(told).toEqual([]);
  for (const error of errors) {
    expect(error).not.toBeInstanceOf(classes()["Full"]);
    expect(error).toMatchObject({
      message: "full",
      until: "tomorrow",
      notRevived: 'its data is not of its type: .until must be a Date, and is the text "tomorrow"',
    });
  }
});

test("a class without data, one with its name only, and a cause that is data", async () => {
  const bare = new (classes()["Bare"] as Make)("bare", { cause: { code: [1, null, "x"] } });
  const [error] = (await played(Object.assign(bare, { extra: 1 }), true)).errors;
  expect(error).toBeInstanceOf(classes()["Bare"]);
  expect(error).not.toHaveProperty("extra");
  expect(error?.cause).toStrictEqual({ code: [1, null, "x"] });

  const other = Object.assign(new Error("other"), { name: "Bare", extra: 1 });
  const [found] = (await played(other, true)).errors;
  expect(found).not.toBeInstanceOf(classes()["Bare"]);
  expect(found).toMatchObject({ name: "Bare", extra: 1 });
});
