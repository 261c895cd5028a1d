/**
 * The trip on a fleet: starts a PostgreSQL, three coordinators and a load of trips, kills one of the
 * coordinators in the middle, and shows that the others take over. It exits with 1 if a trip is not
 * booked whole or not at all. Run it: npm run fleet.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { Agency } from "../trip/agency.js";
import { bookTrip } from "../trip/book-trip.saga.js";
import { startBookingServer } from "../trip/booking-server.js";
import { query, startPostgres } from "./postgres.js";

const TRIPS = 180;

const folder = mkdtempSync(join(tmpdir(), "steno-fleet-"));
title("1. Start a PostgreSQL, and three coordinators on it");
const server = await startPostgres({ fsync: true });
const database = await server.create("trips");
const bookings = await startBookingServer({
  file: join(folder, "bookings.json"),
  soldOut: ["limousine"],
  latency: 50,
});
const workers = [await serve(), await serve(), await serve()] as const;
// This process executes nothing: it starts trips, and waits for them.
const client = await Client.open({ store: postgresStore(database), sagas: [bookTrip] });

try {
  title(`2. Start ${TRIPS} trips; the car of each third is sold out`);
  const runs = await Promise.all(
    Array.from({ length: TRIPS }, (_, i) =>
      client.start(
        bookTrip,
        {
          ...{ card: "4242", price: 900, hotel: "Grand", flight: "LH 454" },
          car: i % 3 === 0 ? "limousine" : "compact",
        },
        { id: `trip-${i}` },
      ),
    ),
  );
  const outcomes = Promise.all(runs.map((run) => run.outcome()));
  await until(async () => (await owners()).length > 1);
  await show();
  title("3. Kill the one that has most of them");
  const killed = performance.now();
  const [victim] = await owners();
  const worker = workers.find(({ pid }) => pid === victim?.["pid"]);
  worker?.kill("SIGKILL");
  say(`  kill -9 ${worker?.pid}`);
  await until(async () => !(await owners()).some(({ pid }) => pid === worker?.pid));
  say(`  after ${((performance.now() - killed) / 1000).toFixed(1)} s its trips are the others':`);
  await show();
  title("4. All trips are booked whole, or not at all");
  const ends = (await outcomes).map(({ status }) => status);
  const count = (status: string): number => ends.filter((each) => each === status).length;
  say(`  ${count("succeeded")} booked, ${count("undone")} cancelled`);
  const entries = await new Agency(bookings.url).list();
  const left = entries.filter(({ status }) => status === "booked").length;
  // A payment, a hotel, a flight, a car and a summary of each that is booked.
  const expected = 5 * count("succeeded");
  say(`  the booking server holds ${left} bookings, of ${expected}`);
  if (count("undone") !== TRIPS / 3 || left !== expected) process.exitCode = 1;
} finally {
  await client.close();
  for (const worker of workers) worker.kill("SIGKILL");
  await bookings.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** A coordinator in a process of its own; resolves when it is open. */
async function serve(): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("worker.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, BOOKINGS_URL: bookings.url, DATABASE_URL: database },
  });
  child.stdout.pipe(process.stdout);
  await once(child.stdout, "data");
  return child;
}

/** How many runs each coordinator has, as the tables say. */
function owners(): ReturnType<typeof query> {
  return query(
    database,
    `SELECT pid, count(*)::int AS runs FROM steno.runs JOIN steno.coordinators ON epoch = owner
     GROUP BY pid ORDER BY runs DESC`,
  );
}

async function show(): Promise<void> {
  for (const { pid, runs } of await owners()) {
    say(`  coordinator ${String(pid)} has ${String(runs)} trips under way`);
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

function title(text: string): void {
  say(`\n${text}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
