/**
 * The trip on Restate: starts a Restate and a process that serves trips to it, books one, kills that
 * process in the middle of another, and lets a third one fail. It shows what the booking server
 * holds after each, and exits with 1 if that is not what it promises. Run it: npm run restate.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Run, statusText } from "steno-runtime";
import { stenoRestate } from "steno-restate";
import { Agency, type Entry } from "../trip/agency.js";
import { bookTrip } from "../trip/book-trip.saga.js";
import { startBookingServer } from "../trip/booking-server.js";
import { freePort, startRestate } from "./restate.js";

const folder = mkdtempSync(join(tmpdir(), "steno-restate-"));
/** Set for the act in which the process dies: called when something was booked. */
let onChange: (entry: Entry) => void = () => {};
const bookings = await startBookingServer({
  file: join(folder, "bookings.json"),
  soldOut: ["limousine"],
  latency: 100,
  onChange: (entry) => onChange(entry),
});
const agency = new Agency(bookings.url);
const port = await freePort();
title("1. Start Restate, and a process that serves trips to it");
const restate = await startRestate(join(folder, "restate"));
let worker = await serve();
const trip = { card: "4242", price: 900, hotel: "Grand", flight: "LH 454", car: "compact" };
const steno = stenoRestate({ ingress: restate.ingress });

try {
  await restate.register(port);
  await bookATrip();
  await killInTheMiddle();
  await failAndUndo();
} finally {
  worker.kill("SIGKILL");
  await restate.stop();
  await bookings.close();
  rmSync(folder, { recursive: true, force: true });
}

async function bookATrip(): Promise<void> {
  title("2. Book a trip");
  const run = await steno.start(bookTrip, trip, { id: "trip-1" });
  const { hotel, flight } = await run.result();
  say(`  ${hotel.id} and ${flight.id} are booked`);
  await show(run, { booked: 5, cancelled: 0 });
}

async function killInTheMiddle(): Promise<void> {
  title("3. Book another, and kill the process when the flight is booked and nobody knows it yet");
  onChange = ({ kind }) => {
    if (kind === "flight") worker.kill("SIGKILL");
  };
  const dead = new Promise((resolve) => worker.once("exit", resolve));
  const run = await steno.start(bookTrip, { ...trip, hotel: "Ritz" }, { id: "trip-2" });
  await dead;
  onChange = () => {};
  say("  kill -9");
  say("  Serve again: what was under way is asked for once more, under the same idempotency keys.");
  worker = await serve();
  await run.result();
  await show(run, { booked: 10, cancelled: 0 });
}

async function failAndUndo(): Promise<void> {
  title("4. Book one whose car is sold out: everything else is undone");
  const run = await steno.start(bookTrip, { ...trip, car: "limousine" }, { id: "trip-3" });
  const outcome = await run.outcome();
  if (outcome.status !== "undone") throw new Error(`the trip is ${outcome.status}`);
  say(`  ${outcome.error.message}`);
  await show(run, { booked: 10, cancelled: 3 });
}

/** Starts the process that serves trips; resolves when it does. */
async function serve(): Promise<ChildProcess> {
  const env = { ...process.env, BOOKINGS_URL: bookings.url, PORT: String(port) };
  const file = fileURLToPath(new URL("worker.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", (said: Buffer) => {
      process.stdout.write(said);
      resolve();
    });
    child.once("exit", () => reject(new Error("the process that serves trips did not start")));
  });
  return child;
}

/** Shows the nodes of a run, and what the booking server holds; checks that. */
async function show<Nodes>(
  run: Run<unknown, Nodes>,
  expected: { readonly booked: number; readonly cancelled: number },
): Promise<void> {
  say("");
  say(statusText(run.id, (await run.status()).nodes).trimEnd());
  const all = await agency.list();
  say("");
  say("  at the booking server");
  for (const { id, what, status } of all) say(`  ${status.padEnd(10)} ${id.padEnd(11)} ${what}`);
  const count = (status: string): number => all.filter((each) => each.status === status).length;
  if (count("booked") !== expected.booked || count("cancelled") !== expected.cancelled) {
    throw new Error(`expected ${expected.booked} booked and ${expected.cancelled} cancelled`);
  }
}

function title(text: string): void {
  say("");
  say(`━━ ${text} `.padEnd(100, "━"));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
