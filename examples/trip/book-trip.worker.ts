/**
 * What `steno run` runs: the saga, bound to the object that has its dependencies. The compiler
 * takes this file as the entry of the bundle because it lies beside `book-trip.ts`.
 */
import { Agency } from "./agency.js";
import { BookTrip } from "./book-trip.js";
import { bookTrip } from "./book-trip.saga.js";

const url = process.env["BOOKINGS_URL"];
if (url === undefined) throw new Error("set BOOKINGS_URL to the address of the booking server");

export default [bookTrip.on(new BookTrip(new Agency(url)))];
