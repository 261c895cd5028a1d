/**
 * The command `steno-compile`: flags in, exit code out. The only file that prints; what it calls
 * answers with data.
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import type { Analysed, Compiled, CompileOptions, IncrementalBuild } from "./compile.js";
import { codes, explain } from "./diagnostics/explain.js";
import { toJson } from "./diagnostics/json.js";
import { printable } from "./diagnostics/printable.js";
import { exitCode } from "./diagnostics/report.js";
import type { Fixed } from "./fix.js";
import { drawGraphs, type GraphFormat } from "./emit/graph.js";
import { Threads } from "./threads.js";

interface Flags {
  readonly project?: string;
  readonly bundle?: string;
  readonly external?: readonly string[];
  readonly check?: true;
  readonly fix?: true;
  readonly watch?: true;
  readonly json?: true;
  readonly hints?: boolean;
  readonly schema?: true;
  readonly threads?: number;
  readonly format?: GraphFormat;
}

const cwd = process.cwd();
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const answer = { code: 0 };
  try {
    await commands(answer).parseAsync(args, { from: "user" });
    return answer.code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

function wholeNumber(text: string): number {
  const found = Number(text);
  if (Number.isSafeInteger(found) && found > 0) return found;
  throw new InvalidArgumentError("It is a whole number from 1.");
}

/** Each command leaves the exit code in `answer`. */
function commands(answer: { code: number }): Command {
  const project = ["--project <tsconfig>", "the tsconfig.json, or its folder"] as const;
  const json = ["--json", "print diagnostics as JSON on stdout"] as const;
  const collect = (name: string, names: readonly string[] = []): readonly string[] => [
    ...names,
    name,
  ];
  const program = new Command("steno-compile")
    .description("Compiles sagas: writes <name>.saga.ts beside each source that declares one.")
    .version(version())
    .argument("[paths...]", "files and folders to compile; the whole project if there are none")
    .option(...project)
    .option("--bundle <folder>", "also bundle each source into one file, for `steno run`")
    .option("--external <package>", "leave a package out of the bundles (repeatable)", collect)
    .option("--check", "write nothing; fail if something is wrong or out of date")
    .addOption(
      new Option("--fix", "first mend in the sources what is certain").conflicts([
        "check",
        "watch",
      ]),
    )
    .addOption(new Option("--watch", "keep compiling").conflicts("check"))
    .option(...json)
    .option(
      "--threads <count>",
      "build on so many at most; the default is half of the cores",
      wholeNumber,
    )
    .option("--hints", "show hints too (the default, but in CI)")
    .option("--no-hints", "show errors and warnings only")
    .enablePositionalOptions()
    .exitOverride()
    // It repeats what it was given, which must not steer the terminal.
    .configureOutput({ writeErr: (text) => void process.stderr.write(printable(text)) })
    .action(async (paths: readonly string[], flags: Flags) => {
      answer.code = flags.watch
        ? await keepCompiling(paths, flags)
        : await compileOnce(paths, flags);
    });
  program
    .command("inspect")
    .description("print the manifests as a JSON array")
    .argument("[paths...]")
    .option(...project)
    .option("--schema", "with the JSON Schemas of params and result")
    .action(async (paths: readonly string[], _: Flags, command: Command) => {
      const flags: Flags = command.optsWithGlobals();
      answer.code = await show(paths, flags, ({ manifests, described }, analysed) =>
        JSON.stringify((flags.schema ? described : manifests)(analysed, cwd), null, 2),
      );
    });
  program
    .command("graph")
    .description("print the graphs as the source of a picture")
    .argument("[paths...]")
    .option(...project)
    .addOption(new Option("--format <format>").choices(["dot", "mermaid"]).default("dot"))
    .action(async (paths: readonly string[], _: Flags, command: Command) => {
      const flags: Flags = command.optsWithGlobals();
      answer.code = await show(paths, flags, ({ manifests }, analysed) =>
        drawGraphs(manifests(analysed, cwd), flags.format ?? "dot"),
      );
    });
  program
    .command("explain")
    .description("show the page for one diagnostic, or list all codes")
    .argument("[code]")
    .action((code: string | undefined) => {
      answer.code = code === undefined ? listCodes() : explainCode(code);
    });
  return program;
}

function optionsOf(paths: readonly string[], flags: Flags): CompileOptions {
  const { project, bundle, external, check } = flags;
  return { cwd, paths, project, bundle, external, check };
}

/** Where sources are looked for, as far as that can be told without reading a tsconfig. */
function places(paths: readonly string[], { project = "." }: Flags): string[] {
  const folder = project.endsWith(".json") ? path.dirname(project) : project;
  return (paths.length > 0 ? paths : [folder]).map((each) => path.resolve(cwd, each));
}

/** The pipeline, loaded only by who needs it: TypeScript alone takes longer than `explain` does. */
function pipeline(): Promise<typeof import("./compile.js")> {
  return import("./compile.js");
}

async function compileOnce(
  paths: readonly string[],
  flags: Flags,
  incremental?: IncrementalBuild,
): Promise<number> {
  const options = optionsOf(paths, flags);
  // Before TypeScript is loaded here: each thread loads it, too.
  const threads = new Threads(flags.threads);
  if (incremental === undefined) threads.startFor(places(paths, flags));
  const { compile, fix } = await pipeline();
  const fixed = flags.fix ? fix(options) : undefined;
  const compiled = withHints(await compile(options, incremental, threads), flags);
  if (flags.json) {
    const all = compiled.diagnostics.map((each) => toJson(each, compiled.places, cwd));
    process.stdout.write(`${JSON.stringify(all, null, flags.watch ? undefined : 2)}\n`);
  } else {
    await printDiagnostics(compiled);
    // What was not done is said where the errors are: stdout may be piped away.
    const stream = exitCode(compiled) === 0 ? process.stdout : process.stderr;
    if (fixed !== undefined) stream.write(fixSummary(fixed));
    stream.write(summary(compiled, flags));
  }
  return exitCode(compiled);
}

/** Hints are for who writes; where nobody reads them they are left out. */
function withHints(compiled: Compiled, { hints = !process.env["CI"] }: Flags): Compiled {
  if (hints) return compiled;
  const diagnostics = compiled.diagnostics.filter(({ severity }) => severity !== "hint");
  return { ...compiled, diagnostics };
}

async function keepCompiling(paths: readonly string[], flags: Flags): Promise<number> {
  const { watch } = await import("./watch.js");
  const { IncrementalBuild } = await pipeline();
  const incremental = new IncrementalBuild();
  const watching = await watch(cwd, async () => {
    if (process.stdout.isTTY && !flags.json) process.stdout.write("\u001bc");
    await compileOnce(paths, flags, incremental);
    if (!flags.json) process.stdout.write(dim("watching for changes\n"));
  });
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });
  await watching.close();
  return 0;
}

/** Prints something about the sagas; diagnostics go to stderr, so that stdout can be piped. */
async function show(
  paths: readonly string[],
  flags: Flags,
  print: (pipeline: typeof import("./compile.js"), analysed: Analysed) => string,
): Promise<number> {
  const loaded = await pipeline();
  const analysed = loaded.analyseProject(optionsOf(paths, flags));
  await printDiagnostics(analysed);
  const code = exitCode(analysed);
  if (code === 0) process.stdout.write(`${print(loaded, analysed)}\n`);
  return code;
}

function listCodes(): number {
  process.stdout.write(`${codes().join("\n")}\n`);
  return 0;
}

function explainCode(code: string): number {
  const explained = explain(code);
  if ("text" in explained) {
    process.stdout.write(`${explained.text}\n`);
    return 0;
  }
  const { unknown, meant } = explained;
  const advice =
    meant === undefined ? "docs/ERRORS.md lists all of them" : `did you mean ${meant}?`;
  process.stderr.write(`there is no diagnostic \`${printable(unknown)}\`; ${advice}\n`);
  return 2;
}

/** Colour is for terminals; picocolors alone would also colour what CI pipes into a file. */
function isColoured(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  return !NO_COLOR && (stream.isTTY || Boolean(FORCE_COLOR));
}

function dim(text: string): string {
  return pc.createColors(isColoured(process.stdout)).dim(text);
}

/** What draws frames is loaded only if there are some to draw: it measures text with prettier. */
async function printDiagnostics({ diagnostics, places }: Analysed): Promise<void> {
  if (diagnostics.length === 0) return;
  const { toText } = await import("./diagnostics/text.js");
  const colour = isColoured(process.stderr);
  for (const diagnostic of diagnostics) {
    process.stderr.write(`${toText(diagnostic, { places, cwd, colour })}\n\n`);
  }
}

function summary(compiled: Compiled, flags: Flags): string {
  const { diagnostics, sources, modules, bundles, skipped } = compiled;
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const lines = [...modules, ...bundles.filter(({ file }) => !file.endsWith(".map"))]
    .filter(({ state }) => state !== "failed")
    .map(
      ({ file, state }) =>
        `  ${printable(path.relative(cwd, file))}${state === "unchanged" ? dim(" (unchanged)") : ""}\n`,
    );
  // Of many files only what changed is worth a line.
  const changed = lines.length > 20 ? lines.filter((line) => !line.includes("(unchanged)")) : lines;
  const embedded = skipped.map(
    (file) =>
      `  ${printable(path.relative(cwd, file))} has no bundle of its own: other sagas embed its sagas\n`,
  );
  const count = sources.reduce((sum, source) => sum + source.sagas.length, 0);
  const done = flags.check ? "checked" : "compiled";
  const fixable = diagnostics.filter(({ fix }) => fix !== undefined).length;
  const advice = fixable === 0 ? "" : ` (--fix mends ${fixable})`;
  const end = errors === 0 ? "" : `, ${plural(errors, "error")}${advice}`;
  return `${done} ${plural(count, "saga")}${end}\n${[...changed, ...embedded].join("")}`;
}

function fixSummary({ count, files }: Fixed): string {
  const lines = files.map((file) => `  ${printable(path.relative(cwd, file))}\n`);
  return count === 0
    ? "fixed nothing: no error has one certain fix\n"
    : `fixed ${plural(count, "error")}\n${lines.join("")}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
