/**
 * The cost of being durable, on SQLite: a chain against bare commits of the same store, such a
 * commit against bare SQLite, and many runs at once against the rows that bare SQLite takes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Coordinator, sqliteStore } from "steno-runtime";
import { chain, Work, type WorkSaga } from "./definitions.js";
import { byTurns, time, type Bench } from "./measure.js";
import { BareStore } from "./bare-store.js";
import { RawStore } from "./raw-store.js";

const LENGTH = 10;
/** Rows in a commit of the raw rate: about what a busy coordinator groups. */
const GROUP = 100;

export const durableBenches: readonly Bench[] = [
  {
    name: "durable-chain",
    run: () =>
      onDisk(chain(LENGTH), async ({ coordinator, saga, bare }) => {
        const runs = 50;
        const perAction = async (): Promise<number> => {
          const total = await time(async () => {
            for (let i = 0; i < runs; i++) {
              await (await coordinator.start(saga, { id: i })).result();
            }
          });
          return total / (runs * LENGTH);
        };
        await perAction();
        await bare.perCommit(500);
        // A commit for each action, and one before the first: fewer are not durable.
        const commits = async (): Promise<number> =>
          ((await bare.perCommit(500)) * (LENGTH + 1)) / LENGTH;
        const [value, limit] = await byTurns(9, perAction, commits);
        const ratio = value / limit;
        return { value, unit: "ms/action", limit, ratio, target: "<= 1.5", ok: ratio <= 1.5 };
      }),
  },
  {
    name: "durable-commit",
    run: () =>
      onDisk(chain(LENGTH), async ({ bare, raw }) => {
        await bare.perCommit(500);
        const rawCommit = async (): Promise<number> => raw.perCommit(500, 1);
        const [value, limit] = await byTurns(9, () => bare.perCommit(500), rawCommit);
        return { value, unit: "ms/commit", limit, ratio: value / limit };
      }),
  },
  {
    name: "durable-throughput",
    run: () =>
      onDisk(chain(LENGTH), async ({ coordinator, saga, raw }) => {
        const perSecond = async (): Promise<number> =>
          (1000 * LENGTH * 1000) / (await time(() => runAtOnce(coordinator, saga, 1000)));
        await perSecond();
        const rawRows = async (): Promise<number> => (GROUP * 1000) / raw.perCommit(50, GROUP);
        const [value, limit] = await byTurns(5, perSecond, rawRows);
        const ratio = value / limit;
        // 30,000 actions a second where the store takes 200,000 rows a second.
        return { value, unit: "1/s", limit, ratio, target: ">= 0.15", ok: ratio >= 0.15 };
      }),
  },
];

/** Starts `count` runs at once and waits for all of them. */
export async function runAtOnce(
  coordinator: Coordinator,
  saga: WorkSaga,
  count: number,
): Promise<void> {
  await Promise.all(
    [...Array(count).keys()].map(async (id) => (await coordinator.start(saga, { id })).result()),
  );
}

export interface OnDisk {
  readonly coordinator: Coordinator;
  readonly saga: WorkSaga;
  readonly bare: BareStore;
  readonly raw: RawStore;
}

/** A coordinator on a new SQLite file, and bare stores of the same kind beside it. */
export async function onDisk<T>(
  saga: WorkSaga,
  measure: (on: OnDisk) => Promise<T>,
  work = new Work(),
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "steno-bench-"));
  const raw = new RawStore(join(directory, "raw.db"));
  const bare = await BareStore.open(join(directory, "bare.db"));
  const coordinator = await Coordinator.open({
    store: sqliteStore(join(directory, "steno.db")),
    sagas: [saga.on(work)],
  });
  try {
    return await measure({ coordinator, saga, bare, raw });
  } finally {
    await coordinator.close();
    await bare.close();
    raw.close();
    rmSync(directory, { recursive: true });
  }
}
