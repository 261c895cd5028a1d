/**
 * Loads a bundle: the ESM file that `steno-compile --bundle` made, or one written by hand, whose
 * default export is the bound sagas. It checks before it imports, and it runs nothing.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { resolve as resolvePath } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BoundSaga } from "../definition.js";
import { resolve } from "./hooks.js";
import { manyLines } from "./output.js";
import { Problem } from "./problem.js";

/** The version of the bundle's format that is understood here. */
const BUNDLE_FORMAT = 1;

/** The banner is short; what is longer is none. */
const BANNER_LIMIT = 500;

/** The version of this runtime. */
export function runtimeVersion(): string {
  // From a folder in `runtime/dist` and, in tests, from `runtime/cli/`.
  for (const path of ["../../package.json", "../package.json"]) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as {
        readonly name?: string;
        readonly version?: string;
      };
      if (found.name === "steno-runtime" && found.version) return found.version;
    } catch {
      // Not this one.
    }
  }
  throw new Problem("broken-install", "package.json of steno-runtime is missing: install it again");
}

/** Imports the bundle and gives its sagas. */
export async function loadBundle(given: string): Promise<readonly BoundSaga[]> {
  const path = resolvePath(given);
  if (/\.[cm]?tsx?$/.test(given)) {
    throw new Problem(
      "bundle-is-source",
      `${given} is a source; bundle it with \`steno-compile --bundle <dir>\` and name the file that this writes`,
    );
  }
  checkBanner(readStart(path), given, runtimeVersion());
  registerRuntime();
  // Stack traces of the user's actions point into the user's sources.
  process.setSourceMapsEnabled(true);
  let loaded: { readonly default?: unknown };
  try {
    const { href } = pathToFileURL(path);
    loaded = await orNothingLeft(import(href) as Promise<typeof loaded>, given);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      "bundle-fails-to-load",
      `${given} fails when it is imported:\n${manyLines(saidBy(error))}`,
    );
  }
  try {
    return boundSagas(loaded.default, given);
  } catch (error) {
    if (error instanceof Problem) throw error;
    // Whatever it exports has code of its own, which was asked what it is.
    throw new Problem(
      "bundle-fails-to-load",
      `what ${given} exports fails when it is looked at:\n${manyLines(saidBy(error))}`,
    );
  }
}

/** Node ends without a word where a module waits for what nothing is there to bring. */
async function orNothingLeft<T>(loading: Promise<T>, given: string): Promise<T> {
  let onEmpty = (): void => undefined;
  const nothingLeft = new Promise<never>((_, reject) => {
    onEmpty = () =>
      reject(
        new Problem(
          "bundle-never-loads",
          `${given} waits, where it is imported, for something that never comes: look for an \`await\` at the top of a module`,
        ),
      );
    process.once("beforeExit", onEmpty);
  });
  try {
    return await Promise.race([loading, nothingLeft]);
  } finally {
    process.off("beforeExit", onEmpty);
  }
}

/** What an error of the bundle says, and where in it: not how Node and we came there. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = (error.stack ?? error.message).split("\n");
  // Our hook is asked where packages are, so it may stand above what was looked for.
  const ours = [fileURLToPath(new URL("../..", import.meta.url)), "node:", "/commander/"];
  const isOurs = (line: string): boolean => ours.some((each) => line.includes(each));
  return lines.filter((line) => !(/^\s+at /.test(line) && isOurs(line))).join("\n");
}

function readStart(path: string): string {
  let file: number;
  try {
    // Of a pipe, opening would wait; a device may have no end.
    if (!statSync(path).isFile()) throw new Error("it is no file");
    file = openSync(path, "r");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Problem(
      missing ? "bundle-missing" : "bundle-not-readable",
      missing
        ? `there is no file ${path}: make it with \`steno-compile --bundle <dir>\``
        : `cannot read ${path}: ${(error as Error).message}`,
    );
  }
  try {
    const buffer = Buffer.alloc(BANNER_LIMIT);
    return buffer.toString("utf8", 0, readSync(file, buffer, 0, BANNER_LIMIT, 0));
  } catch (error) {
    throw new Problem("bundle-not-readable", `cannot read ${path}: ${(error as Error).message}`);
  } finally {
    closeSync(file);
  }
}

/**
 * Checks the banner comment in the first line, `steno-bundle {"format":1,"runtime":"0.1.0"}`.
 * A file without it was written by hand and is taken as it is.
 */
export function checkBanner(start: string, path: string, runtime: string): void {
  const [, text] = /^\/\* steno-bundle (.*?) \*\/\r?(?:\n|$)/.exec(start) ?? [];
  if (text === undefined) return;
  let banner: { readonly format?: unknown; readonly runtime?: unknown };
  try {
    banner = (JSON.parse(text) ?? {}) as typeof banner;
  } catch {
    throw new Problem("bundle-format", `the first line of ${path} is damaged: bundle it again`);
  }
  if (banner.format !== BUNDLE_FORMAT) {
    throw new Problem(
      "bundle-format",
      `${path} has bundle format ${JSON.stringify(banner.format)}, and steno ${runtime} reads ` +
        `format ${BUNDLE_FORMAT}: bundle it again with the steno-compiler of the same version`,
    );
  }
  if (typeof banner.runtime !== "string" || line(banner.runtime) !== line(runtime)) {
    throw new Problem(
      "bundle-version",
      `${path} was made for steno-runtime ${String(banner.runtime)}, and this is ${runtime}: ` +
        "bundle it again with the steno-compiler of the same version, or use that runtime's `steno`",
    );
  }
}

/** Versions with the same line fit together: the major, and the minor while that is 0. */
function line(version: string): string {
  const [major = "", minor = ""] = version.split(".");
  return major === "0" ? `0.${minor}` : major;
}

/** The hook that newer versions of Node take in the same thread. */
interface WithRegisterHooks {
  readonly registerHooks?: (hooks: { readonly resolve: typeof resolve }) => unknown;
}

function registerRuntime(): void {
  const { registerHooks } = nodeModule as unknown as WithRegisterHooks;
  if (registerHooks !== undefined) registerHooks({ resolve });
  else nodeModule.register(new URL("../cli/hooks.js", import.meta.url).href);
}

function boundSagas(exported: unknown, path: string): readonly BoundSaga[] {
  const advice =
    "`export default [bookTrip.on(new BookTrip(…))]`, in `<name>.worker.ts` beside the source";
  if (!Array.isArray(exported)) {
    throw new Problem("bundle-without-sagas", `${path} has no array as default export: ${advice}`);
  }
  if (exported.length === 0) {
    throw new Problem("bundle-without-sagas", `the default export of ${path} is empty: ${advice}`);
  }
  exported.forEach((item: unknown, index) => {
    if (isBoundSaga(item)) return;
    throw new Problem(
      "bundle-without-sagas",
      `item ${index} of the default export of ${path} is not a bound saga: ${advice}`,
    );
  });
  return exported as readonly BoundSaga[];
}

function isBoundSaga(item: unknown): item is BoundSaga {
  const { definition, instance } = (item ?? {}) as Partial<BoundSaga>;
  return (
    typeof definition?.manifest?.name === "string" &&
    Array.isArray(definition.manifest.nodes) &&
    typeof instance === "object" &&
    instance !== null
  );
}

/** The saga that was named, by its whole name or its last part; the only one when none was named. */
export function chooseSaga(sagas: readonly BoundSaga[], name: string | undefined): BoundSaga {
  const names = [...new Set(sagas.map((saga) => saga.definition.manifest.name))];
  const list = names.map((each) => `\`${each}\``).join(", ");
  if (name === undefined && names.length > 1) {
    throw new Problem("saga-not-named", `the bundle has ${list}: name one after the bundle`);
  }
  const whole = name ?? names[0];
  const fitting = names.includes(whole ?? "")
    ? [whole]
    : names.filter((each) => each.split(".").at(-1) === name);
  const chosen = sagas.find((saga) => saga.definition.manifest.name === fitting[0]);
  if (chosen === undefined || fitting.length > 1) {
    const problem = fitting.length > 1 ? "fits several of" : "is not one of";
    throw new Problem("saga-unknown", `\`${name}\` ${problem} the bundle's sagas: ${list}`);
  }
  return chosen;
}
