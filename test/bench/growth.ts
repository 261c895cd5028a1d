/** Growth with the number of nodes: the time per node must not depend on it. */
import { Coordinator, memoryStore } from "steno-runtime";
import {
  chain,
  fanOut,
  items,
  ladder,
  scopes,
  Work,
  type Sized,
  type WorkSaga,
} from "./definitions.js";
import { byTurns, time, type Bench, type Measured } from "./measure.js";

export const growthBenches: readonly Bench[] = [
  { name: "growth-chain", run: () => growth(chain(1000), chain(10_000)) },
  { name: "growth-ladder", run: () => growth(ladder(100, 2), ladder(1000, 2)) },
  { name: "growth-fan-out", run: () => growth(fanOut(1000), fanOut(10_000)) },
  { name: "growth-map", run: () => growth(items("map", 1000), items("map", 10_000)) },
  { name: "growth-loop", run: () => growth(items("loop", 1000), items("loop", 10_000)) },
  // What is logged grows with the depth, too: the path of a node names each scope around it.
  { name: "growth-scopes", run: () => growth(scopes(30), scopes(300), 3) },
];

/** Microseconds per node of a large saga, against those of one a tenth of its size. */
async function growth(
  small: WorkSaga | Sized,
  large: WorkSaga | Sized,
  most = 2,
): Promise<Measured> {
  await perNode(small, 10);
  await perNode(large, 1);
  const [value, limit] = await byTurns(
    9,
    () => perNode(large, 1),
    () => perNode(small, 10),
  );
  const ratio = value / limit;
  // Linear would be 1; the rest is noise and the caches of the processor.
  return { value, unit: "us/node", limit, ratio, target: `<= ${most}`, ok: ratio <= most };
}

async function perNode(of: WorkSaga | Sized, runs: number): Promise<number> {
  const { saga, size } = "size" in of ? of : { saga: of, size: of.manifest.nodes.length };
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [saga.on(new Work())],
  });
  const total = await time(async () => {
    for (let id = 0; id < runs; id++) await (await coordinator.start(saga, { id })).result();
  });
  await coordinator.close();
  return (total * 1000) / (runs * size);
}
