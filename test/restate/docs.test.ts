/** Holds docs/RESTATE.md, and the package's README.md, to what they say: the quick start is followed. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UNAVAILABLE } from "../../restate/unavailable.js";
import { codeBlocks } from "../markdown.js";
import { freePorts, RestateServer } from "./server.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Below node_modules, so that the packages are found from there.
const folder = join(root, `node_modules/.cache/steno-restate-docs-${process.pid}`);
const document = join(root, "docs/RESTATE.md");
const run = promisify(execFile);
let server: RestateServer;

beforeAll(async () => {
  mkdirSync(join(folder, "src"), { recursive: true });
  server = await RestateServer.start();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("the quick start books a trip, and undoes another", async () => {
  const [port = 0] = await freePorts(1);
  const addresses = [
    ["port: 9080", `port: ${port}`],
    ["http://127.0.0.1:9080", `http://127.0.0.1:${port}`],
    ["http://127.0.0.1:8080", server.ingress],
    ["http://127.0.0.1:9070", server.admin],
    ["new Agency()", "new Agency(0)"],
  ] as const;
  const here = (text: string): string =>
    addresses.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const blocks = codeBlocks(document);
  const before = codeBlocks(join(root, "README.md")).filter(({ file = "" }) =>
    ["src/book-trip.ts", "src/agency.ts", "tsconfig.json"].includes(file),
  );
  for (const { file, text } of [...before, ...blocks]) {
    if (file !== undefined) writeFileSync(join(folder, file), here(text));
  }
  // Not looked for above: its own, with none of the names that only the repository has.
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const compile = join(root, "compiler/bin/steno-compile.js");
  execFileSync(process.execPath, [compile], { cwd: folder });
  const types = ["--typeRoots", join(root, "node_modules/@types")];
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...types], {
    cwd: folder,
    stdio: "inherit",
  });
  const lines = blocks
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.split("\n"));
  expect(lines.filter((line) => /^(npm|node|npx|curl)/.test(line))).toHaveLength(8);
  const serving = spawn(process.execPath, ["dist/serve.js"], { cwd: folder, stdio: "inherit" });
  try {
    const command = here(lines.find((line) => line.startsWith("curl")) ?? "");
    // It serves as soon as it can.
    const retry = `until ${command.trim().replace("curl -s", "curl -sf")} >out.txt; do sleep 0.1; done; cat out.txt`;
    execFileSync("sh", ["-c", retry], { cwd: folder, timeout: 60_000 });
    const book = async (line: string): Promise<string> => {
      expect(lines).toContain(line);
      return (await run("sh", ["-c", line], { cwd: folder })).stdout;
    };
    const booked = await book("node dist/book.js");
    expect(booked).toContain("what: 'hotel Grand'");
    expect(booked).toContain("trip-1 succeeded");
    // The same id is the same run.
    expect(await book("node dist/book.js")).toBe(booked);
    const undone = await book("node dist/book.js trip-2 limousine");
    expect(undone).toMatch(/is undone: no limousine left\ntrip-1 succeeded\ntrip-2 undone\n$/);
  } finally {
    serving.kill();
  }
});

test("the example shows each act, and that nothing is booked twice", async () => {
  const { stdout } = await run("npm", ["run", "restate"], { cwd: root });
  expect(stdout.match(/at the booking server/g)).toHaveLength(3);
  expect(stdout).toContain("kill -9");
  expect(stdout).toContain("limousine is sold out");
});

test("the package's README has the same quick start", () => {
  const texts = (file: string): string[] => codeBlocks(file).map(({ text }) => text);
  expect(texts(join(root, "restate/README.md"))).toEqual(texts(document));
});

test("what is refused is in the table", () => {
  const table = readFileSync(document, "utf8").split("## What is not available")[1] ?? "";
  for (const name of Object.keys(UNAVAILABLE)) expect(table).toContain(`\`${name}\``);
});

test("the package has what it needs, and no sources", () => {
  const options = { cwd: join(root, "restate"), encoding: "utf8" } as const;
  const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--silent"], options);
  const [{ files }] = JSON.parse(packed) as [{ readonly files: { readonly path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts"]),
  );
  expect(paths.filter((path) => /(?<!\.d)\.ts$|test/.test(path))).toEqual([]);
  const manifest = (name: string): { version: string; peerDependencies?: object } =>
    JSON.parse(readFileSync(join(root, name, "package.json"), "utf8")) as never;
  expect(manifest("restate").peerDependencies).toEqual({
    "steno-runtime": manifest("runtime").version,
  });
});
