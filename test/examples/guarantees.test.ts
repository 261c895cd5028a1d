/**
 * The promises of docs/GUARANTEES.md that can be seen without a crash, on the trip example with an
 * agency that watches: what started when, and what was in the log by then.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Coordinator, sqliteStore } from "steno-runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Agency, type Booking, type Kind } from "../../examples/trip/agency.js";
import { BookTrip, type TripParams } from "../../examples/trip/book-trip.js";
import { bookTrip } from "../../examples/trip/book-trip.saga.js";

const params: TripParams = { card: "1", price: 9, hotel: "Grand", flight: "LH", car: "van" };

/** Holds every call back until it is let go. */
class WatchedAgency extends Agency {
  readonly calls: Kind[] = [];
  private readonly held = new Map<Kind, () => void>();

  constructor(private readonly onBook: (kind: Kind) => Promise<void> = async () => {}) {
    super("http://nowhere.invalid");
  }

  override async book(kind: Kind, what: string): Promise<Booking> {
    this.calls.push(kind);
    await this.onBook(kind);
    await new Promise<void>((resolve) => this.held.set(kind, resolve));
    return { id: `${kind}-1`, kind, what };
  }

  /** Waits until the call is there, then answers it. */
  async letGo(kind: Kind): Promise<void> {
    for (let wait = 0; !this.held.has(kind); wait++) {
      if (wait > 10_000) throw new Error(`${kind} was never asked for`);
      await turn();
    }
    this.held.get(kind)?.();
    await rest();
  }
}

/** Long enough for everything that can start to have started. */
async function rest(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "steno-guarantees-"));
  file = join(directory, "trips.db");
});
afterEach(() => rmSync(directory, { recursive: true }));

async function open(agency: Agency): Promise<Coordinator> {
  return Coordinator.open({
    store: sqliteStore(file),
    sagas: [bookTrip.on(new BookTrip(agency))],
  });
}

/** What somebody else who looks at the file can see: `started payment`. */
async function log(): Promise<readonly string[]> {
  const reader = await sqliteStore(file).reader();
  const events = await reader.events("trip");
  await reader.close();
  return events.map((event) => ("node" in event ? `${event.type} ${event.node}` : event.type));
}

test("actions start in the order of the method, and side by side where it says so", async () => {
  const agency = new WatchedAgency();
  const coordinator = await open(agency);
  const run = await coordinator.start(bookTrip, params, { id: "trip" });
  await rest();
  expect(agency.calls).toEqual(["payment"]);
  await agency.letGo("payment");
  expect([...agency.calls].sort()).toEqual(["car", "flight", "hotel", "payment"]);
  for (const kind of ["car", "hotel"] as const) {
    await agency.letGo(kind);
    expect(agency.calls).not.toContain("summary");
  }
  await agency.letGo("flight");
  await agency.letGo("summary");
  expect((await run.result()).car.id).toBe("car-1");
  await coordinator.close();
});

test("what starts is in the log before it is called, and so is the output of what it needs", async () => {
  const seen = new Map<Kind, readonly string[]>();
  const agency = new WatchedAgency(async (kind) => void seen.set(kind, await log()));
  const coordinator = await open(agency);
  const run = await coordinator.start(bookTrip, params, { id: "trip" });
  // start() has resolved: the run is durable.
  expect((await log())[0]).toBe("created");
  for (const kind of ["payment", "car", "hotel", "flight", "summary"] as const) {
    await agency.letGo(kind);
  }
  await run.result();
  expect(seen.get("payment")).toContain("started payment");
  for (const kind of ["hotel", "flight", "car"] as const) {
    expect(seen.get(kind)).toEqual(
      expect.arrayContaining([`started ${kind}`, "succeeded payment"]),
    );
  }
  expect(seen.get("summary")).toEqual(
    expect.arrayContaining(["started sendSummary", "succeeded car", "succeeded hotel"]),
  );
  await coordinator.close();
});
