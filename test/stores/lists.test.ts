/** Lists of runs: what is filtered by, pages while runs come and go, and that an index answers each. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { memoryStore } from "../../runtime/stores/memory.js";
import { listQuery } from "../../runtime/stores/sqlite-list.js";
import { loadDriver } from "../../runtime/stores/sqlite-driver.js";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import type { RunFilter, RunRow, RunStatus, StoreOwner } from "../../runtime/stores/store.js";
import { sampleRun, temporaryFolder } from "./sample.js";

const STATUSES: readonly RunStatus[] = ["running", "unwinding", "stuck", "succeeded", "undone"];
const REASONS = [undefined, "paused", "waiting-event"];

/** Different in each filter; the clock goes back now and then. */
function runNumber(i: number): RunRow {
  return sampleRun(`${i % 7 === 0 ? "order" : "trip"}-${i}`, {
    saga: i % 3 === 0 ? "Trip.book" : "Order.place",
    status: STATUSES[i % 5] as RunStatus,
    reason: REASONS[i % 3],
    createdAt: 1000 + (i % 11 === 0 ? i - 5 : i),
  });
}

const FILTERS: readonly RunFilter[] = [
  {},
  { saga: "Trip.book" },
  { status: ["stuck"] },
  { status: ["running", "unwinding"] },
  { saga: "Trip.book", status: ["stuck", "running"] },
  { reason: "paused" },
  { reason: "waiting-event", saga: "Order.place", status: ["running"] },
  { createdFrom: 1100, createdBefore: 1200 },
  { idPrefix: "order-1" },
  { idPrefix: "order-", status: ["undone"], createdFrom: 1050 },
  { idPrefix: "\u{10ffff}" },
];

const create = (run: RunRow) => ({ kind: "create", run }) as const;

async function stores(count: number): Promise<readonly StoreOwner[]> {
  const owners = [
    await sqliteStore(join(temporaryFolder(), "a.db")).open(),
    await memoryStore().open(),
  ];
  const writes = Array.from({ length: count }, (_, i) => create(runNumber(i)));
  for (const owner of owners) await owner.commit(writes);
  return owners;
}

const ids = (runs: readonly RunRow[]): readonly string[] => runs.map(({ id }) => id);

test("both stores list the same runs in the same order, whatever they are filtered by", async () => {
  const [sqlite, memory] = (await stores(500)) as [StoreOwner, StoreOwner];
  for (const filter of FILTERS) {
    const found = await sqlite.runs({ ...filter, limit: 1000 });
    expect(ids(await memory.runs({ ...filter, limit: 1000 })), JSON.stringify(filter)).toEqual(
      ids(found),
    );
    const sorted = [...found].sort((a, b) => a.createdAt - b.createdAt || a.key - b.key);
    expect(found).toEqual(sorted);
    expect(found.length > 0).toBe(filter.idPrefix !== "\u{10ffff}");
  }
  for (const owner of [sqlite, memory]) await owner.close();
});

test("pages miss and double nothing, while runs are added and removed between them", async () => {
  for (const owner of await stores(300)) {
    let added = 1;
    for (const filter of FILTERS) {
      const whole = ids(await owner.runs({ ...filter, limit: 1000 }));
      const seen: string[] = [];
      let page = await owner.runs({ ...filter, limit: 17 });
      while (page.length > 0) {
        seen.push(...ids(page));
        const last = page.at(-1);
        // The run at the place of the cursor goes, and comes again later in the list.
        if (last === undefined) break;
        await owner.commit([
          { kind: "remove", run: last.id },
          // Before all others.
          create({ ...runNumber(0), id: `x-${added}`, createdAt: -added++ }),
        ]);
        const from = { createdAt: last.createdAt, key: last.key };
        page = await owner.runs({ ...filter, limit: 17, from });
      }
      expect(seen).toEqual(whole);
      const gone = whole.filter((_, i) => i % 17 === 16 || i === whole.length - 1);
      const back = gone.map((id) => create({ ...runNumber(Number(id.split("-").at(-1))), id }));
      await owner.commit(back.filter(({ run }) => !run.id.startsWith("x-")));
    }
    await owner.close();
  }
});

test("every list of 100,000 runs is answered by an index, and without sorting unless by the beginning of ids", async () => {
  const path = join(temporaryFolder(), "a.db");
  await (await sqliteStore(path).open()).close();
  const connection = loadDriver()(path);
  connection.exec(`WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 100000)
    INSERT INTO runs (id, saga, hash, nonce, status, reason, created_at, updated_at)
    SELECT 'trip-' || i, iif(i % 3, 'Trip.book', 'Order.place'), 'h', 'n',
      iif(i % 5, 'running', 'stuck'), iif(i % 3, 'paused', NULL), i, i FROM numbers`);
  const place = { createdAt: 50_000, key: 49_000 };
  for (const filter of FILTERS.flatMap((each) => [each, { ...each, from: place }])) {
    const query = listQuery(filter, undefined);
    const plan = connection
      .prepare(`EXPLAIN QUERY PLAN ${query?.sql}`)
      .all(...(query?.values[0] ?? []))
      .map((row) => String(row["detail"]));
    const label = `${JSON.stringify(filter)}: ${plan.join("; ")}`;
    expect(plan[0], label).toMatch(/^(SEARCH|SCAN) runs USING (INDEX|COVERING INDEX) /);
    if (filter.idPrefix === undefined) expect(plan, label).toHaveLength(1);
    // From the beginning, all are looked at in their order; and where ids may be any.
    const all = Object.keys(filter).length === 0 || filter.idPrefix === "\u{10ffff}";
    if (!all) expect(plan[0], label).toMatch(/^SEARCH/);
  }
  connection.close();
});
