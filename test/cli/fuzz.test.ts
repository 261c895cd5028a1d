/**
 * Command lines and bundles by chance, of `steno` and `steno-compile`: each ends with an exit code and,
 * where something is wrong, a message for whoever typed it. None hangs, or shows where it went wrong in us.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Coordinator, sqliteStore } from "steno-runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadDriver } from "../../runtime/stores/sqlite-driver.js";
import { bundleProcess } from "../kills/bundle.js";
import { action, scripted, scriptOf } from "../runtime/sagas.js";
import { type Choose, stream } from "../simulate/random.js";
import type { Ending } from "./fuzz-process.js";
import { emptyFolder, writeBundle } from "./steno.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
let fuzzer: string;
beforeAll(async () => {
  fuzzer = await bundleProcess("test/cli/fuzz-process.ts");
});
afterAll(() => rmSync(fuzzer, { force: true }));

/** Gives the lines to the command, all in one process. */
async function endings(
  command: "steno" | "steno-compile",
  cwd: string,
  lines: readonly (readonly string[])[],
): Promise<Ending[]> {
  const file = join(
    root,
    command === "steno" ? "runtime/dist/cli/program.js" : "compiler/dist/main.js",
  );
  const child = spawn(process.execPath, [fuzzer, command, file], {
    cwd,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stdin.end(lines.map((line) => JSON.stringify(line)).join("\n"));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code).toBe(0);
  const found = out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Ending);
  expect(found.length).toBe(lines.length);
  return found;
}

/** What is wrong with how a line ended. */
function wrongWith({ line, code, out, error }: Ending): unknown[] {
  const wrong: string[] = [];
  if (code === undefined || ![0, 1, 2, 3].includes(code)) wrong.push(`code ${String(code)}`);
  if (/internal\[|uncaught|"internal"/.test(out + error)) wrong.push("a defect of ours");
  if (/^\s+at /m.test(error) && !error.includes("bundle-fails-to-load"))
    wrong.push("a stack trace");
  if (/\bat .*(runtime\/dist|compiler\/dist|node:internal)/.test(error)) wrong.push("ours in it");
  if (code !== 0 && (out + error).trim().length < 20) wrong.push("no message");
  // Nothing that it was given may steer the terminal.
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(out + error))
    wrong.push("control characters");
  return wrong.length === 0 ? [] : [{ line, wrong, code, out, error }];
}

/** The same in each run, so that a failure is of the change under test; others with `FUZZ_SEED`. */
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);

const one = <T>(choose: Choose, list: readonly T[]): T => list[choose(list.length)] as T;

const ODD = [
  ...["", " ", "-", "--", "---", "-x", "--no", "=", "--store=", "*", "..", "a/b", "__proto__"],
  ...["constructor", "💥", "٣", "\u202ereversed", "\u001b[31mred", "a\nb", "\ufffd", "e\u0301"],
  ...["0", "-1", "1.5", "1e999", "NaN", "0x10", "9007199254740993", "999999999999999999999"],
  ...["null", "{", "[]", '{"__proto__":1}', '"', "'; DROP TABLE runs; --", "x".repeat(5000)],
  ...["2026-13-45", "1970-01-01", "30d", "-1d", "1e9d", "∞", "1,2", "0.0", "1.1"],
];
const STORES = ["runs.db", "missing.db", "text.db", "other.db", "empty.db", "folder", "no/such.db"];
const IDS = ["done", "waits", "stuck", "ünï💥", "nobody", "__proto__", ""];
const NODES = ["a", "b", "e", "list[*]/x", "list[0]/x", "nope", ""];
const COMMANDS = [
  ...["run", "recover", "list", "show", "log", "export", "prune", "pause", "unwind", "resume"],
  ...["retry", "send", "settle", "inject", "step", "break", "drain", "help", "nonsense"],
];
const FLAGS = [
  ...["--json", "--saga", "--status", "--reason", "--limit", "--cursor", "--created-before"],
  ...["--created-after", "--id-prefix", "--output", "--payload", "--error", "--undo-error"],
  ...["--repeat", "--repeat-undo", "--after", "--clear", "--node", "--no-wait", "--end", "--keep"],
  ...["--older-than", "--params", "--id", "--all", "--help", "--version", "-V", "-h"],
];

function lineBy(choose: Choose): string[] {
  const line = [choose(20) === 0 ? one(choose, ODD) : one(choose, COMMANDS)];
  const word = (): string => {
    const kind = choose(10);
    if (kind < 3) return one(choose, IDS);
    if (kind < 5) return one(choose, NODES);
    if (kind < 6) return one(choose, ["trip.js", "text.db", "missing.js", "folder"]);
    return one(choose, ODD);
  };
  for (let words = choose(4); words > 0; words--) line.push(word());
  for (let flags = choose(4); flags > 0; flags--) {
    line.push(one(choose, FLAGS));
    if (choose(3) > 0) line.push(word());
  }
  if (choose(10) > 0) line.push("--store", choose(3) > 0 ? "runs.db" : one(choose, STORES));
  return line;
}

/** A folder with stores of all kinds. */
async function folderWithStores(): Promise<string> {
  const folder = emptyFolder();
  const event = { name: "e", kind: "event", target: "go", after: ["a"] } as const;
  const waits = scripted([action("a"), event, action("b", ["e"])], "Waits.saga");
  const holds = scripted([action("a", [], { onFailure: "pause" })], "Holds.saga");
  const quick = scripted([action("a")], "Quick.saga");
  const script = scriptOf(() => "\u001b[31mred");
  const fails = scriptOf(() => {
    throw new Error("\u001b[31mno");
  });
  const coordinator = await Coordinator.open({
    store: sqliteStore(join(folder, "runs.db")),
    sagas: [waits.on(script), holds.on(fails), quick.on(script)],
    logger: { warn: () => undefined, error: () => undefined },
  });
  for (const id of ["done", "ünï💥"]) await (await coordinator.start(quick, 1, { id })).result();
  await coordinator.start(waits, "\u001b[31mred", { id: "waits" });
  await (await coordinator.start(holds, null, { id: "stuck" })).result().catch(() => undefined);
  await coordinator.close();
  writeFileSync(join(folder, "text.db"), "x".repeat(5000));
  writeFileSync(join(folder, "empty.db"), "");
  mkdirSync(join(folder, "folder"));
  const other = loadDriver()(join(folder, "other.db"));
  other.exec("CREATE TABLE t (x)");
  other.close();
  writeBundle(folder);
  return folder;
}

test("any command line of `steno` ends with a code, and a message where something is wrong", async () => {
  const folder = await folderWithStores();
  const choose = stream(SEED, "lines");
  const lines = Array.from({ length: 400 }, () => lineBy(choose));
  // These go on for as long as they are let.
  const ending = lines.filter((line) => !(line[0] === "log" && line.includes("--follow")));
  const found = await endings("steno", folder, ending);
  expect(found.flatMap(wrongWith).slice(0, 5)).toEqual([]);
  // It looked at something.
  for (const code of [0, 2])
    expect(found.filter((end) => end.code === code).length).toBeGreaterThan(50);
});

/** A bundle with something changed in it. */
function changed(text: string, choose: Choose): string {
  const [from, to] = [choose(text.length), choose(text.length)].sort((a, b) => a - b);
  const part = text.slice(from, (from ?? 0) + choose(30));
  switch (choose(7)) {
    case 0:
      return text.slice(0, from);
    case 1:
      return text.slice(0, from) + text.slice((from ?? 0) + choose(40));
    case 2:
      return text.slice(0, to) + part + text.slice(to);
    case 3:
      return text.slice(0, from) + one(choose, ODD) + text.slice(from);
    case 4:
      return text.replaceAll(
        one(choose, ['"action"', '"card"', "[]", "1", '"after"', "inputs", '"undo"', "Trip"]),
        one(choose, ['"scope"', "null", '"map"', "-1", '["car"]', "undefined", "__proto__"]),
      );
    case 5:
      return `/* steno-bundle ${one(choose, ODD)} */\n${text}`;
    default:
      return `/* steno-bundle {"format":${one(choose, ["1", "2", "null"])},"runtime":"${one(choose, ["0.1.0", "9.0.0", "", "x"])}"} */\n${text}`;
  }
}

test("any bundle is run, or refused with a message", async () => {
  const folder = emptyFolder();
  // Without the body that waits, which would wait for ever by chance.
  const whole = readFileSync(writeBundle(folder), "utf8").replace(/^.*while \(.*\n/m, "");
  const choose = stream(SEED + 1, "bundles");
  const lines = Array.from({ length: 100 }, (_, number) => {
    const name = `b${number}.js`;
    // Whole, without a package that it needs (our hook is asked for it), and changed by chance.
    const given = [whole, whole.replace('"steno-runtime"', '"not-there"')][number];
    writeFileSync(join(folder, name), given ?? changed(whole, choose));
    return ["run", name, "--store", `${number}.db`, "--params", '{"fail":"car"}'];
  });
  const found = await endings("steno", folder, lines);
  expect(found[0]?.code).toBe(1);
  expect(found.flatMap(wrongWith).slice(0, 5)).toEqual([]);
  for (const code of [1, 2]) {
    expect(found.filter((end) => end.code === code).length).toBeGreaterThan(5);
  }
});

test("any command line of `steno-compile` ends with a code, and a message where something is wrong", async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, "plain.ts"), "export const x: number = 1;\n");
  writeFileSync(join(folder, "broken.ts"), "export class { @saga");
  writeFileSync(join(folder, "broken.json"), "{");
  writeFileSync(join(folder, "tsconfig.json"), '{ "include": ["plain.ts"] }');
  mkdirSync(join(folder, "empty"));
  const choose = stream(SEED + 2, "compile");
  const words = [
    ...[
      "plain.ts",
      "broken.ts",
      "broken.json",
      "empty",
      "missing.ts",
      "inspect",
      "graph",
      "explain",
    ],
    ...["--project", "tsconfig.json", "--check", "--json", "--bundle", "--external", "--hints"],
    ...["--schema", "--format", "dot", "mermaid", "png", "--fix", "undo-missing", "--version"],
  ];
  const lines = Array.from({ length: 24 }, () =>
    Array.from({ length: 1 + choose(4) }, () => one(choose, choose(6) === 0 ? ODD : words)),
  );
  // By chance, too, but not with each seed; and what names nothing is repeated.
  lines.push(
    ["explain", "undo-missing"],
    ["missing.ts"],
    ["\u001b[31mred.ts", "explain"],
    ["explain", "\u001b[2J"],
  );
  const found = await endings("steno-compile", folder, lines);
  expect(found.flatMap(wrongWith).slice(0, 5)).toEqual([]);
  for (const code of [0, 2]) expect(found.some((end) => end.code === code)).toBe(true);
});
