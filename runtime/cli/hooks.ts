/**
 * Makes `import "steno-runtime"` in a bundle mean the runtime that this command line is part of,
 * also when the bundle lies where nothing is installed. It is loaded twice: by `bundle.ts`, and on
 * Node versions without `module.registerHooks` once more in the thread of the loader.
 */

type NextResolve<Result> = (specifier: string, context?: unknown) => Result;

const RUNTIME: Readonly<Record<string, string>> = {
  "steno-runtime": new URL("../index.js", import.meta.url).href,
  "steno-runtime/manifest": new URL("../manifest.js", import.meta.url).href,
  "steno-runtime/schema": new URL("../schema.js", import.meta.url).href,
  "steno-runtime/testing": new URL("../testing/index.js", import.meta.url).href,
};

/** The resolve hook, in the form that both ways of registering it take. */
export function resolve<Result>(
  specifier: string,
  context: unknown,
  next: NextResolve<Result>,
): Result | { readonly url: string; readonly shortCircuit: true } {
  const url = Object.hasOwn(RUNTIME, specifier) ? RUNTIME[specifier] : undefined;
  return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
}
