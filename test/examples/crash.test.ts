/**
 * Kills a real process that runs the trip example, with SIGKILL, at every point of the run, then
 * recovers the run, and looks at the booking server: the trip is there whole and once, or gone.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Coordinator, sqliteStore } from "steno-runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Agency, type Entry, type Kind } from "../../examples/trip/agency.js";
import { startBookingServer } from "../../examples/trip/booking-server.js";
import { BookTrip, type TripParams } from "../../examples/trip/book-trip.js";
import { bookTrip } from "../../examples/trip/book-trip.saga.js";
import { bundleProcess } from "../kills/bundle.js";
import type { Orders } from "./crash-worker.js";

const good: TripParams = { card: "1", price: 9, hotel: "Grand", flight: "LH 1", car: "compact" };
const bad: TripParams = { ...good, car: "limousine" };

let scratch: string;
let worker: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "steno-crash-"));
  worker = await bundleProcess("test/examples/crash-worker.ts");
});
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  rmSync(worker, { force: true });
});

/** What the server holds in the end, by kind: how many are booked, how many cancelled. */
type Tally = Record<string, string>;
const whole: Tally = { payment: "+", hotel: "+", flight: "+", car: "+", summary: "+" };

function tally(bookings: readonly Entry[]): Tally {
  const result: Tally = {};
  for (const { kind, status } of bookings) {
    result[kind] = (result[kind] ?? "") + (status === "booked" ? "+" : "-");
  }
  return result;
}

/** Milliseconds. What is parallel is answered one by one, so that each answer is a commit. */
const LATENCY: Readonly<Record<Kind, number>> = {
  payment: 0,
  hotel: 20,
  flight: 60,
  car: 100,
  summary: 0,
};

interface Crash {
  readonly kill?: NonNullable<Orders["kill"]>;
  /** Killed by the server, when it has made this many changes and answered none of them. */
  readonly change?: number;
}

interface Outcome {
  readonly killed: boolean;
  /** Events in the log when the process was dead. */
  readonly events: number;
  readonly bookings: readonly Entry[];
  readonly succeeded: boolean;
}

async function crashAndRecover(params: TripParams, crash: Crash): Promise<Outcome> {
  const directory = mkdtempSync(join(scratch, "run-"));
  let changes = 0;
  let dying = (): void => {};
  const server = await startBookingServer({
    file: join(directory, "bookings.json"),
    soldOut: ["limousine"],
    onChange: async ({ kind }) => {
      changes += 1;
      if (changes === crash.change) dying();
      await delay(LATENCY[kind]);
    },
  });
  const agency = new Agency(server.url);
  try {
    const store = join(directory, "trips.db");
    const { kill } = crash;
    const orders: Orders = { url: server.url, store, params, ...(kill && { kill }) };
    const child = spawn(process.execPath, [worker, JSON.stringify(orders)], { stdio: "inherit" });
    dying = () => child.kill("SIGKILL");
    const signal = await new Promise<string | null>((resolve) =>
      child.once("exit", (code, by) => resolve(by ?? (code === 0 ? null : `exit ${code}`))),
    );
    expect([null, "SIGKILL"]).toContain(signal);
    const reader = await sqliteStore(store).reader();
    const events = (await reader.events("trip")).length;
    await reader.close();
    const succeeded = await recover(store, agency, params);
    return { killed: signal !== null, events, bookings: await agency.list(), succeeded };
  } finally {
    await server.close();
  }
}

/** What the next process does: opens the store; asking for the same id attaches to the same run. */
async function recover(store: string, agency: Agency, params: TripParams): Promise<boolean> {
  const coordinator = await Coordinator.open({
    store: sqliteStore(store),
    sagas: [bookTrip.on(new BookTrip(agency))],
  });
  try {
    const run = await coordinator.start(bookTrip, params, { id: "trip" });
    return await run.result().then(
      () => true,
      (error: { readonly code?: string }) => {
        expect(error.code).toBe("saga-failed");
        return false;
      },
    );
  } finally {
    await coordinator.close();
  }
}

/** Crashes the 1st, 2nd, … time, several at once, until the run ends before it is killed. */
async function everyPoint(
  params: TripParams,
  crash: (point: number) => Crash,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const atOnce = 4;
  for (let point = 1; point <= 100; point += atOnce) {
    const points = [...Array(atOnce).keys()].map((offset) => point + offset);
    outcomes.push(...(await Promise.all(points.map((n) => crashAndRecover(params, crash(n))))));
    if (outcomes.some(({ killed }) => !killed)) return outcomes;
  }
  throw new Error("the run is longer than the test");
}

function expectConsistent({ succeeded, bookings }: Outcome, params: TripParams): void {
  expect(succeeded).toBe(params === good);
  const result = tally(bookings);
  if (succeeded) expect(result).toEqual(whole);
  // The car was never had; of the others, what was booked was cancelled, and nothing booked twice.
  else for (const marks of Object.values(result)) expect(marks).toBe("-");
}

describe.each([
  ["a trip that succeeds is booked once and whole", good, 5],
  ["a trip without a car is cancelled and whole", bad, 6],
] as const)("%s", (_title, params, changes) => {
  test("killed before and after every commit of a run", async () => {
    for (const when of ["before", "after"] as const) {
      const outcomes = await everyPoint(params, (commit) => ({ kill: { commit, when } }));
      for (const outcome of outcomes) expectConsistent(outcome, params);
      const killed = outcomes.filter((outcome) => outcome.killed);
      // start(), and the answer of each of five actions, or of four and of three undos; a busy
      // machine may see two in one commit. So the crashes were many, and the logs that they left
      // grew from the first event to the last.
      expect(killed.length).toBeGreaterThan(3);
      expect(new Set(killed.map(({ events }) => events)).size).toBeGreaterThan(3);
    }
  });

  test("killed while the server has done it and nobody knows", async () => {
    const outcomes = await everyPoint(params, (change) => ({ change }));
    for (const outcome of outcomes) expectConsistent(outcome, params);
    expect(outcomes.filter(({ killed }) => killed).length).toBeGreaterThanOrEqual(changes);
  });
});
