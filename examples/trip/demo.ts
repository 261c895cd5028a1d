/**
 * The demo: compiles the saga, books a trip, kills the process in the middle of another, recovers
 * it, and lets a third one fail. It only runs commands that you could type, shows what the booking
 * server holds after each, and exits with 1 if that is not what it promises. Run it: npm run demo.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import type { Entry } from "./agency.js";
import { Agency } from "./agency.js";
import { startBookingServer } from "./booking-server.js";

const colours = process.stdout.isTTY && !process.env["NO_COLOR"];
const directory = mkdtempSync(join(tmpdir(), "steno-demo-"));
const store = join(directory, "trips.db");

/** Set for the act in which the process dies: called when the server has booked something. */
let onChange: (entry: Entry) => void = () => {};

const server = await startBookingServer({
  file: join(directory, "bookings.json"),
  soldOut: ["limousine"],
  latency: 100,
  onChange: (entry) => onChange(entry),
});
const agency = new Agency(server.url);
const env = { ...process.env, BOOKINGS_URL: server.url };

try {
  await compile();
  await bookATrip();
  await killInTheMiddle();
  await failAndUndo();
  say("");
  say(`Look around: everything is in ${directory}`);
  say(paint("cyan", `  npx steno list --store ${store}`));
  say(paint("cyan", `  npx steno log trip-2 --store ${store}`));
} finally {
  await server.close();
}

async function compile(): Promise<void> {
  title("1. Compile: a decorated class becomes a static manifest, and a bundle to run");
  expectExit(await command("steno-compile", "--bundle", "bundle"), 0);
}

async function bookATrip(): Promise<void> {
  title("2. Book a trip");
  expectExit(await command("steno", ...runArguments("paris", "trip-1")), 0);
  await showBookings({ booked: 5, cancelled: 0 });
}

async function killInTheMiddle(): Promise<void> {
  title("3. Book another, and kill the process when the flight is booked and nobody knows it yet");
  const child = start("steno", ...runArguments("lisbon", "trip-2"));
  onChange = ({ kind }) => {
    if (kind === "flight") child.kill("SIGKILL");
  };
  await exit(child);
  onChange = () => {};
  if (child.signalCode !== "SIGKILL") throw new Error("the process was not killed");
  say(paint("red", "  kill -9"));
  await command("steno", "show", "trip-2", "--store", store);
  await showBookings();
  say("");
  say("Start again: what was under way is asked for once more, under the same idempotency keys.");
  expectExit(await command("steno", "recover", "bundle/book-trip.js", "--store", store), 0);
  await command("steno", "show", "trip-2", "--store", store);
  await showBookings({ booked: 10, cancelled: 0 });
}

async function failAndUndo(): Promise<void> {
  title("4. Book one whose car is sold out: everything else is undone");
  expectExit(await command("steno", ...runArguments("monaco", "trip-3")), 1);
  await command("steno", "show", "trip-3", "--store", store);
  await showBookings({ booked: 10, cancelled: 3 });
}

function runArguments(trip: string, id: string): string[] {
  const params = ["--params", `@trips/${trip}.json`];
  return ["run", "bundle/book-trip.js", ...params, "--store", store, "--id", id];
}

function start(name: string, ...args: string[]): ChildProcess {
  say("");
  say(paint("cyan", `$ ${name} ${args.join(" ")}`));
  return spawn(name, args, { env, stdio: "inherit", shell: process.platform === "win32" });
}

async function command(name: string, ...args: string[]): Promise<number | null> {
  return exit(start(name, ...args));
}

function exit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

function expectExit(code: number | null, expected: number): void {
  if (code !== expected) throw new Error(`expected exit code ${expected}, got ${code}`);
}

/** Prints what the server holds, and checks it if told what to expect. */
async function showBookings(expected?: { booked: number; cancelled: number }): Promise<void> {
  const bookings = await agency.list();
  say("");
  say(paint("bold", "  at the booking server"));
  for (const { id, what, status } of bookings) {
    const line = `  ${status.padEnd(10)} ${id.padEnd(11)} ${what}`;
    say(status === "booked" ? paint("green", line) : paint("dim", line));
  }
  const count = (status: string): number => bookings.filter((b) => b.status === status).length;
  if (expected === undefined) return;
  if (count("booked") !== expected.booked || count("cancelled") !== expected.cancelled) {
    throw new Error(`expected ${expected.booked} booked and ${expected.cancelled} cancelled`);
  }
}

function title(text: string): void {
  say("");
  say(paint("bold", `━━ ${text} `.padEnd(100, "━")));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function paint(style: "bold" | "dim" | "green" | "red" | "cyan", text: string): string {
  return colours ? styleText(style, text) : text;
}
