/** Another 250 random programs: beside `many.test.ts`, on another core. */
import { test } from "vitest";
import { judgeMany } from "./many.js";

test("more random programs do what their methods do, and fail as the reference says", async () => {
  await judgeMany(1);
}, 600_000);
