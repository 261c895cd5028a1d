/** The command `steno`: flags in, exit code out. What the commands do is in the files beside it. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Duration } from "../dsl.js";
import { milliseconds } from "../duration.js";
import { sqliteStore } from "../stores/sqlite.js";
import type { RunFilter, RunStatus, StoreReader } from "../stores/store.js";
import { runtimeVersion } from "./bundle.js";
import { askAll, sendRequest } from "./control.js";
import { drain, type DrainOptions } from "./drain.js";
import { parseCursor } from "../listing.js";
import { readJsonArgument } from "./json-input.js";
import { follow, list, log } from "./look.js";
import { makeOutput, type Output, shellWord } from "./output.js";
import { EXIT, Problem, problemOf } from "./problem.js";
import { show } from "./show.js";

const STATUSES: readonly RunStatus[] = ["running", "unwinding", "stuck", "succeeded", "undone"];

/** The options that every command has. */
interface Common {
  readonly store: string;
  readonly json?: true | undefined;
}

/** Runs the command line; gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.fine;
  const program = buildProgram((code) => (exitCode = code));
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    return tellError(error, argv.includes("--json"));
  }
}

function tellError(error: unknown, json: boolean): number {
  const output = makeOutput(json);
  const problem = problemOf(error);
  if (json) {
    const fallback = { code: "internal", message: String(error) };
    output.value({ error: problem ?? fallback });
  } else if (problem !== undefined) {
    output.remark(`error[${problem.code}]: ${problem.message}`);
  } else {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    output.remark(`internal[unexpected]: this is a defect of steno, please report it\n${said}`);
  }
  return EXIT.usage;
}

function buildProgram(exit: (code: number) => void): Command {
  const program = new Command("steno")
    .description("Runs and operates sagas.")
    .version(runtimeVersion())
    .exitOverride()
    .showHelpAfterError("(steno --help tells what there is)")
    .addHelpText(
      "after",
      "\nExit codes: 0 fine; 1 the saga failed and is undone; 2 the call or the set-up is wrong; " +
        "3 stuck: an operator is needed.",
    );
  addRunning(program, exit);
  addLooking(program);
  addKeeping(program);
  addControl(program);
  addInject(program);
  addDebugging(program);
  return program;
}

/** A command with the options that all have. */
function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption("--store <file>", "the SQLite file of the coordinator (required)")
    .option("--json", "write JSON, for programs");
}

function addRunning(program: Command, exit: (code: number) => void): void {
  interface RunOptions extends Common {
    readonly params?: string;
    readonly id?: string;
  }
  command(program, "run", "run a saga of a bundle to its end")
    .argument("<bundle>", "what `steno-compile --bundle` made")
    .argument("[saga]", "which saga; may be left out if the bundle has one")
    .option("--params <json|@file>", "the params: JSON, or a file that holds it")
    .option("--id <id>", "the run's id; the same id is the same run")
    .action(async (bundle: string, saga: string | undefined, options: RunOptions) => {
      const { params, id, store } = options;
      // Loaded when needed: commands that only look start faster without the coordinator.
      const { run } = await import("./operate.js");
      exit(await run(outputOf(options), { bundle, saga, params, id, store }));
    });
  command(program, "recover", "continue what is unfinished, until all of it rests")
    .argument("<bundle>", "what `steno-compile --bundle` made")
    .action(async (bundle: string, options: Common) => {
      const { recover } = await import("./operate.js");
      exit(await recover(outputOf(options), { bundle, store: options.store }));
    });
}

function addLooking(program: Command): void {
  interface ListOptions extends Common {
    readonly saga?: string;
    readonly status?: RunStatus[];
    readonly reason?: string;
    readonly createdAfter?: number;
    readonly createdBefore?: number;
    readonly idPrefix?: string;
    readonly after?: string;
    readonly cursor?: string;
    readonly limit: number;
  }
  command(program, "list", "list runs, oldest first")
    .option("--saga <name>", "only runs of this saga")
    .addOption(new Option("--status <status...>", "only runs in these states").choices(STATUSES))
    .option("--reason <reason>", "only runs that are not moving for it: paused, waiting-event, …")
    .option("--created-after <time>", "only runs created then or later: 2026-05-01, …", parseTime)
    .option("--created-before <time>", "only runs created before that", parseTime)
    .option("--id-prefix <text>", "only runs whose ids begin so")
    .option("--after <id>", "only runs after this one")
    .option("--cursor <cursor>", "only runs after this place, which the page before told")
    .option("--limit <count>", "at most this many", parseCount, 100)
    .action(async (options: ListOptions) => {
      const { saga, status, reason, idPrefix, after, cursor, limit } = options;
      const { createdAfter: createdFrom, createdBefore } = options;
      const filter: RunFilter = {
        limit,
        ...(reason !== undefined && { reason }),
        ...(createdFrom !== undefined && { createdFrom }),
        ...(createdBefore !== undefined && { createdBefore }),
        ...(idPrefix !== undefined && { idPrefix }),
        ...(cursor !== undefined && { from: parseCursor(cursor) }),
        ...(saga !== undefined && { saga }),
        ...(status !== undefined && { status }),
        ...(after !== undefined && { after }),
      };
      await reading(options, (output, reader) => list(output, reader, filter));
    });
  command(program, "show", "show the state of each node of a run")
    .argument("<id>", "the run")
    .action((id: string, options: Common) =>
      reading(options, (output, reader) => show(output, reader, id, options.store)),
    );
  command(program, "log", "show the saga log of a run")
    .argument("[id]", "the run; with --follow it may be left out: all runs")
    .option("-f, --follow", "show what comes, too: until the run is finished, or it is ended")
    .option("--after <number>", "with --follow: only what is after this event", parseAfter)
    .action(async (id: string | undefined, options: LogOptions) => {
      if (options.follow === true) {
        return reading(options, (output, reader) =>
          follow(output, reader, id, options.store, options.after),
        );
      }
      if (id === undefined) throw new Problem("run-missing", "name the run, or say --follow");
      return reading(options, (output, reader) => log(output, reader, id, options.store));
    });
}

interface LogOptions extends Common {
  readonly follow?: true;
  readonly after?: number;
}

function parseAfter(text: string): number {
  const after = Number(text);
  if (Number.isSafeInteger(after) && after >= 0) return after;
  throw new InvalidArgumentError("It must be a whole number from 0.");
}

function addKeeping(program: Command): void {
  interface ExportOptions extends Common {
    readonly saga?: string;
    readonly status?: RunStatus[];
    readonly createdAfter?: number;
    readonly createdBefore?: number;
  }
  command(program, "export", "write finished runs with their logs, one JSON object a line")
    .option("--saga <name>", "only runs of this saga")
    .addOption(new Option("--status <status...>", "runs in these states").choices(STATUSES))
    .option("--created-after <time>", "only runs created then or later: 2026-05-01, …", parseTime)
    .option("--created-before <time>", "only runs created before that", parseTime)
    .action(async ({ saga, status, createdAfter, createdBefore, ...options }: ExportOptions) => {
      const query = {
        ...(saga !== undefined && { saga }),
        ...(status !== undefined && { status }),
        ...(createdAfter !== undefined && { createdFrom: createdAfter }),
        ...(createdBefore !== undefined && { createdBefore }),
      };
      const { writeExport } = await import("./retention.js");
      await reading(options, (_, reader) => writeExport(reader, query));
    });
  interface PruneOptions extends Common {
    readonly olderThan?: number;
    readonly keep?: number;
  }
  command(program, "prune", "remove finished runs with their logs")
    .option("--older-than <duration>", "those finished longer ago: 30d, 12h, …", parseDuration)
    .option("--keep <count>", "not the last of them: so many", parseKeep)
    .action(async ({ olderThan, keep, ...options }: PruneOptions) => {
      const { pruneStore } = await import("./retention.js");
      await pruneStore(outputOf(options), options.store, {
        ...(olderThan !== undefined && { olderThanMs: olderThan }),
        ...(keep !== undefined && { keep }),
      });
    });
}

function addControl(program: Command): void {
  interface ControlOptions extends Common {
    readonly reason?: string;
  }
  const ofRun = [
    ["pause", "let what is running end, and start nothing more, until resumed"],
    ["resume", "go on with a paused run"],
    ["unwind", "undo a run that is under way"],
  ] as const;
  for (const [name, description] of ofRun) {
    command(program, name, description)
      .argument("<id>", "the run")
      .option("--reason <text>", "why, for the saga log")
      .action((id: string, options: ControlOptions) => control(name, id, {}, options));
  }
  command(program, "retry", "try the node again where a run is stuck")
    .argument("<id>", "the run")
    .argument("<node>", "the node where it is stuck")
    .option("--reason <text>", "why, for the saga log")
    .action((id: string, node: string, options: ControlOptions) =>
      control("retry", id, { node }, options),
    );
  command(
    program,
    "send",
    "send an event to a run; it is delivered once, now or when it is waited for",
  )
    .argument("<id>", "the run")
    .argument("<event>", "the event's name")
    .option("--payload <json|@file>", "what is sent with it")
    .action((id: string, event: string, options: Common & { readonly payload?: string }) => {
      const { payload } = options;
      const value = payload === undefined ? {} : { payload: readJsonArgument(payload) };
      return control("send", id, { event, ...value }, options);
    });
  command(program, "settle", "say what became of a node where a run is stuck")
    .argument("<id>", "the run")
    .argument("<node>", "the node where it is stuck")
    .requiredOption("--reason <text>", "how that is known, for the saga log (required)")
    .option(
      "--output <json|@file>",
      "it has succeeded, with this output; without it, nothing of it is left",
    )
    .action((id: string, node: string, options: ControlOptions & { readonly output?: string }) => {
      const { output } = options;
      const value = output === undefined ? {} : { output: readJsonArgument(output) };
      return control("settle", id, { node, ...value }, options);
    });
}

function addInject(program: Command): void {
  interface InjectOptions extends Common {
    readonly error?: true | string;
    readonly undoError?: true | string;
    readonly repeat?: number;
    readonly repeatUndo?: number;
    readonly reason?: string;
  }
  command(program, "inject", "let a node fail, or its undo, or be called repeatedly: to test a run")
    .argument("<id>", "the run")
    .argument("<node>", "the node, which has not come to its end")
    .option("--error [message]", "the node fails, and its body is not called")
    .option("--undo-error [message]", "its undo fails, and the run is stuck there")
    .option("--repeat <count>", "an attempt calls the body so often; the last counts", parseCount)
    .option("--repeat-undo <count>", "the undo is called so often", parseCount)
    .option("--reason <text>", "why, for the saga log")
    .action((id: string, node: string, options: InjectOptions) => {
      const { error, undoError, repeat: action, repeatUndo: undo, reason } = options;
      const repeat = action === undefined && undo === undefined ? undefined : { action, undo };
      const injection = { node, error, undoError, repeat, reason };
      return control("inject", id, { injection }, { store: options.store, json: options.json });
    });
}

function addDebugging(program: Command): void {
  command(program, "step", "let a paused run do one thing, and stay paused")
    .argument("<id>", "the run")
    .option("--node <node>", "the node whose turn it is to be; else the first that could go on")
    .action((id: string, options: Common & { readonly node?: string }) =>
      control("step", id, options.node === undefined ? {} : { node: options.node }, options),
    );
  interface BreakOptions extends Common {
    readonly after?: true;
    readonly clear?: true;
    readonly saga?: true;
  }
  command(program, "break", "pause a run when it comes to a node, also to undo it")
    .argument("<id>", "the run; with --saga the name of a saga")
    .argument("<node>", "the node; `list[*]/x` is x of every item")
    .option("--saga", "each run of the saga, also those that are started later")
    .option("--after", "when the node has come to its end, and not before it starts")
    .option("--clear", "pause there no more")
    .action((id: string, node: string, { after, clear, saga, ...options }: BreakOptions) => {
      const args = { node, at: after ? "after" : "before", ...(clear && { clear }) };
      if (saga === undefined) return control("break", id, args, options);
      return reading(options, async (output, reader) => {
        await askAll(reader, options.store, "break", { ...args, saga: id });
        if (output.json) output.value({ saga: id, command: "break", ok: true });
        else output.line(`break: done; ${clear ? "cleared for" : "set for"} all runs of ${id}`);
      });
    });
  command(program, "drain", "start nothing new, and wait until all that is under way is at rest")
    .option("--end", "start new runs again")
    .option("--no-wait", "do not wait")
    .action((options: Common & Pick<DrainOptions, "end" | "wait">) =>
      reading(options, (output, reader) => drain(output, reader, options)),
    );
}

async function control(
  name: string,
  id: string,
  args: object,
  options: Common & { readonly reason?: string },
): Promise<void> {
  const { reason, store } = options;
  await reading(options, async (output, reader) => {
    const all = { ...args, ...(reason !== undefined && { reason }) };
    const done = await sendRequest(reader, store, name, id, all);
    const run = await reader.run(id);
    if (done === undefined) {
      if (output.json) {
        output.value({ id, command: name, ok: true, pending: true, status: run?.status });
      }
      output.remark(
        `${name}: no coordinator is alive: the next one that opens the store does it ` +
          `(steno recover <bundle> --store ${shellWord(store)})`,
      );
      return;
    }
    const { value } = done;
    if (output.json) output.value({ id, command: name, ok: true, ...value, status: run?.status });
    else output.line(`${name}: ${saidOf(name, value)}; run ${id} is ${run?.status}`);
  });
}

/** What there is to say about a command that was done. */
function saidOf(name: string, value: { readonly node?: string }): string {
  if (name !== "step" || value.node === undefined) return "done";
  return `done, ${value.node === "" ? "the run itself" : value.node}`;
}

async function reading(
  options: Common,
  look: (output: Output, reader: StoreReader) => Promise<void>,
): Promise<void> {
  const reader = await sqliteStore(options.store).reader();
  try {
    await look(outputOf(options), reader);
  } finally {
    await reader.close();
  }
}

function outputOf(options: Common): Output {
  return makeOutput(options.json === true);
}

function parseTime(text: string): number {
  const time = /^\d{10,}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new InvalidArgumentError("It must be a time such as 2026-05-01 or 2026-05-01T12:00.");
}

function parseDuration(text: string): number {
  try {
    return milliseconds(text as Duration);
  } catch {
    throw new InvalidArgumentError('It must be a length of time: "30 days", "12h".');
  }
}

function parseKeep(text: string): number {
  return text === "0" ? 0 : parseCount(text);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError("It must be a whole number from 1.");
  }
  return count;
}

// A reader such as `head` that has seen enough is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.fine);
  throw error;
});

const exitCode = await main(process.argv.slice(2));
// Ends also when the bundle's own code keeps something open, once the output is written.
process.stdout.write("", () => process.exit(exitCode));
