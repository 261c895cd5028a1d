/** `steno run` and `steno recover` as processes, with a bundle that was written by hand. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { sqliteStore } from "../../runtime/stores/sqlite.js";
import type { RunStatus } from "../../runtime/stores/store.js";
import { emptyFolder, start, steno, writeBundle } from "./steno.js";

function runArgs(id: string, params: object, ...more: string[]): string[] {
  const given = ["--params", JSON.stringify(params), "--id", id];
  return ["run", "trip.js", "--store", "a.db", ...given, ...more];
}

function journal(folder: string): string[] {
  const path = join(folder, "journal");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

async function untilJournal(folder: string, entry: string): Promise<void> {
  while (!journal(folder).includes(entry)) await sleep(10);
}

async function statusOf(folder: string, id: string): Promise<RunStatus | undefined> {
  const reader = await sqliteStore(join(folder, "a.db")).reader();
  const run = await reader.run(id);
  await reader.close();
  return run?.status;
}

describe("`run`", () => {
  test("runs a saga to its end; the same id is the same run", async () => {
    const folder = emptyFolder();
    writeBundle(folder, '/* steno-bundle {"format":1,"runtime":"0.1.0"} */\n');
    const first = await steno(folder, runArgs("t", {}));
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(first.stdout).toMatch(/^succeeded {2}t {2}Trip\.book\n\[\n.*"hotel"/s);
    expect(journal(folder)).toEqual(["card", "hotel", "car"]);

    const again = await steno(folder, runArgs("t", {}, "--json"));
    expect(JSON.parse(again.stdout)).toEqual({
      ...{ id: "t", saga: "Trip.book", status: "succeeded" },
      output: [{ what: "hotel" }, { what: "car" }],
    });
    expect(journal(folder)).toHaveLength(3);

    const other = await steno(folder, runArgs("t", { fail: "car" }));
    expect(other).toMatchObject({ status: 2, stdout: "" });
    expect(other.stderr).toMatch(/^error\[[a-z-]+\]: .*\bt\b/);
  });

  test("takes params from a file, and the saga by its short name", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    writeFileSync(join(folder, "params.json"), '\uFEFF{ "fail": "hotel" }');
    const args = ["run", "trip.js", "book", "--params", "@params.json", "--store", "a.db"];
    const { status, stdout } = await steno(folder, args);
    expect(status).toBe(1);
    expect(stdout).toContain("no hotel left");
    expect(journal(folder)).toEqual(["card", "hotel", "uncard"]);
  });

  test("tells what failed, where in the user's code, and what was undone: exit code 1", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    const { status, stdout } = await steno(folder, runArgs("t", { fail: "car" }));
    expect(status).toBe(1);
    expect(stdout).toMatch(/^undone {2}t {2}Trip\.book\n {2}car failed: RangeError: no car left\n/);
    expect(stdout).toMatch(/at Trip\.act .*trip\.js:\d+/);
    expect(stdout).toMatch(/\n {2}undone: hotel, card\n$/);
    const json = await steno(folder, runArgs("t", { fail: "car" }, "--json"));
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: "undone",
      failures: [{ node: "car", error: { name: "RangeError", message: "no car left" } }],
      undone: ["hotel", "card"],
    });
  });

  test("a stuck run says what an operator can do: exit code 3; and then it can be done", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    const stuck = await steno(folder, runArgs("t", { fail: "car", undoFails: "hotel" }));
    expect(stuck.status).toBe(3);
    expect(stuck.stdout).toMatch(/^stuck {2}t/);
    expect(stuck.stdout).toMatch(/the undo of hotel failed.*the door of hotel is locked/);
    expect(stuck.stdout).toContain("steno retry t hotel --store a.db");

    // A coordinator that lives on while the operator acts.
    const host = start(folder, runArgs("host", { wait: "card" }));
    await untilOwned(folder);
    writeFileSync(join(folder, "repaired"), "");
    const retried = await steno(folder, ["retry", "t", "hotel", "--store", "a.db"]);
    expect(retried).toMatchObject({ status: 0, stderr: "" });
    while ((await statusOf(folder, "t")) !== "undone") await sleep(10);
    writeFileSync(join(folder, "go"), "");
    expect((await host.ended).status).toBe(0);
    const undos = journal(folder).filter((entry) => entry.startsWith("un"));
    expect(undos).toEqual(["unhotel", "unhotel", "uncard"]);
  });

  test("`inject` reaches a live run, and names the nodes of the run where one is misspelled", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    const { ended } = start(folder, runArgs("t", { wait: "card" }));
    await untilJournal(folder, "card");
    const inject = (...args: string[]): ReturnType<typeof steno> =>
      steno(folder, ["inject", "t", ...args, "--store", "a.db"]);
    const wrong = await inject("hotl", "--error");
    expect(wrong).toMatchObject({ status: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/^error\[no-such-node\].*`hotl`.*`hotel`/);
    expect(await inject("hotel", "--repeat", "2")).toMatchObject({ status: 0, stderr: "" });
    expect((await inject("car", "--error", "a drill")).status).toBe(0);
    writeFileSync(join(folder, "go"), "");
    const { status, stdout } = await ended;
    expect(status).toBe(1);
    expect(stdout).toContain("car failed: InjectedError: a drill");
    expect(journal(folder)).toEqual(["card", "hotel", "hotel", "unhotel", "uncard"]);
  });

  test("a bundle in a folder of its own finds this runtime", async () => {
    const folder = emptyFolder();
    const inner = join(folder, "deep", "bundle");
    mkdirSync(inner, { recursive: true });
    const bundle = writeBundle(inner);
    const { status } = await steno(folder, ["run", bundle, "--params", "{}", "--store", "a.db"]);
    expect(status).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s ends it; the run goes on later", async (signal) => {
    const folder = emptyFolder();
    writeBundle(folder);
    const { child, ended } = start(folder, runArgs("t", { wait: "hotel" }));
    await untilJournal(folder, "hotel");
    child.kill(signal);
    await sleep(50);
    writeFileSync(join(folder, "go"), "");
    const { status, stderr } = await ended;
    expect(status).toBe(signal === "SIGINT" ? 130 : 143);
    expect(stderr).toContain("steno recover trip.js --store a.db");
    expect(journal(folder)).toEqual(["card", "hotel"]);
    expect(await statusOf(folder, "t")).toBe("running");

    const recovered = await steno(folder, ["recover", "trip.js", "--store", "a.db"]);
    expect(recovered).toMatchObject({ status: 0, stderr: "" });
    expect(journal(folder)).toEqual(["card", "hotel", "car"]);
  });
});

async function untilOwned(folder: string): Promise<void> {
  const reader = await sqliteStore(join(folder, "a.db")).reader();
  while (!(await reader.owned())) await sleep(10);
  await reader.close();
}

/** Waits until the store says that a node of a run was started. */
async function untilStarted(folder: string, id: string, node: string): Promise<void> {
  await untilJournal(folder, "card");
  const reader = await sqliteStore(join(folder, "a.db")).reader();
  const started = async (): Promise<boolean> =>
    (await reader.events(id)).some((event) => event.type === "started" && event.node === node);
  while (!(await started())) await sleep(5);
  await reader.close();
}

describe("`recover`", () => {
  test("does what an operator has asked for while nobody had the store", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    const store = ["--store", "it's a.db"];
    const json = JSON.stringify({ fail: "car", undoFails: "hotel" });
    await steno(folder, ["run", "trip.js", "--params", json, "--id", "t", ...store]);
    const recover = ["recover", "trip.js", ...store];
    const stuck = await steno(folder, recover);
    expect(stuck.status).toBe(3);
    expect(stuck.stdout).toMatch(/^stuck {2}t {2}Trip\.book\n/);
    expect(stuck.stdout).toContain("    steno retry t hotel --store 'it'\\''s a.db'\n");

    const wrong = await steno(folder, ["retry", "t", "car", ...store]);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/^error\[node-not-stuck\].*stuck: `hotel`/);

    // In vain at first: it is as stuck as before.
    const asked = await steno(folder, ["retry", "t", "hotel", ...store]);
    expect(asked).toMatchObject({ status: 0, stdout: "" });
    expect(asked.stderr).toContain("steno recover <bundle> --store 'it'\\''s a.db'");
    expect(await steno(folder, recover)).toMatchObject({ status: 3 });

    await steno(folder, ["settle", "t", "hotel", "--reason", "by hand", ...store]);
    const freed = await steno(folder, recover);
    expect(freed).toMatchObject({ status: 1, stdout: "undone  t  Trip.book\n", stderr: "" });
    expect(journal(folder).slice(3)).toEqual(["unhotel", "unhotel", "uncard"]);

    const late = await steno(folder, ["unwind", "t", ...store]);
    expect(late.status).toBe(2);
    expect(late.stderr).toMatch(/^error\[run-finished\]/);
  });

  test("after kill -9, each run comes to its end", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    for (const [id, fail] of [
      ["good", undefined],
      ["bad", "car"],
    ] as const) {
      const { child, ended } = start(folder, runArgs(id, { wait: "hotel", fail }));
      await untilStarted(folder, id, "hotel");
      child.kill("SIGKILL");
      expect((await ended).signal).toBe("SIGKILL");
    }
    expect(await statusOf(folder, "good")).toBe("running");
    writeFileSync(join(folder, "go"), "");
    const recovered = await steno(folder, ["recover", "trip.js", "--store", "a.db"]);
    expect(recovered.stdout).toBe("succeeded  good  Trip.book\nundone  bad  Trip.book\n");
    expect(recovered.status).toBe(1);
    expect(journal(folder).filter((entry) => entry === "card")).toHaveLength(2);

    const nothing = await steno(folder, ["recover", "trip.js", "--store", "a.db", "--json"]);
    expect(nothing).toMatchObject({ status: 0, stdout: "[]\n" });
  });

  test("a run that was paused is told, and goes on when it is resumed", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    const waiting = start(folder, runArgs("t", { wait: "card" }));
    await untilJournal(folder, "card");
    expect(await steno(folder, ["pause", "t", "--store", "a.db"])).toMatchObject({ status: 0 });
    writeFileSync(join(folder, "go"), "");
    const paused = await waiting.ended;
    expect(paused).toMatchObject({ status: 3 });
    expect(paused.stdout).toMatch(/^running {2}t {2}Trip\.book {2}\(paused\)\n.*steno resume t/s);
    const recovered = await steno(folder, ["recover", "trip.js", "--store", "a.db"]);
    expect(recovered.status).toBe(3);
    expect(recovered.stdout).toMatch(/^running {2}t {2}Trip\.book {2}\(paused\)\n/);
    expect(recovered.stdout).toContain("    steno resume t --store a.db\n");
    expect(journal(folder)).toEqual(["card"]);

    expect(await steno(folder, ["resume", "t", "--store", "a.db"])).toMatchObject({ status: 0 });
    const resumed = await steno(folder, ["recover", "trip.js", "--store", "a.db"]);
    expect(resumed).toMatchObject({ status: 0, stdout: "succeeded  t  Trip.book\n" });
  });

  test("a run of another definition is left alone, with the reason", async () => {
    const folder = emptyFolder();
    const bundle = writeBundle(folder);
    const { child, ended } = start(folder, runArgs("t", { wait: "card" }));
    await untilJournal(folder, "card");
    child.kill("SIGKILL");
    await ended;
    writeFileSync(bundle, readFileSync(bundle, "utf8").replace("sha256-trip", "sha256-other"));
    const recovered = await steno(folder, ["recover", "trip.js", "--store", "a.db"]);
    expect(recovered.status).toBe(3);
    expect(recovered.stdout).toMatch(
      /^running {2}t {2}Trip\.book {2}\(definition-missing\)\n {2}\S/,
    );
    const again = await steno(folder, runArgs("t", { wait: "card" }));
    expect(again.status).toBe(2);
    expect(again.stderr).toMatch(/^error\[definition-missing\]/);
  });

  test("is refused while another process owns the store", async () => {
    const folder = emptyFolder();
    writeBundle(folder);
    const { child, ended } = start(folder, runArgs("t", { wait: "card" }));
    await untilJournal(folder, "card");
    const second = await steno(folder, ["recover", "trip.js", "--store", "a.db"]);
    expect(second.status).toBe(2);
    expect(second.stderr).toMatch(new RegExp(`^error\\[store-owned\\].*process ${child.pid} `));
    writeFileSync(join(folder, "go"), "");
    expect((await ended).status).toBe(0);
  });
});
