/**
 * A process that gives many command lines to `steno`, or to `steno-compile`, one after the other, and
 * tells which of them ended as none may. Each is a JSON array in a line of stdin. It is bundled to run.
 */
import { readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** How a command line ended. */
export interface Ending {
  readonly line: readonly string[];
  readonly code: number | undefined;
  readonly out: string;
  readonly error: string;
}

/** A command that takes longer hangs. */
const LONGEST_MS = 20_000;

type Main = (argv: readonly string[]) => Promise<number>;

const [, , command = "", file = ""] = process.argv;
const lines = readFileSync(0, "utf8").split("\n").filter(Boolean);
const texts = { out: "", error: "" };
const keep = (name: keyof typeof texts) =>
  ((text: string, done?: () => void) => {
    texts[name] += String(text);
    done?.();
    return true;
  }) as typeof process.stdout.write;
process.stdout.write = keep("out");
process.stderr.write = keep("error");

for (const text of lines) {
  const line = JSON.parse(text) as string[];
  texts.out = texts.error = "";
  const { hangs, stop } = late();
  const code = await Promise.race([run(line), hangs]);
  stop();
  writeSync(1, `${JSON.stringify({ line, code, ...texts } satisfies Ending)}\n`);
}
process.exit(0);

async function run(line: readonly string[]): Promise<number | undefined> {
  try {
    if (command === "steno") {
      const { main } = (await import(pathToFileURL(file).href)) as { readonly main: Main };
      return await main(line);
    }
    // What it is told is in the process: it is a module that runs when it is imported.
    process.argv = [process.execPath, file, ...line];
    process.exitCode = undefined;
    await import(`${pathToFileURL(file).href}?${String(Math.random())}`);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    texts.error += `uncaught: ${String((error as Error)?.stack ?? error)}`;
    return undefined;
  }
}

function late(): { readonly hangs: Promise<undefined>; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      texts.error += "uncaught: it hangs";
      resolve(undefined);
    }, LONGEST_MS);
  });
  return { hangs, stop: () => clearTimeout(timer) };
}
