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
    wakeAt: 0,
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
    run: async () => run(forOneSaga(await makeStore())),
  });
  return [
    check("what is committed is read back as it was", readBack),
    check("a commit applies everything or nothing", allOrNothing),
    check("runs are listed in order of creation, filtered and paged", listed),
    check("each owner has a higher epoch, and one that is gone writes nothing", oneOwner),
    check("what is committed is there for the next owner", nextOwner),
    check("readers see commits, file requests and get answers", requests),
    check("definitions are kept by hash", definitions),
    check("a thousand runs in one commit", manyRuns),
    check("runs that are due are found by when they wake", due),
    check("runs that await others are found by whom they await", awaiting),
    check("the events of all runs are read in the order of their commits, by cursor", followed),
    check("finished runs can be removed by age and number, and their ids used again", pruned),
  ];
}

/** All runs of these checks are of one definition. */
function forOneSaga(store: Store): Store {
  return {
    open: () => store.open({ definitions: ["sha256-1"] }),
    reader: () => store.reader(),
  };
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
    wakeAt: 1_700_000_000_000,
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
  deepEqual(await ids({ hashNot: ["sha256-1", "sha256-2"] }), []);
  deepEqual(await ids({ hashNot: ["sha256-2"], saga: "B.b" }), ["z6", "z5"]);
  deepEqual(await ids({ limit: 2 }), ["z9", "z8"]);
  deepEqual(await ids({ limit: 2, after: "z8" }), ["z7", "z6"]);
  deepEqual(await ids({ after: "z5" }), []);
  await owner.close();
}

async function oneOwner(store: Store): Promise<void> {
  const owner = await store.open();
  ok(await owner.owned());
  const isOwned = (error: { readonly code?: string }): boolean => error.code === "store-owned";
  if (owner.fleet === undefined) await rejects(store.open(), isOwned);
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

const change = (
  run: string,
  more: Partial<Omit<Extract<Write, { readonly kind: "update" }>, "kind" | "run">>,
): Write => ({
  kind: "update",
  run,
  status: "running",
  reason: undefined,
  output: undefined,
  error: undefined,
  updatedAt: 1,
  wakeAt: 0,
  ...more,
});

async function due(store: Store): Promise<void> {
  const owner = await store.open();
  const wakes: readonly (readonly [string, number | undefined])[] = [
    ["e", 30],
    ["d", 0],
    ["c", undefined],
    ["b", 10],
    ["a", 10],
    ["f", 0],
  ];
  await owner.commit(wakes.map(([id, wakeAt]) => create(id, { wakeAt })));
  const ids = async (filter: Parameters<typeof owner.due>[0]): Promise<string[]> =>
    (await owner.due(filter)).map(({ id }) => id);
  deepEqual(await ids({ until: 0, limit: 9 }), ["d", "f"]);
  deepEqual(await ids({ until: Infinity, limit: 9 }), ["d", "f", "a", "b", "e"]);
  deepEqual(await ids({ until: 10, limit: 3 }), ["d", "f", "a"]);
  const after = { wakeAt: 10, id: "a" };
  deepEqual(await ids({ until: Infinity, after, limit: 9 }), ["b", "e"]);
  // It need not be there any more.
  deepEqual(await ids({ until: 29, after: { wakeAt: 0, id: "e" }, limit: 9 }), ["f", "a", "b"]);
  await owner.commit([change("a", { wakeAt: undefined }), change("c", { wakeAt: 20 })]);
  deepEqual(await ids({ until: 20, after, limit: 9 }), ["b", "c"]);
  equal((await owner.run("a"))?.wakeAt, undefined);
  await owner.close();
}

async function awaiting(store: Store): Promise<void> {
  const owner = await store.open();
  await owner.commit([
    ...["parent", "other", "child"].map((id) => create(id)),
    change("parent", { awaits: ["child", "later", "child"] }),
    change("other", { awaits: ["later"] }),
  ]);
  deepEqual(await owner.awaiting("child"), ["parent"]);
  deepEqual(await owner.awaiting("later"), ["parent", "other"]);
  deepEqual(await owner.awaiting("parent"), []);
  deepEqual(await owner.awaiting(), []);
  // What is not said stays as it was.
  await owner.commit([change("parent", { reason: "paused" }), create("later")]);
  await owner.commit([change("later", { status: "undone", wakeAt: undefined })]);
  deepEqual(await owner.awaiting(), ["parent", "other"]);
  await owner.commit([change("parent", { awaits: ["child"] })]);
  deepEqual(await owner.awaiting(), ["other"]);
  deepEqual(await owner.awaiting("later"), ["other"]);
  await owner.commit([change("other", { awaits: [] })]);
  deepEqual(await owner.awaiting("later"), []);
  await owner.close();
  const next = await store.open();
  deepEqual(await next.awaiting("child"), ["parent"]);
  await next.close();
}

async function followed(store: Store): Promise<void> {
  const owner = await store.open();
  equal(await owner.lastCursor(), 0);
  const [first, second, third] = EVENTS as readonly [LoggedEvent, LoggedEvent, LoggedEvent];
  const append = (run: string, ...events: LoggedEvent[]): Write => ({
    kind: "append",
    run,
    events,
  });
  await owner.commit([create("a"), create("b"), append("a", first), append("b", first)]);
  const reader = await store.reader();
  await owner.commit([append("a", second, third), append("b", second)]);
  const all = await reader.log(0, 99);
  deepEqual(
    all.map(({ run, saga, event }) => [run, saga, event]),
    [
      ["a", "S.one", first],
      ["b", "S.one", first],
      ["a", "S.one", second],
      ["a", "S.one", third],
      ["b", "S.one", second],
    ].map(([run, , event]) => [run, row("x").saga, event]),
  );
  const cursors = all.map(({ cursor }) => cursor);
  deepEqual(
    cursors,
    [...cursors].sort((x, y) => x - y),
  );
  deepEqual(await reader.log(cursors[1] as number, 2), all.slice(2, 4));
  deepEqual(await reader.events("a", 0, 1), [second]);
  equal(await reader.lastCursor(), cursors.at(-1));
  // What is removed is not there any more; and its cursors are of no other event, ever.
  await owner.commit([{ kind: "remove", run: "b" }]);
  deepEqual(
    (await reader.log(0, 99)).map(({ run }) => run),
    ["a", "a", "a"],
  );
  await owner.commit([{ kind: "remove", run: "a" }, create("c")]);
  await owner.commit([append("c", first)]);
  const [last] = await reader.log(cursors.at(-1) as number, 99);
  equal(last?.run, "c");
  deepEqual(last?.event, first);
  await reader.close();
  await owner.close();
}

async function pruned(store: Store): Promise<void> {
  const owner = await store.open();
  const finished = { status: "succeeded", wakeAt: undefined } as const;
  await owner.commit([
    create("runs"),
    create("x", { ...finished, updatedAt: 40 }),
    create("y", { ...finished, status: "undone", updatedAt: 20 }),
    create("z", { ...finished, updatedAt: 30 }),
    create("awaited", { ...finished, updatedAt: 10 }),
    create("stuck", { status: "stuck", updatedAt: 5 }),
    change("runs", { awaits: ["awaited"] }),
    { kind: "append", run: "y", events: EVENTS },
    { kind: "append", run: "z", events: EVENTS },
  ]);
  deepEqual(await owner.prunable({ limit: 9 }), ["y", "z", "x"]);
  deepEqual(await owner.prunable({ limit: 2 }), ["y", "z"]);
  deepEqual(await owner.prunable({ before: 30, limit: 9 }), ["y"]);
  deepEqual(await owner.prunable({ keep: 1, limit: 9 }), ["y", "z"]);
  deepEqual(await owner.prunable({ keep: 1, before: 30, limit: 9 }), ["y"]);
  deepEqual(await owner.prunable({ keep: 9, limit: 9 }), []);
  await owner.commit([
    { kind: "remove", run: "y" },
    { kind: "remove", run: "runs" },
  ]);
  equal(await owner.run("y"), undefined);
  deepEqual(await owner.events("y"), []);
  deepEqual(await owner.events("z"), EVENTS);
  deepEqual(await owner.awaiting("awaited"), []);
  deepEqual(await owner.prunable({ keep: 0, limit: 9 }), ["awaited", "z", "x"]);
  deepEqual(
    (await owner.runs({})).map(({ id }) => id),
    ["x", "z", "awaited", "stuck"],
  );
  deepEqual(
    (await owner.runs({ after: "z" })).map(({ id }) => id),
    ["awaited", "stuck"],
  );
  // Of several owners, another may have removed it.
  if (owner.fleet !== undefined) await owner.commit([{ kind: "remove", run: "y" }]);
  else await rejects(owner.commit([{ kind: "remove", run: "y" }]), "it is gone");
  await owner.commit([create("y", { nonce: "another" }), { kind: "append", run: "y", events: [] }]);
  deepEqual(await owner.run("y"), row("y", { nonce: "another" }));
  deepEqual(await owner.events("y"), []);
  equal((await owner.runs({})).at(-1)?.id, "y");

  const [old, open] = [
    await owner.request("pause", "x", "{}"),
    await owner.request("drain", undefined, "{}"),
  ];
  await owner.commit([{ kind: "answer", request: old, answer: { ok: true } }]);
  equal(await owner.unswept(Date.now() - 60_000), false);
  equal(await owner.unswept(Date.now() + 60_000), true);
  await owner.commit([{ kind: "sweep", answeredBefore: Date.now() + 60_000 }]);
  equal(await owner.unswept(Date.now() + 60_000), false);
  equal(await owner.answer(old), undefined);
  deepEqual(
    (await owner.requests()).map(({ id }) => id),
    [open],
  );
  equal((await owner.request("drain", undefined, "{}")) > open, true);
  await owner.close();
}
