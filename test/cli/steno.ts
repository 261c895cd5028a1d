/** Runs the built command `steno` in a process of its own, as a user does. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const main = fileURLToPath(new URL("../../runtime/dist/cli/main.js", import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder without packages, so that nothing is found by accident. */
export function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "steno-cli-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function start(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  if (!existsSync(main)) throw new Error("`npm run build` first: the built command is tested");
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8").on("data", (text: string) => (texts[name] += text));
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, ...texts }));
  });
  return { child, ended };
}

export function steno(
  cwd: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<Ended> {
  return start(cwd, args, env).ended;
}

/**
 * Writes a bundle by hand: a saga of three actions in a row. Each notes what it does in the file
 * `journal`; the params say which one fails, whose undo fails (unless there is a file `repaired`, or
 * `repaired-` and the name), and which one waits for the file `go`. `more` changes nodes.
 */
export function writeBundle(
  folder: string,
  banner = "",
  more: Readonly<Record<string, object>> = {},
): string {
  const node = (name: string, after: string[]): object => ({
    ...{ name, kind: "action", action: name, undo: `un${name}`, after },
    undoRetry: { attempts: 1, delayMs: 1, factor: 1, maxDelayMs: 1, jitter: false },
    ...more[name],
  });
  const nodes = [node("card", []), node("hotel", ["card"]), node("car", ["hotel"])];
  const manifest = { steno: 1, name: "Trip.book", hash: "sha256-trip", nodes };
  const text = `${banner}import { defineSaga } from "steno-runtime";
import { appendFileSync, existsSync } from "node:fs";

class Trip {
  async act(name, params) {
    appendFileSync("journal", name + "\\n");
    while (params.wait === name && !existsSync("go")) await new Promise((r) => setTimeout(r, 10));
    if (params.fail === name) throw new RangeError("no " + name + " left");
    return { what: name };
  }
  async unact(name, params) {
    appendFileSync("journal", "un" + name + "\\n");
    const repaired = existsSync("repaired") || existsSync("repaired-" + name);
    const fails = [params.undoFails].flat().includes(name);
    if (fails && !repaired) throw new Error("the door of " + name + " is locked");
  }
  card(params) { return this.act("card", params); }
  hotel(params) { return this.act("hotel", params); }
  car(params) { return this.act("car", params); }
  uncard(output, params) { return this.unact("card", params); }
  unhotel(output, params) { return this.unact("hotel", params); }
  uncar(output, params) { return this.unact("car", params); }
}

const inputs = ({ params }) => [params];
const book = defineSaga({
  manifest: ${JSON.stringify(manifest)},
  nodes: { card: { inputs }, hotel: { inputs }, car: { inputs } },
  output: ({ hotel, car }) => [hotel, car],
});
export default [book.on(new Trip())];
`;
  const path = join(folder, "trip.js");
  writeFileSync(path, text);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return path;
}
