/** Makes one file of a test's process and its sources, so that starting it takes as little as it can. */
import { build } from "esbuild";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Gives the path of the file, which is of this process alone; `entry`: from the root of the repository;
 * `external`: packages that are not bundled.
 */
export async function bundleProcess(
  entry: string,
  external: readonly string[] = [],
): Promise<string> {
  // Below node_modules, so that the one package with native code is found from there.
  const outdir = join(root, "node_modules/.cache/steno-processes");
  mkdirSync(outdir, { recursive: true });
  const outfile = join(outdir, `${basename(entry, ".ts")}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    tsconfig: join(root, "tsconfig.json"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["libsql", ...external],
  });
  return outfile;
}
