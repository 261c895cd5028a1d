/**
 * What an operator can do to a run: each command becomes an event, if it makes sense now. Commands
 * come from a handle or, through the store, from another process.
 */
import type { ActiveRun } from "./execution/active-run.js";
import { codecsOf } from "./execution/answers.js";
import type { Codec } from "./codec/codec.js";
import { StenoError } from "./errors.js";
import type { SagaEvent } from "./events.js";
import { type Given, storedText } from "./operating/given.js";
import { injectedEvent, type Injection } from "./operating/inject.js";
import type { LoadedSaga } from "./execution/loaded-saga.js";
import type { NodeCodecs } from "./codec/node-codecs.js";
import { breakpointOf, stepOf } from "./operating/debugging.js";
import { needsOperator } from "./machine/by-operator.js";
import { passedPivot } from "./machine/holding.js";
import { type Frame, nodeOf, PHASE, pathOf, type Place, placeOf } from "./state.js";

/** The arguments of a command, as the JSON of a request has them. */
export interface CommandArguments {
  readonly node?: string;
  readonly reason?: string;
  /** `send`: the event's name, and its payload. */
  readonly event?: string;
  readonly payload?: Given;
  /** `inject`: what, and where. Checked when it is used. */
  readonly injection?: Injection;
  /** `settle`: what the node has output. */
  readonly output?: Given;
  /** `break`: where, and whether it is to be cleared. */
  readonly at?: string;
  readonly clear?: boolean;
  /** `break` without a run: of all runs of this saga. */
  readonly saga?: string;
}

/**
 * The event that a command makes; `undefined` if the run is already as it asks.
 * @throws StenoError if the command makes no sense for the run now.
 */
export function eventOf(
  run: ActiveRun,
  command: string,
  args: CommandArguments,
  at: number,
): SagaEvent | undefined {
  const { state, id } = run;
  const { node, reason = "", event, payload, injection } = args;
  if (state.finished !== undefined) {
    throw new StenoError(
      "run-finished",
      `run \`${id}\` is finished (${state.finished}): nothing is left to do to it`,
    );
  }
  const value = JSON.stringify(reason);
  switch (command) {
    case "pause":
      return state.paused === undefined ? { type: "paused", at, value } : undefined;
    case "resume":
      if (state.paused === undefined) return undefined;
      return { type: "resumed", at, ...(reason !== "" && { value }) };
    case "step":
      return stepOf(run, node, at);
    case "break":
      return breakpointOf(run, args, at);
    case "unwind":
      if (state.unwinding) return undefined;
      checkPivot(run, state.root);
      return unwindRequest(at, reason);
    case "send":
      return received(run, event, payload, at);
    case "inject":
      return injectedEvent(run, injection, at);
    case "retry":
    case "settle":
      return freeing(run, command, args, at);
    default:
      throw unknownCommand(command);
  }
}

function received(
  run: ActiveRun,
  event: string | undefined,
  payload: Given = { value: undefined },
  at: number,
): SagaEvent {
  const codec = payloadCodec(run.id, run.loaded, event);
  const node = event as string;
  const value = storedText(codec, payload, `the event \`${node}\``, "payload-invalid");
  return { type: "event-received", at, node, ...(value !== undefined && { value }) };
}

/** What is done about a node that waits for an operator. */
function freeing(
  run: ActiveRun,
  command: "retry" | "settle",
  { node, reason = "", output }: CommandArguments,
  at: number,
): SagaEvent {
  if (node === undefined) {
    throw new StenoError("node-missing", `\`${command}\` needs the node: name it after the run`);
  }
  const value = JSON.stringify(reason);
  if (node === "" && command === "retry" && run.state.heldResult !== undefined) {
    return { type: "retry-requested", at, node, value };
  }
  checkNode(run, node);
  const place = placeOf(run.state, node);
  if (!needsOperator(place.frame, place.index)) {
    throw new StenoError(
      "node-not-stuck",
      `node \`${node}\` of run \`${run.id}\` is not stuck: see ${run.shownBy}`,
    );
  }
  if (command === "retry") return { type: "retry-requested", at, node, value };
  if (reason === "") {
    throw new StenoError("reason-missing", "say how it is known: the saga log keeps it");
  }
  if (output === undefined) {
    const unwinds = place.frame.phase[place.index] !== PHASE.undoFailed;
    if (unwinds && place.frame.unwinding === undefined) checkPivot(run, place.frame.scope, place);
    return { type: "undo-settled", at, node, value };
  }
  const text = outputText(run, node, place, output);
  const given = text === undefined ? "" : `,"output":${text}`;
  return { type: "output-settled", at, node, value: `{"reason":${value}${given}}` };
}

/** Behind a pivot nothing may be undone. `but`: what has not passed, an operator says. */
function checkPivot({ state, id }: ActiveRun, scope: Frame, but?: Place): void {
  const passed = passedPivot(state, scope, but);
  if (passed === undefined) return;
  const pivot = pathOf(passed.frame, passed.index);
  throw new StenoError(
    "pivot-passed",
    `run \`${id}\` has passed its point of no return \`${pivot}\`, or may have: it can only go ` +
      "forward; `retry` the node that waits, or `settle` it with an output",
  );
}

/** What a node can be said to have output. */
function outputText(
  run: ActiveRun,
  node: string,
  { frame, index }: Place,
  output: Given,
): string | undefined {
  const refuse = (why: string): StenoError =>
    new StenoError("output-not-wanted", `node \`${node}\` of run \`${run.id}\` ${why}`);
  const found = nodeOf(frame, index);
  if (frame.phase[index] === PHASE.undoFailed) throw refuse("is undone: that has no output");
  const value = "json" in output ? (JSON.parse(output.json) as unknown) : output.value;
  if (found.kind === "decision" && !found.arms.includes(String(value))) {
    throw refuse(`decides: its output is one of ${found.arms.map((arm) => `"${arm}"`).join(", ")}`);
  }
  if (found.kind === "map" && !Array.isArray(value)) throw refuse("gives a list");
  const codec = codecsOf(run, frame, index).output;
  return storedText(codec, output, `the output of \`${node}\``, "output-invalid");
}

export function unknownCommand(command: string): StenoError {
  return new StenoError(
    "unknown-command",
    `\`${command}\` is no command where the run is: the steno-runtime there is of another version`,
  );
}

/** Names that a message can list and still be read. */
const NAMED_AT_MOST = 20;

/** A node that the run does not have is a misspelled one. */
function checkNode(run: ActiveRun, node: string): void {
  if (!pathsOf(run).includes(node)) throw noSuchNode(run, node);
}

function pathsOf({ state }: ActiveRun): string[] {
  return state.frames.flatMap((frame) => frame.plan.nodes.map((_, index) => pathOf(frame, index)));
}

/** The error for a node that a run does not have. */
export function noSuchNode(run: ActiveRun, node: string): StenoError {
  const { id } = run;
  const paths = pathsOf(run);
  const named = paths.slice(0, NAMED_AT_MOST).map((path) => `\`${path}\``);
  const more = paths.length > named.length ? `, and more: see ${run.shownBy}` : "";
  return new StenoError(
    "no-such-node",
    `run \`${id}\` has no node \`${node}\`: it has ${named.join(", ")}${more}`,
  );
}

/** How the payloads of an event are stored. One that no node waits for, ever, is a misspelled one. */
export function payloadCodec(id: string, loaded: LoadedSaga, event: string | undefined): Codec {
  const names = new Set<string>();
  for (const [{ nodes }, { codecs }] of loaded.graphs) {
    for (const [index, node] of nodes.entries()) {
      if (node.kind !== "event") continue;
      if (node.target === event) return (codecs[index] as NodeCodecs).output;
      names.add(node.target ?? "");
    }
  }
  const known = [...names].map((name) => `\`${name}\``).join(", ");
  throw new StenoError(
    "no-such-event",
    `run \`${id}\` waits for no event \`${event ?? ""}\`: ` +
      (names.size === 0 ? "its saga has no events" : `its saga has ${known}`),
  );
}

function unwindRequest(at: number, reason: string): SagaEvent {
  const message = `unwound on request${reason && `: ${reason}`}`;
  const value = JSON.stringify({ name: "UnwindRequested", code: "unwind-requested", message });
  return { type: "unwind-requested", at, value };
}

/** The arguments of a request. @throws StenoError `bad-request` */
export function parseArguments(text: string): CommandArguments {
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch {
    args = undefined;
  }
  const { node, reason, event, payload, at, clear, saga, injection, output, outputsNothing } =
    (args ?? {}) as Record<string, unknown>;
  const isText = (value: unknown): value is string | undefined =>
    value === undefined || typeof value === "string";
  if (
    typeof args === "object" &&
    isText(node) &&
    isText(reason) &&
    isText(event) &&
    isText(at) &&
    isText(saga)
  ) {
    return {
      ...(at !== undefined && { at }),
      ...(saga !== undefined && { saga }),
      ...(clear === true && { clear }),
      ...(node !== undefined && { node }),
      ...(reason !== undefined && { reason }),
      ...(event !== undefined && { event }),
      ...(payload !== undefined && { payload: { json: JSON.stringify(payload) } }),
      ...(injection !== undefined && { injection: injection as Injection }),
      ...(output !== undefined && { output: { json: JSON.stringify(output) } }),
      ...(outputsNothing === true && { output: { value: undefined } }),
    };
  }
  throw new StenoError(
    "bad-request",
    "the arguments of the request are not { node?, reason?, event?, payload?, at?, clear?, saga?, injection?, output?, outputsNothing? }",
  );
}
