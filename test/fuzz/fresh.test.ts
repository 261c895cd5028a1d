/** 250 programs that nobody has seen before; `fresh-more.test.ts` has as many more. */
import { test } from "vitest";
import { judgeFresh } from "./fresh.js";

test("random programs do what their methods do, and fail as the reference says", async () => {
  await judgeFresh(0);
}, 600_000);
