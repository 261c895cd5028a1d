/**
 * The command line of `steno` as a function: flags in, exit code out. What the commands do is in the
 * files beside it; the process, in `main.ts`.
 */
import { Command, CommanderError } from "commander";
import { runtimeVersion } from "./bundle.js";
import { addControl, addDebugging, addInject } from "./commands/controlling.js";
import { addKeeping } from "./commands/keeping.js";
import { addLooking } from "./commands/looking.js";
import { addRunning } from "./commands/running.js";
import { makeOutput, manyLines } from "./output.js";
import { EXIT, problemOf } from "./problem.js";

/** Runs the command line; gives the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
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
    output.remark(manyLines(`error[${problem.code}]: ${problem.message}`));
  } else {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    output.remark(
      manyLines(`internal[unexpected]: this is a defect of steno, please report it\n${said}`),
    );
  }
  return EXIT.usage;
}

function buildProgram(exit: (code: number) => void): Command {
  const program = new Command("steno")
    .description("Runs and operates sagas.")
    .version(runtimeVersion())
    .exitOverride()
    // It repeats what it was given.
    .configureOutput({ writeErr: (text) => void process.stderr.write(manyLines(text)) })
    .showHelpAfterError("(steno --help tells what there is)")
    .addHelpText(
      "after",
      "\nExit codes: 0 fine; 1 the saga failed and is undone; 2 the call or the set-up is wrong; " +
        "3 stuck: an operator is needed.",
    );
  addRunning(program, exit);
  addLooking(program, exit);
  addKeeping(program);
  addControl(program);
  addInject(program);
  addDebugging(program);
  return program;
}
