/** The commands that an operator gives to a coordinator: their options, and what they say when it is done. */
import { shownStore } from "../store.js";
import type { Command } from "commander";
import { askAll, resumeSaga, sendRequest } from "../control.js";
import { drain, type DrainOptions } from "../drain.js";
import { readJsonArgument } from "../json-input.js";
import { shellWord } from "../output.js";
import { command, type Common, parseCount, reading } from "./command.js";

export function addControl(program: Command): void {
  interface ControlOptions extends Common {
    readonly reason?: string;
  }
  const ofRun = [
    ["pause", "let what is running end, and start nothing more, until resumed"],
    ["unwind", "undo a run that is under way"],
  ] as const;
  for (const [name, description] of ofRun) {
    command(program, name, description)
      .argument("<id>", "the run")
      .option("--reason <text>", "why, for the saga log")
      .action((id: string, options: ControlOptions) => control(name, id, {}, options));
  }
  command(program, "resume", "go on with a paused run")
    .argument("<id>", "the run; with --saga the name of a saga")
    .option("--saga", "each run of the saga that a breakpoint has paused, and no other")
    .option("--reason <text>", "why, for the saga log")
    .action((id: string, { saga, ...options }: ControlOptions & { readonly saga?: true }) => {
      if (saga === undefined) return control("resume", id, {}, options);
      const { store, reason } = options;
      return reading(options, async (output, reader) => {
        const resumed = await resumeSaga(reader, store, id, reason);
        if (output.json) output.value({ saga: id, command: "resume", ok: true, ...resumed });
        else {
          const { runs, pending } = resumed;
          const when = pending ? "when a coordinator opens the store" : "now";
          output.line(`resume: ${runs} ${runs === 1 ? "run" : "runs"} of ${id} go on ${when}`);
        }
      });
    });
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

export function addInject(program: Command): void {
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

export function addDebugging(program: Command): void {
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
          `(steno recover <bundle> --store ${shellWord(shownStore(store))})`,
      );
      return;
    }
    const { value } = done;
    const { status, reason: why } = run ?? {};
    if (output.json) {
      const reason = why !== undefined && { reason: why };
      output.value({ id, command: name, ok: true, ...value, status, ...reason });
      return;
    }
    const where = why === undefined || why === status ? status : `${status} (${why})`;
    output.line(`${name}: ${saidOf(name, value)}; run ${id} is ${where}`);
  });
}

/** What there is to say about a command that was done. */
function saidOf(name: string, value: { readonly node?: string }): string {
  if (name !== "step" || value.node === undefined) return "done";
  return `done, ${value.node === "" ? "the run itself" : value.node}`;
}
