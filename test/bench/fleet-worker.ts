/** A coordinator in a process of its own, for the benchmarks of a fleet: `<url> <length> <lease> <body ms>`. */
import { setTimeout as sleep } from "node:timers/promises";
import { Coordinator } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { chain, type Receipt, Work } from "./definitions.js";

const [, , url = "", length, leaseMs, bodyMs] = process.argv;

class Slow extends Work {
  override async act(id: number): Promise<Receipt> {
    if (Number(bodyMs) > 0) await sleep(Number(bodyMs));
    return super.act(id);
  }
}

const coordinator = await Coordinator.open({
  store: postgresStore(url, { leaseMs: Number(leaseMs) }),
  sagas: [chain(Number(length)).on(new Slow())],
});
console.log("open");
process.once("SIGTERM", () => void coordinator.close().then(() => process.exit(0)));
