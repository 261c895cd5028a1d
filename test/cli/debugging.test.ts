/** `steno step` and `steno break` on a live coordinator, as an operator uses them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { emptyFolder, start, steno, writeBundle } from "./steno.js";

test("a run is followed node by node from another process", async () => {
  const folder = emptyFolder();
  writeBundle(folder);
  const at = ["--store", "a.db"];
  const json = async (...args: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await steno(folder, [...args, ...at, "--json"])).stdout) as Record<string, unknown>;
  const untilReason = async (reason: string): Promise<void> => {
    while ((await json("show", "t"))["reason"] !== reason) await sleep(10);
  };
  // A coordinator that lives on, whatever becomes of `t`.
  start(folder, ["run", "trip.js", "--params", '{"wait":"card"}', "--id", "t", ...at]);
  for (;;) {
    const { status } = await steno(folder, ["break", "t", "hotel", ...at]);
    if (status === 0) break;
    await sleep(10);
  }
  await json("pause", "t");
  writeFileSync(join(folder, "go"), "");
  const args = ["run", "trip.js", "--params", '{"wait":"card"}', "--id", "t", ...at];
  while ((await steno(folder, args)).status === 2) await sleep(10);
  // That has ended with its run paused: what is asked for now is kept.
  const kept = await json("step", "t");
  expect(kept).toMatchObject({ ok: true, pending: true });
  expect((await steno(folder, ["recover", "trip.js", ...at])).stdout).toMatch(/\(paused\)/);
  const { nodes } = (await json("show", "t")) as { nodes: { state: string }[] };
  expect(nodes.map(({ state }) => state)).toEqual(["done", "done", "queued-todo"]);
  await json("break", "t", "car", "--after");
  await json("resume", "t");
  const broken = await steno(folder, ["recover", "trip.js", ...at]);
  expect(broken.stdout).toMatch(/^running {2}t {2}Trip\.book {2}\(breakpoint\)\n/);
  await untilReason("breakpoint");
  await json("break", "t", "car", "--after", "--clear");
  await json("step", "t");
  expect(await steno(folder, ["recover", "trip.js", ...at])).toMatchObject({ status: 0 });
});
