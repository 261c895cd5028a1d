/**
 * The process that `crash.test.ts` kills: books one trip, and kills itself with SIGKILL before or
 * after the Nth commit, by a wrapper around the store. It is bundled, with the sources, to run.
 */
import { Coordinator, sqliteStore, type Store } from "steno-runtime";
import { Agency } from "../../examples/trip/agency.js";
import { BookTrip, type TripParams } from "../../examples/trip/book-trip.js";
import { bookTrip } from "../../examples/trip/book-trip.saga.js";

/** What the process is told, as JSON in its one argument. */
export interface Orders {
  readonly url: string;
  readonly store: string;
  readonly params: TripParams;
  /** Absent: somebody else does the killing. */
  readonly kill?: { readonly commit: number; readonly when: "before" | "after" };
}

const { url, store, params, kill } = JSON.parse(process.argv[2] ?? "") as Orders;
const plain = sqliteStore(store);
const coordinator = await Coordinator.open({
  store: kill === undefined ? plain : killing(plain, kill),
  sagas: [bookTrip.on(new BookTrip(new Agency(url)))],
});
const run = await coordinator.start(bookTrip, params, { id: "trip" });
await run.result().catch(() => {});
await coordinator.close();

function killing(inner: Store, { commit: last, when }: NonNullable<Orders["kill"]>): Store {
  return {
    reader: () => inner.reader(),
    open: async () => {
      const owner = await inner.open();
      let commits = 0;
      return new Proxy(owner, {
        get(target, member) {
          const value: unknown = Reflect.get(target, member);
          if (typeof value !== "function") return value;
          if (member !== "commit") return value.bind(target) as unknown;
          return async (...args: Parameters<typeof target.commit>): Promise<void> => {
            commits += 1;
            if (commits === last && when === "before") process.kill(process.pid, "SIGKILL");
            await target.commit(...args);
            if (commits === last && when === "after") process.kill(process.pid, "SIGKILL");
          };
        },
      });
    },
  };
}
