/**
 * What an operator can do to a run: each command becomes an event, if it makes sense now. Commands
 * come from a handle or, through the store, from another process.
 */
import type { ActiveRun } from "./active-run.js";
import { StenoError } from "./errors.js";
import type { SagaEvent } from "./events.js";
import { injectedEvent, type Injection } from "./inject.js";
import { PHASE, pathOf, placeOf } from "./state.js";

/** The arguments of a command, as the JSON of a request has them. */
export interface CommandArguments {
  readonly node?: string;
  readonly reason?: string;
  /** `send`: the event's name, and its payload as JSON text. */
  readonly event?: string;
  readonly payload?: string;
  /** `inject`: what, and where. Checked when it is used. */
  readonly injection?: Injection;
}

/**
 * The event that a command makes; `undefined` if the run is already as it asks.
 * @throws StenoError if the command makes no sense for the run now.
 */
export function eventOf(
  run: ActiveRun,
  command: string,
  { node, reason = "", event, payload, injection }: CommandArguments,
  at: number,
): SagaEvent | undefined {
  const { state, id } = run;
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
      return state.paused === undefined ? undefined : { type: "resumed", at };
    case "unwind":
      return state.unwinding ? undefined : unwindRequest(at, reason);
    case "send":
      checkEvent(run, event);
      return {
        type: "event-received",
        at,
        node: event,
        ...(payload !== undefined && { value: payload }),
      };
    case "inject":
      return injectedEvent(run, injection, at);
    case "retry":
    case "settle": {
      if (node === undefined) {
        throw new StenoError(
          "node-missing",
          `\`${command}\` needs the node: name it after the run`,
        );
      }
      checkNode(run, node);
      const { frame, index } = placeOf(state, node);
      const phase = frame.phase[index];
      if (phase !== PHASE.undoFailed && phase !== PHASE.doubtStuck) {
        throw new StenoError(
          "node-not-stuck",
          `node \`${node}\` of run \`${id}\` is not stuck: see \`steno show ${id}\``,
        );
      }
      if (command === "settle" && reason === "") {
        throw new StenoError(
          "reason-missing",
          "say why it is known to be undone: the saga log keeps it",
        );
      }
      return command === "retry"
        ? { type: "retry-requested", at, node, value }
        : { type: "undo-settled", at, node, value };
    }
    default:
      throw new StenoError(
        "unknown-command",
        `the coordinator does not know the command \`${command}\`: its steno-runtime is of another version`,
      );
  }
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
  const more = paths.length > named.length ? `, and more: see \`steno show ${id}\`` : "";
  return new StenoError(
    "no-such-node",
    `run \`${id}\` has no node \`${node}\`: it has ${named.join(", ")}${more}`,
  );
}

/** An event that no node waits for, ever, is a misspelled one. */
function checkEvent(run: ActiveRun, event: string | undefined): asserts event is string {
  const names = new Set<string>();
  for (const { nodes } of run.loaded.graphs.keys()) {
    for (const node of nodes) if (node.kind === "event") names.add(node.target ?? "");
  }
  if (event !== undefined && names.has(event)) return;
  const known = [...names].map((name) => `\`${name}\``).join(", ");
  throw new StenoError(
    "no-such-event",
    `run \`${run.id}\` waits for no event \`${event ?? ""}\`: ` +
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
  const { node, reason, event, payload, injection } = (args ?? {}) as Record<string, unknown>;
  const isText = (value: unknown): value is string | undefined =>
    value === undefined || typeof value === "string";
  if (typeof args === "object" && isText(node) && isText(reason) && isText(event)) {
    return {
      ...(node !== undefined && { node }),
      ...(reason !== undefined && { reason }),
      ...(event !== undefined && { event }),
      ...(payload !== undefined && { payload: JSON.stringify(payload) }),
      ...(injection !== undefined && { injection: injection as Injection }),
    };
  }
  throw new StenoError(
    "bad-request",
    "the arguments of the request are not { node?, reason?, event?, payload?, injection? }",
  );
}
