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

test("a coordinator is drained, and all runs of a saga are paused at a node", async () => {
  const folder = emptyFolder();
  writeBundle(folder);
  const at = ["--store", "a.db"];
  const none = await steno(folder, ["drain", "--store", "b.db"]);
  expect(none.stderr).toMatch(/^error\[store-missing\]/);
  const args = ["--params", '{"wait":"card"}', "--id", "t", ...at];
  const { ended } = start(folder, ["run", "trip.js", ...args]);
  for (;;) {
    const { stdout } = await steno(folder, ["break", "Trip.book", "hotel", "--saga", ...at]);
    if (stdout === "break: done; set for all runs of Trip.book\n") break;
    await sleep(10);
  }
  const begun = await steno(folder, ["drain", "--no-wait", ...at]);
  expect(begun).toMatchObject({ status: 0, stdout: "drain: done; nothing new is started\n" });
  const draining = start(folder, ["drain", ...at]);
  await new Promise((resolve) => draining.child.stderr?.once("data", resolve));
  writeFileSync(join(folder, "go"), "");
  // The run is at rest at its breakpoint; its coordinator ends then, and so may the wait for it.
  expect((await ended).stdout).toMatch(/^running {2}t {2}Trip\.book {2}\(breakpoint\)/);
  const { stdout, stderr } = await draining.ended;
  expect(stdout + stderr).toMatch(/every run is at rest|coordinator-ended/);

  const shown = await steno(folder, ["show", "t", ...at]);
  expect(shown.stdout).toMatch(
    /\(breakpoint\)\n[^]*\n {2}paused by the breakpoint before hotel\n$/,
  );
  const json = JSON.parse((await steno(folder, ["show", "t", ...at, "--json"])).stdout) as object;
  expect(json).toMatchObject({
    reason: "breakpoint",
    holds: [{ reason: "breakpoint", node: "hotel", at: "before" }, { reason: "no-coordinator" }],
    nodes: [{ state: "done", endedAt: expect.stringMatching(/Z$/) as string }, {}, {}],
  });
});
