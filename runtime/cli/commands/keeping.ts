/** `steno export` and `steno prune`: their options. What they do is in `retention.ts`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Duration } from "../../dsl.js";
import { milliseconds } from "../../duration.js";
import type { RunStatus } from "../../stores/store.js";
import {
  command,
  type Common,
  outputOf,
  parseCount,
  parseTime,
  reading,
  STATUSES,
} from "./command.js";

export function addKeeping(program: Command): void {
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
      const { writeExport } = await import("../retention.js");
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
      const { pruneStore } = await import("../retention.js");
      await pruneStore(outputOf(options), options.store, {
        ...(olderThan !== undefined && { olderThanMs: olderThan }),
        ...(keep !== undefined && { keep }),
      });
    });
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
