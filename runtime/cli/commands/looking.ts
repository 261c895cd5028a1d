/** `steno list`, `show` and `log`: their options. What they do is in `look.ts` and `show.ts`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseCursor } from "../../reading/listing.js";
import type { RunFilter, RunStatus } from "../../stores/store.js";
import { follow, list, log } from "../look.js";
import { Problem } from "../problem.js";
import { show } from "../show.js";
import { untilSignal } from "../signals.js";
import { command, type Common, parseCount, parseTime, reading, STATUSES } from "./command.js";

export function addLooking(program: Command, exit: (code: number) => void): void {
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
        const { after, store } = options;
        return untilSignal(exit, (signal) =>
          reading(options, (output, reader) =>
            follow(output, reader, id, store, { after, signal }),
          ),
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
