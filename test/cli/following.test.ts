/** `steno log --follow`: in a process of its own, of a run and of all, over a crash of the coordinator. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import { emptyFolder, start, steno, writeBundle } from "./steno.js";

const at = ["--store", "a.db"];
const args = (id: string, params: object): string[] => [
  ...["run", "trip.js", "--params", JSON.stringify(params), "--id", id],
  ...at,
];

interface Told {
  readonly run?: string;
  readonly cursor?: number;
  readonly seq: number;
  readonly type: string;
  readonly node?: string;
}

function told(stdout: string): Told[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Told);
}

/** A process that has begun to follow, and what it has told so far. */
async function following(folder: string, ...more: string[]) {
  const { child, ended } = start(folder, ["log", ...more, "--follow", "--json", ...at]);
  let text = "";
  child.stdout?.on("data", (data: string) => (text += data));
  const until = async (found: (all: string) => boolean): Promise<void> => {
    while (!found(text)) await sleep(20);
  };
  return { child, ended, until };
}

test("of a run and of all: nothing is missed or told twice over a crash, and each ends well", async () => {
  const folder = emptyFolder();
  writeBundle(folder);
  const missing = await steno(folder, ["log", "t", "--follow", ...at]);
  expect(missing).toMatchObject({ status: 2, stdout: "" });
  const host = start(folder, args("t", { wait: "hotel", fail: "car" }));
  while ((await steno(folder, ["log", "t", ...at])).status !== 0) await sleep(20);
  const [one, all] = await Promise.all([following(folder, "t"), following(folder, "--after", "0")]);
  const started = (text: string): boolean => /"started".*"hotel"/.test(text);
  await Promise.all([one.until(started), all.until(started)]);
  host.child.kill("SIGKILL");
  await host.ended;
  writeFileSync(join(folder, "go"), "");
  await steno(folder, ["recover", "trip.js", ...at]);
  await steno(folder, args("u", {}));

  // That of a run ends with it.
  const followed = await one.ended;
  expect(followed).toMatchObject({ status: 0, stderr: "" });
  const reader = await sqliteStore(join(folder, "a.db")).reader();
  const whole = await reader.events("t");
  const everything = await reader.log(0, 999);
  await reader.close();
  expect(told(followed.stdout).map(({ seq, type }) => [seq, type])).toEqual(
    whole.map(({ seq, type }) => [seq, type]),
  );
  expect(whole.map(({ type }) => type)).toContain("recovered");

  // That of all goes on until it is ended.
  await all.until(
    (text) => told(text.slice(0, text.lastIndexOf("\n"))).length === everything.length,
  );
  all.child.kill("SIGINT");
  const ended = await all.ended;
  expect(ended).toMatchObject({ status: 130, signal: null, stderr: "" });
  expect(told(ended.stdout).map(({ cursor, run, seq }) => [cursor, run, seq])).toEqual(
    everything.map(({ cursor, run, event }) => [cursor, run, event.seq]),
  );

  // From a cursor: what is behind it, once.
  const place = everything[4]?.cursor ?? 0;
  const again = await following(folder, "--after", String(place));
  await again.until((text) => text.split("\n").length > everything.length - 5);
  again.child.kill("SIGTERM");
  const rest = await again.ended;
  expect(rest.status).toBe(143);
  expect(told(rest.stdout).map(({ cursor }) => cursor)).toEqual(
    everything.slice(5).map(({ cursor }) => cursor),
  );
});

test("a reader that has seen enough ends it, without an error", async () => {
  const folder = emptyFolder();
  writeBundle(folder);
  await steno(folder, args("t", {}));
  const { child, ended, until } = await following(folder, "--after", "0");
  await until((text) => text.includes("\n"));
  child.stdout?.destroy();
  await steno(folder, args("u", {}));
  expect(await ended).toMatchObject({ status: 0, stderr: "" });
});
