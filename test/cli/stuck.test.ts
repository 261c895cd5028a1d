/** What an operator does about runs that are stuck at several nodes, or wait for an output, from `steno`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { LoggedEvent } from "../../runtime/events.js";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import { emptyFolder, start, steno, writeBundle } from "./steno.js";

const at = ["--store", "a.db"];
const args = (id: string, params: object): string[] => [
  ...["run", "trip.js", "--params", JSON.stringify(params), "--id", id],
  ...at,
];

async function logOf(folder: string, id: string): Promise<readonly LoggedEvent[]> {
  const reader = await sqliteStore(join(folder, "a.db")).reader();
  const events = await reader.events(id);
  await reader.close();
  return events;
}

async function untilLogged(folder: string, id: string, type: string, count: number): Promise<void> {
  const logged = async (): Promise<number> =>
    (await logOf(folder, id)).filter((event) => event.type === type).length;
  while ((await logged()) < count) await sleep(20);
}

test("several stuck undos are retried and settled one by one, over kill -9", async () => {
  const folder = emptyFolder();
  writeBundle(folder, "", { hotel: { after: [] }, car: { after: ["card", "hotel"] } });
  const stuck = await steno(folder, args("t", { fail: "car", undoFails: ["card", "hotel"] }));
  expect(stuck.status).toBe(3);
  for (const node of ["card", "hotel"]) {
    expect(stuck.stdout).toContain(
      `the undo of ${node} failed: Error: the door of ${node} is locked`,
    );
    expect(stuck.stdout).toContain(`steno retry t ${node} --store a.db`);
  }
  // A coordinator that lives on: what is asked for is done at once, and a retry may be in vain.
  const host = start(folder, args("host", { wait: "card" }));
  while ((await steno(folder, ["show", "host", ...at])).status !== 0) await sleep(20);
  expect((await steno(folder, ["retry", "t", "hotel", ...at])).status).toBe(0);
  await untilLogged(folder, "t", "undo-failed", 3);
  writeFileSync(join(folder, "repaired-card"), "");
  expect((await steno(folder, ["retry", "t", "card", ...at])).status).toBe(0);
  await untilLogged(folder, "t", "undone", 1);
  host.child.kill("SIGKILL");
  expect((await host.ended).signal).toBe("SIGKILL");

  // Still stuck at the other; the one that is undone is not asked for again.
  const shown = JSON.parse((await steno(folder, ["show", "t", "--json", ...at])).stdout) as {
    readonly holds: readonly { readonly reason: string; readonly node?: string }[];
  };
  expect(shown.holds).toMatchObject([
    { reason: "undo-failed", node: "hotel" },
    { reason: "no-coordinator" },
  ]);
  const done = await steno(folder, ["retry", "t", "card", ...at]);
  expect(done).toMatchObject({ status: 2 });
  expect(done.stderr).toContain("stuck: `hotel`");
  const silent = await steno(folder, ["settle", "t", "hotel", ...at]);
  expect(silent).toMatchObject({ status: 2 });
  expect(silent.stderr).toContain("--reason");
  await steno(folder, ["settle", "t", "hotel", "--reason", "the guest has left", ...at]);
  writeFileSync(join(folder, "go"), "");
  const recovered = await steno(folder, ["recover", "trip.js", ...at]);
  expect(recovered.stdout).toContain("undone  t  Trip.book");
  const log = await logOf(folder, "t");
  expect(log.filter(({ type }) => type === "undo-settled")).toMatchObject([
    { node: "hotel", value: '"the guest has left"' },
  ]);
  const undos = readFileSync(join(folder, "journal"), "utf8").trim().split("\n");
  expect(undos.filter((entry) => entry === "uncard")).toHaveLength(2);
  expect(undos.filter((entry) => entry === "unhotel")).toHaveLength(2);
});

test("`settle --output` says what a held node came to, and the log keeps why", async () => {
  const folder = emptyFolder();
  writeBundle(folder, "", { hotel: { onFailure: "pause" } });
  const held = await steno(folder, args("t", { fail: "hotel" }));
  expect(held.status).toBe(3);
  expect(held.stdout).toContain("steno settle t hotel");
  const settle = (...more: string[]): ReturnType<typeof steno> =>
    steno(folder, ["settle", "t", "hotel", "--reason", "booked by phone", ...more, ...at]);
  const wrong = await settle("--output", "{");
  expect(wrong).toMatchObject({ status: 2, stdout: "" });
  expect(wrong.stderr).toMatch(/^error\[[a-z-]+\]:/);
  expect((await settle("--output", '{"what":"room 7"}')).status).toBe(0);
  const recovered = await steno(folder, ["recover", "trip.js", ...at]);
  expect(recovered).toMatchObject({ status: 0, stdout: "succeeded  t  Trip.book\n" });
  const shown = await steno(folder, ["list", "--json", ...at]);
  expect(JSON.parse(shown.stdout)).toMatchObject([
    { output: [{ what: "room 7" }, { what: "car" }] },
  ]);
  const settled = (await logOf(folder, "t")).find(({ type }) => type === "output-settled");
  expect(settled).toMatchObject({
    node: "hotel",
    value: '{"reason":"booked by phone","output":{"what":"room 7"}}',
  });
});

test("`resume --saga` goes on with what a breakpoint paused, and leaves what somebody paused", async () => {
  const folder = emptyFolder();
  writeBundle(folder);
  const host = start(folder, args("host", { wait: "card" }));
  for (;;) {
    const set = await steno(folder, ["break", "Trip.book", "car", "--saga", ...at]);
    if (set.status === 0) break;
    await sleep(20);
  }
  await steno(folder, ["pause", "host", ...at]);
  host.child.kill("SIGKILL");
  await host.ended;
  for (const id of ["a", "b"]) {
    const ended = await steno(folder, args(id, {}));
    expect(ended.stdout).toContain("(breakpoint)");
  }
  const resume = ["resume", "Trip.book", "--saga", "--reason", "looked at it", ...at];
  const kept = await steno(folder, resume);
  expect(kept.stdout).toBe(
    "resume: 2 runs of Trip.book go on when a coordinator opens the store\n",
  );
  const recovered = await steno(folder, ["recover", "trip.js", ...at]);
  expect(recovered.stdout).toMatch(/^succeeded {2}a .*$/m);
  expect(recovered.stdout).toMatch(/^succeeded {2}b .*$/m);
  expect(recovered.stdout).toMatch(/^running {2}host .*\(paused\)$/m);
  expect((await logOf(folder, "a")).find(({ type }) => type === "resumed")).toMatchObject({
    value: '"looked at it"',
  });
  const nothing = JSON.parse((await steno(folder, [...resume, "--json"])).stdout) as object;
  expect(nothing).toEqual({ saga: "Trip.book", command: "resume", ok: true, runs: 0 });
});
