/** What is checked of the repository as a whole, beside its tests: that it type-checks, and is formatted. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

test.each(["typecheck", "format:check"])("npm run %s", async (script) => {
  await promisify(execFile)("npm", ["run", "--silent", script], { cwd: root }).catch(
    ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => {
      throw new Error(stdout + stderr);
    },
  );
});
