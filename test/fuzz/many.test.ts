/** 250 random programs; `many-more.test.ts` has as many more. */
import { test } from "vitest";
import { judgeMany } from "./many.js";

test("random programs do what their methods do, and fail as the reference says", async () => {
  await judgeMany(0);
}, 600_000);
