/** `steno run` and `steno recover`: their options. What they do is in `operate.ts`. */
import type { Command } from "commander";
import { command, type Common, outputOf } from "./command.js";

export function addRunning(program: Command, exit: (code: number) => void): void {
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
      const { run } = await import("../operate.js");
      exit(await run(outputOf(options), { bundle, saga, params, id, store }));
    });
  command(program, "recover", "continue what is unfinished, until all of it rests")
    .argument("<bundle>", "what `steno-compile --bundle` made")
    .action(async (bundle: string, options: Common) => {
      const { recover } = await import("../operate.js");
      exit(await recover(outputOf(options), { bundle, store: options.store }));
    });
}
