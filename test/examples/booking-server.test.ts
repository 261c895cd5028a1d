/** The trip example's server must itself be beyond doubt, since the crash tests look through it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Agency } from "../../examples/trip/agency.js";
import { startBookingServer, type BookingServer } from "../../examples/trip/booking-server.js";

let directory: string;
let server: BookingServer;
let agency: Agency;

async function start(): Promise<void> {
  server = await startBookingServer({
    file: join(directory, "bookings.json"),
    soldOut: ["limousine"],
  });
  agency = new Agency(server.url);
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "steno-server-"));
  await start();
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

test("one key is one booking, also side by side", async () => {
  const bookings = await Promise.all(
    ["a", "a", "b"].map((key) => agency.book("hotel", "Grand", key)),
  );
  expect(bookings.map(({ id }) => id)).toEqual(["hotel-1", "hotel-1", "hotel-2"]);
  expect(await agency.list()).toHaveLength(2);
});

test("cancelling twice is cancelling once", async () => {
  const { id } = await agency.book("car", "van", "a");
  await agency.cancel(id);
  await agency.cancel(id);
  expect(await agency.list()).toEqual([{ id, kind: "car", what: "van", status: "cancelled" }]);
  await expect(agency.cancel("car-9")).rejects.toMatchObject({ status: 404 });
});

test("what is sold out is refused, and nothing is booked", async () => {
  await expect(agency.book("car", "limousine", "a")).rejects.toMatchObject({
    name: "AgencyError",
    message: "limousine is sold out",
    status: 409,
  });
  expect(await agency.list()).toEqual([]);
});

test("the bookings outlive the server", async () => {
  const made = await agency.book("flight", "LH 1", "a");
  await server.close();
  await start();
  expect(await agency.list()).toHaveLength(1);
  expect(await agency.book("flight", "LH 1", "a")).toMatchObject(made);
});
