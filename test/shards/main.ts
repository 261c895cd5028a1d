/**
 * npm run shards: what a commit costs on a real PostgreSQL of this machine, and what several such databases
 * would do together, simulated by that. The only file here that prints.
 */
import { postgresStore } from "steno-runtime/postgres";
import type { RunRow, Write } from "../../runtime/stores/store.js";
import { startPostgres } from "../postgres/server.js";
import { type Costs, type Load, moved, placed, throughput } from "./shards.js";

const LOAD: Load = { runs: 20_000, actions: 10, bodyMs: 5 };
const SHARDS = [1, 2, 4, 8, 16];
/** Of all runs, what one database has besides its share: those of one parent, say. */
const HOT = 0.25;

const RUN: RunRow = {
  ...{
    id: "",
    saga: "Load.load",
    hash: "sha256-load",
    nonce: "n",
    params: "null",
    status: "running",
  },
  ...{ reason: undefined, output: undefined, error: undefined, createdAt: 0, updatedAt: 0 },
  wakeAt: 0,
};

/** A commit of few rows, and of many: the least of several. */
async function measured(): Promise<Costs> {
  const server = await startPostgres({ fsync: true });
  const owner = await postgresStore(server.url("postgres")).open();
  let made = 0;
  const timed = async (runs: number): Promise<number> => {
    const writes = Array.from({ length: runs }, (): Write[] => {
      const id = `r${made++}`;
      const value = JSON.stringify("x".repeat(100));
      const node = { at: 0, node: "a", attempt: 1, value };
      return [
        { kind: "create", run: { ...RUN, id } },
        {
          ...{ kind: "append", run: id },
          events: [
            { ...node, seq: 0, type: "started" },
            { ...node, seq: 1, type: "succeeded" },
          ],
        },
      ];
    });
    const began = performance.now();
    await owner.commit(writes.flat());
    return performance.now() - began;
  };
  const least = async (runs: number): Promise<number> => {
    const times: number[] = [];
    for (let turn = 0; turn < 12; turn++) times.push(await timed(runs));
    return times.sort((a, b) => a - b)[3] as number;
  };
  await least(10);
  const [few, many] = [await least(1), await least(1000)];
  await owner.close();
  await server.stop();
  return { commitMs: few, rowMs: Math.max(0, many - few) / 2000 };
}

const costs = await measured();
const ids = Array.from({ length: LOAD.runs }, (_, index) => `run-${index}`);
console.log(
  `measured here: ${costs.commitMs.toFixed(2)} ms for a commit, and ${(costs.rowMs * 1000).toFixed(1)} us for each row of it\n` +
    `simulated: ${LOAD.runs} runs of ${LOAD.actions} actions, of ${LOAD.bodyMs} ms each`,
);
const base = throughput([LOAD.runs], LOAD, costs);
for (const shards of SHARDS) {
  const spread = placed(ids, shards);
  const even = throughput(spread, LOAD, costs);
  const fullest = (Math.max(...spread) * shards) / LOAD.runs;
  const hot = spread.map((runs, shard) => runs * (1 - HOT) + (shard === 0 ? LOAD.runs * HOT : 0));
  const skewed = throughput(hot.map(Math.round), LOAD, costs);
  console.log(
    `${shards} databases: ${Math.round(even)} actions a second (${(even / base).toFixed(1)} times one), ` +
      `the fullest has ${fullest.toFixed(2)} of its share; ` +
      `with a quarter of all runs in one, ${(skewed / base).toFixed(1)} times; ` +
      `one more moves ${Math.round(100 * moved(ids, shards))} % of the ids`,
  );
}
