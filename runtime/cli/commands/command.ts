/** What the commands of `steno` share: the options that all have, and how texts of options are read. */
import { type Command, InvalidArgumentError } from "commander";
import type { RunStatus, StoreReader } from "../../stores/store.js";
import { makeOutput, type Output } from "../output.js";
import { storeAt } from "../store.js";

export const STATUSES: readonly RunStatus[] = [
  "running",
  "unwinding",
  "stuck",
  "succeeded",
  "undone",
];

/** The options that every command has. */
export interface Common {
  readonly store: string;
  readonly json?: true | undefined;
}

/** A command with the options that all have. */
export function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption(
      "--store <store>",
      "the SQLite file of the coordinator, or postgres://… (required)",
    )
    .option("--json", "write JSON, for programs");
}

/** Looks at the store with a reader that is closed afterwards. */
export async function reading(
  options: Common,
  look: (output: Output, reader: StoreReader) => Promise<void>,
): Promise<void> {
  const reader = await (await storeAt(options.store)).reader();
  try {
    await look(outputOf(options), reader);
  } finally {
    await reader.close();
  }
}

export function outputOf(options: Common): Output {
  return makeOutput(options.json === true);
}

export function parseTime(text: string): number {
  const time = /^\d{10,}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new InvalidArgumentError("It must be a time such as 2026-05-01 or 2026-05-01T12:00.");
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError("It must be a whole number from 1.");
  }
  return count;
}
