/** Which runs a seed has, and how each of them has to end. It is the same in each process of a loop. */
import { stream } from "../simulate/random.js";
import type { AuditParams, OrderParams } from "./orders.js";

export type Order =
  | {
      readonly saga: "order";
      readonly id: string;
      readonly params: OrderParams;
      readonly end: string;
    }
  | {
      readonly saga: "audit";
      readonly id: string;
      readonly params: AuditParams;
      readonly end: string;
    };

const ITEMS = ["one", "two", "last", "three"];
const RUNS = 5;

export function plan(seed: number): Order[] {
  const choose = stream(seed, "plan");
  return Array.from({ length: RUNS }, (_, number): Order => {
    const id = `run-${number}`;
    const few = ITEMS.filter(() => choose(10) < 6);
    if (number % 3 === 2) {
      const params = { shelves: few, fails: choose(10) < 4 };
      const told = ["own", ...few, "other", "report"].join(" ");
      const end = params.fails ? "saga-failed at report" : `succeeded: ${told}`;
      return { saga: "audit", id, params, end };
    }
    const fails = (["insure", "ship", "nothing"] as const)[choose(3)] ?? "nothing";
    const params: OrderParams = { items: few, gift: choose(2) === 0, fails };
    const cover = fails === "insure" ? "note" : "draft";
    const told = ["stock", ...few, cover, "by card", "parcel"].join(" ");
    const end = fails === "ship" ? "saga-failed at sent" : `succeeded: ${told}`;
    return { saga: "order", id, params, end };
  });
}
