/** The table of imports: which folder may import what. Each row fails if it looked at no import. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

interface Row {
  readonly name: string;
  /** Of the path of a source file, from the root. */
  readonly of: RegExp;
  /** Of an imported package, or the path of an imported file without its extension. */
  readonly may: RegExp;
}

const rows: readonly Row[] = [
  {
    name: "manifest, machine, events and state import each other, zod, and the leaf of errors",
    of: /^runtime\/(manifest|machine|events|state)(\.ts|\/)/,
    may: /^(zod(\/mini)?|runtime\/(manifest|machine|events|state|errors)(\/.*)?)$/,
  },
  {
    name: "codecs know data, and nothing of running, stores or operators",
    of: /^runtime\/codec\//,
    may: /^(?!runtime\/)|^runtime\/(codec|definition|errors|events|manifest|schema|state|tags)(\/|$)/,
  },
  {
    name: "reading a run starts and changes nothing: it sees neither executor, operators nor fleet",
    of: /^runtime\/reading\//,
    may: /^(?!runtime\/)|^runtime\/(?!executor$|coordinator$|control$|operating\/|fleet\/|observing\/|execution\/(?!loaded-saga$))/,
  },
  {
    name: "analysis and emit see the model, diagnostics and the manifest, never ts-morph",
    of: /^compiler\/(analysis|emit)\//,
    may: /^(?!(@ts-morph|ts-morph|typescript)(\/|$))([^/].*)$/,
  },
  {
    name: "analysis and emit import none of the compiler's other folders",
    of: /^compiler\/(analysis|emit)\//,
    may: /^(?!compiler\/|runtime\/)|^compiler\/(analysis|emit|diagnostics|model|type-model)(\/|$)|^runtime\/(manifest|tags)$/,
  },
  {
    name: "the frontend imports ts-morph, the model and diagnostics",
    of: /^compiler\/frontend\//,
    may: /^(?!compiler\/|runtime\/)|^compiler\/(frontend|diagnostics|model|type-model)(\/|$)|^runtime\/(manifest|dsl)$/,
  },
  {
    name: "two CommonJS modules of the frontend import ts-morph's TypeScript: no other reads it twice",
    of: /^(compiler\/(?!frontend\/(typescript|lib-files)\.cts$)|runtime\/)/,
    may: /^(?!(@ts-morph|ts-morph|typescript)(\/|$))/,
  },
  {
    name: "those two import nothing else",
    of: /^compiler\/frontend\/(typescript|lib-files)\.cts$/,
    may: /^(ts-morph|@ts-morph\/common)$/,
  },
  {
    name: "examples use the public packages only",
    of: /^examples\//,
    may: /^(steno-runtime(\/(testing|schema|postgres))?|steno-restate|pg|node:.*|examples\/.*)$/,
  },
  {
    name: "steno-restate sees the runtime's packages, and Restate's SDK",
    of: /^restate\//,
    may: /^(steno-runtime(\/host)?|@restatedev\/restate-sdk|node:.*|restate\/.*)$/,
  },
  {
    name: "nobody else sees Restate's SDK, and the runtime knows nothing of it",
    of: /^(runtime|compiler|examples)\//,
    may: /^(?!@restatedev\/|restate\/)/,
  },
];

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (/^(node_modules|dist|bundle)$/.test(entry.name)) return [];
    if (entry.isDirectory()) return sources(path);
    return /(?<!\.d)\.c?ts$/.test(entry.name) ? [path] : [];
  });
}

/** What a file imports: packages by name, files by their path from the root. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const found = text.matchAll(
    /^(?:import|export)\b[^"'`;=]*?from\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|\b(?:import|require)\(\s*["']([^"']+)["']/gm,
  );
  return [...found].map((match) => {
    const name = (match[1] ?? match[2] ?? match[3]) as string;
    if (!name.startsWith(".")) return name;
    const file = relative(root, resolve(root, dirname(path), name));
    return file.replace(/\.c?(js|ts)$/, "");
  });
}

const all = ["runtime", "compiler", "restate", "examples"].flatMap(sources);

test.each(rows)("$name", ({ of, may }) => {
  const imports = all
    .filter((path) => of.test(path))
    .flatMap((path) => importsOf(path).map((name) => ({ path, name })));
  expect(imports.length).toBeGreaterThan(0);
  expect(imports.filter(({ name }) => !may.test(name))).toEqual([]);
});

test("the machine is pure: no clock, no randomness, no async", () => {
  const machine = all.filter((path) =>
    /^runtime\/(manifest|machine|events|state)(\.ts|\/)/.test(path),
  );
  expect(machine.length).toBeGreaterThan(5);
  for (const path of machine) {
    const text = readFileSync(join(root, path), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    expect([path, /\b(async |await |Promise|Date\.|Math\.random|setTimeout)/.exec(text)]).toEqual([
      path,
      null,
    ]);
  }
});
