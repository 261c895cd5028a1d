/**
 * What every store must do, as a list of checks that any test runner can run. It needs no framework:
 * each check throws when the store breaks the contract.
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { LoggedEvent } from "../events.js";
import type { Manifest } from "../manifest.js";
import type { RunRow, RunStatus, Store, Write } from "./store.js";

export interface StoreCheck {
  readonly name: string;
  run(): Promise<void>;
}

/** A row for a run, as `start()` makes it. */
function row(id: string, more: Partial<RunRow> = {}): RunRow {
  return {
    id,
    saga: "Test.saga",
    hash: "sha256-1",
    nonce: "n",
    params: '{"a":"ü\\u0000"}',
    status: "running",
    reason: undefined,
    output: undefined,
    error: undefined,
    createdAt: 1,
    updatedAt: 1,
    ...more,
  };
}

const create = (id: string, more?: Partial<RunRow>): Write => ({
  kind: "create",
  run: row(id, more),
});

const EVENTS: readonly LoggedEvent[] = [
  { seq: 0, at: 1, type: "created", value: "{}" },
  { seq: 1, at: 2, type: "started", node: "a/b", attempt: 1, value: "[1]" },
  {
    seq: 2,
    at: 3,
    type: "attempt-failed",
    node: "a/b",
    attempt: 1,
    value: "{}",
    dueAt: 1_700_000_000_000,
  },
  { seq: 3, at: 4, type: "succeeded", node: "a/b", attempt: 2 },
  { seq: 4, at: 5, type: "recovered" },
];

/** The checks; `makeStore` gives a new and empty store each time. */
export function storeContract(makeStore: () => Store | Promise<Store>): readonly StoreCheck[] {
  const check = (name: string, run: (store: Store) => Promise<void>): StoreCheck => ({
    name,
    run: async () => run(await makeStore()),
  });
  return [
    check("what is committed is read back as it was", readBack),
    check("a commit applies everything or nothing", allOrNothing),
    check("runs are listed in order of creation, filtered and paged", listed),
    check("there is one owner at a time, and each has a higher epoch", oneOwner),
    check("what is committed is there for the next owner", nextOwner),
    check("readers see commits, file requests and get answers", requests),
    check("definitions are kept by hash", definitions),
    check("a thousand runs in one commit", manyRuns),
  ];
}

async function readBack(store: Store): Promise<void> {
  const owner = await store.open();
  await owner.commit([create("r"), { kind: "append", run: "r", events: EVENTS }]);
  deepEqual(await owner.run("r"), row("r"));
  deepEqual(await owner.events("r"), EVENTS);
  deepEqual(await owner.events("r", 2), EVENTS.slice(3));
  equal(await owner.run("other"), undefined);
  deepEqual(await owner.events("other"), []);
  const change = {
    status: "undone",
    reason: "why",
    output: undefined,
    error: '{"message":"x"}',
    updatedAt: 9,
  } as const;
  await owner.commit([{ kind: "update", run: "r", ...change }]);
  deepEqual(await owner.run("r"), row("r", change));
  await owner.close();
}

async function allOrNothing(store: Store): Promise<void> {
  const owner = await store.open();
  await owner.commit([create("r")]);
  await rejects(owner.commit([create("s"), create("r")]), "a run of that id exists");
  equal(await owner.run("s"), undefined);
  const [first] = EVENTS as readonly [LoggedEvent];
  await rejects(owner.commit([create("s"), { kind: "append", run: "none", events: [first] }]));
  equal(await owner.run("s"), undefined);
  // It can go on after that.
  await owner.commit([create("s")]);
  ok(await owner.run("s"));
  await owner.close();
}

async function listed(store: Store): Promise<void> {
  const owner = await store.open();
  const statuses: readonly RunStatus[] = ["running", "stuck", "succeeded", "running", "undone"];
  await owner.commit(
    statuses.map((status, i) => create(`z${9 - i}`, { status, saga: i < 3 ? "A.a" : "B.b" })),
  );
  const ids = async (filter: Parameters<typeof owner.runs>[0]): Promise<string[]> =>
    (await owner.runs(filter)).map(({ id }) => id);
  deepEqual(await ids({}), ["z9", "z8", "z7", "z6", "z5"]);
  deepEqual(await ids({ saga: "B.b" }), ["z6", "z5"]);
  deepEqual(await ids({ status: ["running", "stuck"] }), ["z9", "z8", "z6"]);
  deepEqual(await ids({ status: ["running"], saga: "A.a" }), ["z9"]);
  deepEqual(await ids({ limit: 2 }), ["z9", "z8"]);
  deepEqual(await ids({ limit: 2, after: "z8" }), ["z7", "z6"]);
  deepEqual(await ids({ after: "z5" }), []);
  await owner.close();
}

async function oneOwner(store: Store): Promise<void> {
  const owner = await store.open();
  ok(await owner.owned());
  await rejects(store.open(), (error: { readonly code?: string }) => error.code === "store-owned");
  await owner.close();
  const next = await store.open();
  ok(next.epoch > owner.epoch);
  await rejects(owner.commit([create("late")]), "a closed owner must not write");
  equal(await next.run("late"), undefined);
  await next.close();
}

async function nextOwner(store: Store): Promise<void> {
  const owner = await store.open();
  await owner.commit([create("r"), { kind: "append", run: "r", events: EVENTS }]);
  await owner.close();
  const next = await store.open();
  deepEqual(await next.run("r"), row("r"));
  deepEqual(await next.events("r"), EVENTS);
  await next.close();
}

async function requests(store: Store): Promise<void> {
  const owner = await store.open();
  const reader = await store.reader();
  await owner.commit([create("r")]);
  deepEqual(await reader.run("r"), row("r"));
  const first = await reader.request("pause", "r", '{"reason":"x"}');
  const second = await reader.request("drain", undefined, "{}");
  equal(await reader.answer(first), undefined);
  const seen = await owner.requests();
  deepEqual(
    seen.map(({ id, command, run, args }) => ({ id, command, run, args })),
    [
      { id: first, command: "pause", run: "r", args: '{"reason":"x"}' },
      { id: second, command: "drain", run: undefined, args: "{}" },
    ],
  );
  const answer = { ok: false, code: "c", message: "m" } as const;
  await owner.commit([{ kind: "answer", request: first, answer }]);
  deepEqual(await reader.answer(first), answer);
  deepEqual(
    (await owner.requests()).map(({ id }) => id),
    [second],
  );
  ok(await reader.owned());
  await owner.close();
  equal(await reader.owned(), false);
  await reader.close();
}

async function definitions(store: Store): Promise<void> {
  const owner = await store.open();
  const manifest: Manifest = { steno: 1, name: "A.a", hash: "sha256-x", nodes: [] };
  await owner.commit([
    { kind: "define", manifest },
    { kind: "define", manifest },
  ]);
  deepEqual(await owner.definition("sha256-x"), manifest);
  equal(await owner.definition("sha256-y"), undefined);
  await owner.close();
}

async function manyRuns(store: Store): Promise<void> {
  const owner = await store.open();
  const ids = [...Array(1000).keys()].map((i) => `r${i}`);
  await owner.commit(
    ids.flatMap((run): Write[] => [create(run), { kind: "append", run, events: EVENTS }]),
  );
  equal((await owner.runs({ limit: 2000 })).length, 1000);
  deepEqual(await owner.events("r999"), EVENTS);
  await owner.close();
}
