/**
 * A stranger with the README: packs both packages, and follows it word by word in an empty folder.
 * Four liberties: the two packages are installed from the tarballs; where the README sleeps until the
 * hotel is booked, a busy machine waits until it is, and a moment until that is recorded; the agency is quick
 * but where it is killed; and `npx` is asked once for each command, which it takes a second to find.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks } from "../markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "steno-readme-"));
const tarballs = mkdtempSync(join(tmpdir(), "steno-pack-"));
const env = {
  ...process.env,
  NO_COLOR: "1",
  npm_config_prefer_offline: "true",
  // What npm asks a registry for beside the packages is not what is tested.
  ...{ npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false" },
};
/** What each line of the README's shell blocks printed, in order. */
const outputs: { readonly command: string; readonly output: string }[] = [];

function sh(command: string, cwd: string): string {
  // Both streams, in the order in which they came.
  const options = { cwd, env, encoding: "utf8", timeout: 240_000 } as const;
  try {
    return execFileSync("sh", ["-c", `{ ${command}\n} 2>&1`], options);
  } catch (error) {
    const { stdout } = error as { readonly stdout: string };
    throw new Error(`\`${command}\` failed:\n${stdout}`, { cause: error });
  }
}

function patiently(command: string): string {
  return command.replace(
    /^(node .*) & sleep 2\.4; kill -9 \$!$/,
    "PAUSE=1500 $1 > out.txt & until grep -q 'booked hotel' out.txt; do sleep 0.05; done; sleep 0.3; kill -9 $!; cat out.txt",
  );
}

/** Where it is not killed, nobody has to see that it takes its time. */
function hastily(file: string, text: string): string {
  if (file !== "src/agency.ts") return text;
  const hasty = text.replace("pause = 1500", "pause = Number(process.env.PAUSE ?? 50)");
  if (hasty === text) throw new Error("the README's agency does not take 1500 ms");
  return hasty;
}

const found = new Set<string>();

function foundOnce(command: string): string {
  const [, name = ""] = /^npx (\S+)/.exec(command) ?? [];
  if (name === "" || !found.has(name)) return (found.add(name), command);
  return command.replace("npx ", "node_modules/.bin/");
}

function pack(workspace: string): string {
  const json = sh(
    `npm pack --json --silent --pack-destination ${tarballs} 2>/dev/null`,
    join(root, workspace),
  );
  const [{ filename }] = JSON.parse(json) as [{ readonly filename: string }];
  return join(tarballs, filename);
}

function outputOf(command: string): string {
  const found = outputs.find((entry) => entry.command.startsWith(command));
  if (found === undefined) throw new Error(`the README does not say \`${command}\``);
  return found.output;
}

beforeAll(() => {
  const packages = [
    ["steno-runtime", pack("runtime")],
    ["steno-compiler", pack("compiler")],
  ] as const;
  const blocks = codeBlocks(join(root, "README.md")).filter(
    (block) => block.marker !== "in this repository",
  );
  for (const { language, file, text, line } of blocks) {
    if (file !== undefined) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), hastily(file, text));
    } else if (language === "sh") {
      for (const command of text.trim().split("\n")) {
        const install = command.startsWith("npm install");
        const actual = packages.reduce(
          (words, [name, tarball]) => (install ? words.replace(name, tarball) : words),
          command,
        );
        outputs.push({ command, output: sh(foundOnce(patiently(actual)), folder) });
      }
    } else {
      throw new Error(`README.md:${line}: a block that is neither a file nor a command`);
    }
  }
}, 400_000);

afterAll(() => {
  for (const directory of [folder, tarballs]) rmSync(directory, { recursive: true, force: true });
});

describe("in an empty folder, with the README only", () => {
  test("the saga compiles, and the project type-checks under TypeScript 7", () => {
    expect(sh("node_modules/.bin/tsc --version", folder)).toMatch(/^Version 7\./m);
    const generated = readFileSync(join(folder, "src/book-trip.saga.ts"), "utf8");
    expect(generated).toContain("BookTrip.bookTrip");
    // Now with the tests and the worker, which the README adds after its first build.
    sh("npm run build", folder);
  });

  test("a trip is booked", () => {
    const output = outputOf("node dist/main.js");
    for (const what of ["hotel Grand", "flight LH1", "car compact"]) {
      expect(output).toContain(`booked ${what}`);
    }
    expect(output).toContain("sent a receipt for hotel Grand, flight LH1, car compact");
  });

  test("after kill -9 the next process goes on where it was", () => {
    const killed = outputOf("node dist/main.js trip-2 &");
    expect(killed).toContain("booked hotel Grand");
    expect(killed).not.toContain("booked flight");
    expect(outputOf("npx steno show trip-2")).toMatch(/hotel/);
    const recovered = outputs.find(({ command }) => command === "node dist/main.js trip-2");
    expect(recovered?.output).not.toContain("booked hotel");
    expect(recovered?.output).toContain("booked flight LH1");
    expect(recovered?.output).toContain("sent a receipt");
  });

  test("what fails is undone", () => {
    const output = outputOf("node dist/main.js trip-3 limousine");
    expect(output).toMatch(
      /cancelled flight LH1[\s\S]*cancelled hotel Grand[\s\S]*no limousine left/,
    );
    expect(output).not.toContain("receipt");
    expect(outputOf("npx steno show trip-3")).toMatch(/undone/);
  });

  test("the command line lists, logs and runs", () => {
    for (const id of ["trip-1", "trip-2", "trip-3"]) {
      expect(outputOf("npx steno list")).toContain(id);
    }
    expect(outputOf("npx steno log trip-3")).toContain("no limousine left");
    expect(outputOf("npx steno run bundle/book-trip.js")).toContain("booked hotel Ritz");
  });

  test("the class runs in stock vitest and in tsx", () => {
    expect(outputOf("npx vitest run")).toMatch(/1 passed/);
    expect(outputOf("npx tsx src/main.ts trip-5")).toContain("sent a receipt");
  });

  test("both packages bring the license", () => {
    const license = readFileSync(join(root, "LICENSE"), "utf8");
    for (const name of ["steno-runtime", "steno-compiler"]) {
      const shipped = readFileSync(join(folder, "node_modules", name, "LICENSE"), "utf8");
      expect(shipped).toBe(license);
    }
  });

  test("production has no compiler in it", () => {
    const { dependencies } = JSON.parse(
      readFileSync(join(folder, "node_modules/steno-runtime/package.json"), "utf8"),
    ) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).not.toContain("ts-morph");
    expect(Object.keys(dependencies)).not.toContain("esbuild");
  });
});
