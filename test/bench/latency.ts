/**
 * What one run costs in time, on SQLite, with nothing else to do: from an action to the next, over
 * many actions side by side, and back again when the last one fails.
 */
import { performance } from "node:perf_hooks";
import type { BareStore } from "./bare-store.js";
import { chain, fanOut, type Receipt, Work } from "./definitions.js";
import { onDisk } from "./durable.js";
import { byTurns, quantile, time, type Bench, type Measured } from "./measure.js";

const LENGTH = 10;

/** Notes when each of its actions begins. */
class Timed extends Work {
  readonly begun: number[] = [];
  override async act(id: number): Promise<Receipt> {
    this.begun.push(performance.now());
    return super.act(id);
  }
}

/** Every tenth action fails: the last of each chain, where chains follow one another. */
class FailingAtLast extends Work {
  #calls = 0;
  override async act(id: number): Promise<Receipt> {
    this.#calls += 1;
    if (this.#calls % LENGTH === 0) throw new Error("the last one fails");
    return super.act(id);
  }
}

export const latencyBenches: readonly Bench[] = [
  { name: "latency-p50", run: () => latency(0.5) },
  { name: "latency-p99", run: () => latency(0.99) },
  // The best peer takes 86 ms for 200, where the rows take 2 ms.
  { name: "fan-out-200", run: () => across(200, 20, 1.5) },
  { name: "fan-out-10000", run: () => across(10_000, 1, 1.5) },
  { name: "unwinding", run: () => unwinding() },
];

/** From the beginning of an action to that of the next, against single commits of the same store. */
function latency(of: number): Promise<Measured> {
  const work = new Timed();
  const saga = chain(LENGTH);
  return onDisk(
    saga,
    async ({ coordinator, bare }) => {
      const actions = async (): Promise<number> => {
        work.begun.length = 0;
        for (let id = 0; id < 50; id++) await (await coordinator.start(saga, { id })).result();
        const gaps = work.begun.map((at, index) => at - (work.begun[index - 1] ?? at));
        return quantile(
          gaps.filter((_, index) => index % LENGTH > 0),
          of,
        );
      };
      await actions();
      const [value, limit] = await byTurns(9, actions, () => commits(bare, of));
      const ratio = value / limit;
      return { value, unit: "ms/action", limit, ratio, target: "<= 1.5", ok: ratio <= 1.5 };
    },
    work,
  );
}

async function commits(bare: BareStore, of: number): Promise<number> {
  const taken: number[] = [];
  for (let commit = 0; commit < 450; commit++) taken.push(await bare.perCommit(1));
  return quantile(taken, of);
}

/** Actions side by side and one after them, against their rows: a start and an end of each. */
function across(width: number, runs: number, most: number): Promise<Measured> {
  const saga = fanOut(width);
  return onDisk(saga, async ({ coordinator, raw }) => {
    const perRun = async (): Promise<number> => {
      const total = await time(async () => {
        for (let id = 0; id < runs; id++) await (await coordinator.start(saga, { id })).result();
      });
      return total / runs;
    };
    await perRun();
    const rows = 2 * (width + 1);
    const rawRows = async (): Promise<number> => (raw.perCommit(40, 100) * rows) / 100;
    const [value, limit] = await byTurns(5, perRun, rawRows);
    const ratio = value / limit;
    return { value, unit: "ms/run", limit, ratio, target: `<= ${most}`, ok: ratio <= most };
  });
}

/** Ten actions of which the last fails and nine are undone, against a commit for each of those and one before. */
function unwinding(): Promise<Measured> {
  const saga = chain(LENGTH);
  return onDisk(
    saga,
    async ({ coordinator, bare }) => {
      const runs = 30;
      const perRun = async (): Promise<number> => {
        const total = await time(async () => {
          for (let id = 0; id < runs; id++) {
            await (await coordinator.start(saga, { id })).result().catch(() => undefined);
          }
        });
        return total / runs;
      };
      await perRun();
      const bodies = LENGTH + LENGTH - 1;
      const bareCommits = async (): Promise<number> => (await bare.perCommit(500)) * (bodies + 1);
      const [value, limit] = await byTurns(9, perRun, bareCommits);
      const ratio = value / limit;
      return { value, unit: "ms/run", limit, ratio, target: "<= 1.5", ok: ratio <= 1.5 };
    },
    new FailingAtLast(),
  );
}
