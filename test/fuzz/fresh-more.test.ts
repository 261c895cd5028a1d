/** Another 250 programs that nobody has seen before: beside `fresh.test.ts`, on another core. */
import { test } from "vitest";
import { judgeFresh } from "./fresh.js";

test("more random programs do what their methods do, and fail as the reference says", async () => {
  await judgeFresh(1);
}, 600_000);
