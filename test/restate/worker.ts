/** The process that `crash.test.ts` kills: serves the trip, and nothing else. It is bundled to run. */
import { serveSagas } from "steno-restate";
import { Agency } from "../../examples/trip/agency.js";
import { BookTrip } from "../../examples/trip/book-trip.js";
import { bookTrip } from "../../examples/trip/book-trip.saga.js";

/** What it is told, as JSON in its one argument. */
export interface Orders {
  /** Of the booking server. */
  readonly url: string;
  readonly port: number;
  /** Of the workflow. */
  readonly name: string;
}

const { url, port, name } = JSON.parse(process.argv[2] ?? "") as Orders;
await serveSagas({ sagas: [bookTrip.on(new BookTrip(new Agency(url)))], port, name });
process.stdout.write("serving\n");
