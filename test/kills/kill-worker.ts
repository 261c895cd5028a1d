/**
 * A process of the kill loop: opens the store, starts the runs that are not started yet, sends what they
 * wait for, and waits for their ends. It tells in a file what it was promised, and kills itself at one
 * of its moments: before and after each commit, before and after each effect. It is bundled to run.
 */
import { appendFileSync } from "node:fs";
import { Coordinator, type Run, sqliteStore, type Store } from "steno-runtime";
import { Orders } from "./orders.js";
import { audit, count, order } from "./orders.saga.js";
import { Shop } from "./shop.js";
import { type Order, plan } from "./plan.js";

export interface Told {
  readonly store: string;
  readonly shop: string;
  /** Where it tells what it was promised. */
  readonly promises: string;
  readonly seed: number;
  /** At which of its moments it dies; 0: at none. */
  readonly dies: number;
}

/** What a process was promised, one line each. */
export type Promised =
  | { readonly what: "started" | "sent"; readonly run: string }
  | { readonly what: "ended"; readonly run: string; readonly end: string };

export function open(store: Store, shop: Shop): Promise<Coordinator> {
  const orders = new Orders(shop);
  return Coordinator.open({
    store,
    sagas: [order.on(orders), audit.on(orders), count.on(orders)],
    // Whatever waits leaves memory, and comes back from the log.
    shortWaitMs: 5,
    // Whoever is killed is not at fault.
    crashLimit: Infinity,
    logger: { warn: () => undefined },
  });
}

/** Brings the runs of a seed to their ends; tells what it is promised on the way. */
export async function play(
  coordinator: Coordinator,
  seed: number,
  promised: (line: Promised) => void,
): Promise<void> {
  await Promise.all(plan(seed).map((each) => playOne(coordinator, each, promised)));
}

async function playOne(
  coordinator: Coordinator,
  { id, saga, params }: Order,
  promised: (line: Promised) => void,
): Promise<void> {
  const run: Run =
    saga === "order"
      ? await coordinator.start(order, params, { id })
      : await coordinator.start(audit, params, { id });
  promised({ what: "started", run: id });
  if (saga === "order") {
    const sent = await run.send("paid", "by card").then(
      () => true,
      () => false,
    );
    if (sent) promised({ what: "sent", run: id });
  }
  promised({ what: "ended", run: id, end: await endOf(run) });
}

/** How a run ended, in words. */
export function endOf(run: Run): Promise<string> {
  return run.result().then(
    (result) => `succeeded: ${String(result)}`,
    (error: { readonly code?: string; readonly node?: string }) => `${error.code} at ${error.node}`,
  );
}

/** The moments before and after each commit. */
function withMoments(inner: Store, moment: () => void): Store {
  return {
    reader: () => inner.reader(),
    open: async () => {
      const owner = await inner.open();
      const commit = owner.commit.bind(owner);
      owner.commit = async (writes) => {
        moment();
        await commit(writes);
        moment();
      };
      return owner;
    },
  };
}

if (process.argv[2] !== undefined && process.argv[1]?.includes("kill-worker")) {
  const told = JSON.parse(process.argv[2]) as Told;
  let moments = 0;
  const moment = (): void => {
    moments += 1;
    if (moments === told.dies) process.kill(process.pid, "SIGKILL");
  };
  const shop = new Shop(told.shop, moment);
  const coordinator = await open(withMoments(sqliteStore(told.store), moment), shop);
  await play(coordinator, told.seed, (line) =>
    appendFileSync(told.promises, `${JSON.stringify(line)}\n`),
  );
  await coordinator.close();
}
