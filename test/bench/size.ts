/** Sizes, minified: of a saga's bundle against its class alone, and of the runtime where a user bundles it, too. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build, type BuildOptions } from "esbuild";
import { at, generate } from "./compile.js";
import type { Bench, Measured } from "./measure.js";

const run = promisify(execFile);

export const sizeBenches: readonly Bench[] = [
  { name: "bundle-size", run: () => inProject(bundleSize) },
  { name: "runtime-size", run: () => inProject(runtimeSize) },
];

async function inProject(measure: (directory: string) => Promise<Measured>): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), "steno-bench-"));
  try {
    generate(directory, 1);
    const args = [at("compiler/dist/main.js"), "--bundle", "bundles"];
    await run(process.execPath, args, { cwd: directory });
    return await measure(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What `--bundle` made, which `steno run` serves as it is, against the class that was written. */
async function bundleSize(directory: string): Promise<Measured> {
  const bundle = readFileSync(join(directory, "bundles", "order-0.js"), "utf8");
  const value = await minified({ stdin: { contents: bundle } });
  const limit = await minified({ entryPoints: [join(directory, "src", "order-0.ts")] });
  return { value, unit: "kB", limit, ratio: value / limit };
}

/** A coordinator on SQLite in one file with all that it needs of the runtime, but for SQLite itself. */
async function runtimeSize(directory: string): Promise<Measured> {
  const contents = `export { Coordinator, sqliteStore } from "steno-runtime";
export { fulfil0 } from "./src/order-0.saga.js";`;
  const stdin = { contents, resolveDir: directory, loader: "ts" } as const;
  const [value, saga] = await Promise.all([
    minified({ stdin, external: ["libsql", "pg"] }),
    minified({ stdin, external: ["steno-runtime"] }),
  ]);
  return { value: value - saga, unit: "kB" };
}

async function minified(options: BuildOptions): Promise<number> {
  const { outputFiles } = await build({
    ...{ external: ["steno-runtime"], ...options },
    ...{ bundle: true, minify: true, write: false, format: "esm", platform: "node" },
    logLevel: "error",
  });
  return (outputFiles?.[0]?.contents.length ?? 0) / 1000;
}
