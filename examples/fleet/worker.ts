/** One coordinator of the fleet; `main.ts` starts three, and kills one. */
import { Coordinator } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { Agency } from "../trip/agency.js";
import { BookTrip } from "../trip/book-trip.js";
import { bookTrip } from "../trip/book-trip.saga.js";

const { BOOKINGS_URL: bookings, DATABASE_URL: database } = process.env;
if (bookings === undefined || database === undefined) {
  throw new Error("main.ts sets BOOKINGS_URL and DATABASE_URL");
}

const coordinator = await Coordinator.open({
  // Short, so that the demonstration is: ten seconds are the default.
  store: postgresStore(database, { leaseMs: 2000 }),
  sagas: [bookTrip.on(new BookTrip(new Agency(bookings)))],
});
process.stdout.write(`  coordinator ${process.pid} is open\n`);
process.once("SIGTERM", () => void coordinator.close().then(() => process.exit(0)));
