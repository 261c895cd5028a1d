/** The process that serves the trip to Restate; `main.ts` starts it, and kills it in the middle. */
import { serveSagas } from "steno-restate";
import { Agency } from "../trip/agency.js";
import { BookTrip } from "../trip/book-trip.js";
import { bookTrip } from "../trip/book-trip.saga.js";

const { BOOKINGS_URL: url, PORT: port } = process.env;
if (url === undefined || port === undefined) throw new Error("main.ts sets BOOKINGS_URL and PORT");

await serveSagas({ sagas: [bookTrip.on(new BookTrip(new Agency(url)))], port: Number(port) });
process.stdout.write("  serving trips\n");
