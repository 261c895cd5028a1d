/**
 * Makes `dist` of the sources: declarations by `tsc`, and JavaScript by esbuild, a file for each entry
 * and what they share in `chunks`. A process starts in half of the time that a file for each source
 * takes, since Node reads modules one by one; and of zod only what is used is in it, where an import
 * would bring its messages in sixty languages.
 */
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const { exports } = createRequire(import.meta.url)("./package.json");
const commands = ["cli/main", "cli/program", "cli/hooks"];
const entries = Object.values(exports)
  .flatMap((entry) => /^\.\/dist\/(.*)\.js$/.exec(entry.default ?? "")?.[1] ?? [])
  .concat(commands);

// What an earlier build made under other names would be packed, too.
rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, [typescript(), "-p", "tsconfig.build.json"], { stdio: "inherit" });
await build({
  entryPoints: entries.map((entry) => `${entry}.ts`),
  outdir: "dist",
  // As deep as the commands, so that paths from a file to another are the same.
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  sourcesContent: false,
  external: ["libsql", "pg", "commander", "picocolors", "@opentelemetry/api"],
  logLevel: "warning",
});
mkdirSync("dist/licenses", { recursive: true });
copyFileSync(join(folderOf("zod"), "LICENSE"), "dist/licenses/zod.txt");

function typescript() {
  return join(folderOf("typescript"), "bin/tsc");
}

function folderOf(name) {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}
