/**
 * The process that `kills.test.ts` kills: serves the orders of `test/kills`, and kills itself at one in so
 * many of its moments, before and after each call and each effect. It is bundled to run.
 */
import { serveSagas } from "steno-restate";
import { Orders } from "../kills/orders.js";
import { audit, count, order } from "../kills/orders.saga.js";
import { Shop } from "../kills/shop.js";

/** What it is told, as JSON in its one argument. */
export interface Told {
  readonly shop: string;
  readonly port: number;
  /** Of the workflow. */
  readonly name: string;
  /** Of so many moments one is its last; 0: none is. */
  readonly oneIn: number;
}

const { shop, port, name, oneIn } = JSON.parse(process.argv[2] ?? "") as Told;
const orders = new Orders(
  new Shop(shop, () => {
    if (oneIn > 0 && Math.random() * oneIn < 1) process.kill(process.pid, "SIGKILL");
  }),
);
// Whoever is killed is not at fault.
const crashLimit = Infinity;
await serveSagas({
  ...{ sagas: [order.on(orders), audit.on(orders), count.on(orders)], port, name, crashLimit },
});
process.stdout.write("serving\n");
