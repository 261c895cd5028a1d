/** The runtime without a disk: what its own work costs. */
import { Coordinator, memoryStore } from "steno-runtime";
import { chain, Work } from "./definitions.js";
import { runAtOnce } from "./durable.js";
import { median, time, type Bench } from "./measure.js";

export const memoryBenches: readonly Bench[] = [
  {
    name: "memory-throughput",
    run: async () => {
      const saga = chain(10);
      const times: number[] = [];
      for (let round = 0; round < 9; round++) {
        const sagas = [saga.on(new Work())];
        const coordinator = await Coordinator.open({ store: memoryStore(), sagas });
        times.push(await time(() => runAtOnce(coordinator, saga, 1000)));
        await coordinator.close();
      }
      // The first rounds warm up. 110 ms is what the Rust library needs for as many.
      const value = median(times.slice(2));
      const ratio = value / 110;
      return { value, unit: "ms", limit: 110, ratio, target: "<= 1", ok: ratio <= 1 };
    },
  },
];
