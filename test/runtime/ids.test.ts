/** Ids of runs: which ones are refused, and that one that is taken refuses that start and no other. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Coordinator, memoryStore, sqliteStore, type Store } from "steno-runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { action, scripted, scriptOf } from "./sagas.js";
import { keptLog } from "./watched-store.js";

const saga = scripted([action("a")]);

function sqlite(): Store {
  const folder = mkdtempSync(join(tmpdir(), "steno-ids-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return sqliteStore(join(folder, "a.db"));
}

const open = (store: Store, logger = keptLog()): Promise<Coordinator> =>
  Coordinator.open({ store, sagas: [saga.on(scriptOf(() => 1))], logger });

/** Its owner does not find the run at first, as if somebody else created it just then. */
function blindOnce(inner: Store, id: string): Store {
  let blind = true;
  return {
    reader: () => inner.reader(),
    open: async () => {
      const owner = await inner.open();
      const find = owner.run.bind(owner);
      owner.run = async (wanted) => {
        if (wanted !== id || !blind) return find(wanted);
        blind = false;
        return undefined;
      };
      return owner;
    },
  };
}

describe.each([
  ["in memory", memoryStore],
  ["in SQLite", sqlite],
])("%s", (_name, makeStore) => {
  test("an id that holds half a character is refused, and a whole one is not", async () => {
    const store = makeStore();
    const coordinator = await open(store);
    const starts = ["\ud800", "x\udc00", "\ud83d", ""].map((id) =>
      coordinator.start(saga, 1, { id }).then(undefined, (error: { code: string }) => error.code),
    );
    expect(await Promise.all(starts)).toEqual(["bad-id", "bad-id", "bad-id", "bad-id"]);
    const run = await coordinator.start(saga, 1, { id: "trip 🚲" });
    expect(await run.result()).toBe(1);
    expect(await (await store.reader()).runs({})).toHaveLength(1);
    await coordinator.close();
  });

  test("an id that is taken when the run is written refuses that start, and nothing else", async () => {
    const store = makeStore();
    const before = await open(store);
    await (await before.start(saga, "first", { id: "taken" })).result();
    await before.close();

    const logger = keptLog();
    const coordinator = await open(blindOnce(store, "taken"), logger);
    const [taken, other] = await Promise.allSettled([
      coordinator.start(saga, "second", { id: "taken" }),
      coordinator.start(saga, "other", { id: "other" }),
    ]);
    expect(taken).toMatchObject({ status: "rejected", reason: { code: "run-exists" } });
    if (other.status === "rejected") throw other.reason;
    expect(await other.value.result()).toBe("other");
    expect(await (await coordinator.start(saga, "third")).result()).toBe("third");
    expect(await (await coordinator.run("taken"))?.result()).toBe("first");
    expect(logger.said).toEqual([]);
    await coordinator.close();
  });
});
