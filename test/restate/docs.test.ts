/** Holds docs/RESTATE.md, and the package's README.md, to what they say: the quick start is followed. */
import { build } from "esbuild";
import { execFile, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UNAVAILABLE } from "../../restate/unavailable.js";
import { startBookingServer, type BookingServer } from "../../examples/trip/booking-server.js";
import { codeBlocks } from "../markdown.js";
import { freePorts, RestateServer } from "./server.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Below node_modules, so that the packages are found from there.
const folder = join(root, `node_modules/.cache/steno-restate-docs-${process.pid}`);
const document = join(root, "docs/RESTATE.md");
const run = promisify(execFile);
let server: RestateServer;
let bookings: BookingServer;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  server = await RestateServer.start();
  bookings = await startBookingServer({ file: join(folder, "bookings.json") });
});
afterAll(async () => {
  await Promise.all([server.stop(), bookings.close()]);
  rmSync(folder, { recursive: true, force: true });
});

test("the quick start books a trip", async () => {
  const [port = 0] = await freePorts(1);
  const addresses = [
    ["http://127.0.0.1:9080", `http://127.0.0.1:${port}`],
    ["port: 9080", `port: ${port}`],
    ["http://127.0.0.1:8080", server.ingress],
    ["http://127.0.0.1:9070", server.admin],
  ] as const;
  const here = (text: string): string =>
    addresses.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const copied = ["agency.ts", "book-trip.ts", "book-trip.saga.ts"];
  for (const file of copied) {
    cpSync(join(root, "examples/trip", file), join(folder, file));
  }
  const blocks = codeBlocks(document);
  const files = blocks.flatMap(({ file, text }) => (file === undefined ? [] : [{ file, text }]));
  expect(files.map(({ file }) => file)).toEqual(["serve.ts", "main.ts"]);
  for (const { file, text } of files) {
    writeFileSync(join(folder, file), here(text));
  }
  // As packages, which the build has made: what is below node_modules is not taken from sources.
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  await build({
    entryPoints: [...copied, ...files.map(({ file }) => file)].map((file) => join(folder, file)),
    outdir: folder,
    format: "esm",
    target: "node20",
  });
  const env = { ...process.env, BOOKINGS_URL: bookings.url };
  const serving = spawn(process.execPath, [join(folder, "serve.js")], { env, stdio: "inherit" });
  try {
    const [register] = blocks.filter(({ language }) => language === "sh");
    const command = here(register?.text ?? "");
    expect(command).toMatch(/^curl -s http:/);
    // It serves as soon as it can.
    const retry = `until ${command.trim().replace("curl -s", "curl -sf")} >out.txt; do sleep 0.1; done; cat out.txt`;
    execFileSync("sh", ["-c", retry], { cwd: folder, timeout: 60_000 });
    const main = join(folder, "main.js");
    // The booking server is in this process.
    const said = async (): Promise<string> => (await run(process.execPath, [main])).stdout;
    expect(await said()).toBe("hotel-1\n");
    // The same id is the same run.
    expect(await said()).toBe("hotel-1\n");
  } finally {
    serving.kill();
  }
});

test("the quick start type-checks", () => {
  const config = {
    extends: "../../../tsconfig.json",
    compilerOptions: {
      typeRoots: [join(root, "node_modules/@types")],
      paths: {
        "steno-restate": [join(root, "restate/index.ts")],
        "steno-runtime": [join(root, "runtime/index.ts")],
        "steno-runtime/host": [join(root, "runtime/host.ts")],
        "steno-runtime/schema": [join(root, "runtime/schema.ts")],
      },
    },
    files: ["serve.ts", "main.ts"],
    include: [],
    exclude: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/.bin/tsc");
  execFileSync(tsc, ["-p", folder], { encoding: "utf8", stdio: ["ignore", "inherit", "inherit"] });
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
