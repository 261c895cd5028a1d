/**
 * What an operator asks for to follow a run node by node: single steps and breakpoints, as events of
 * the run. What they mean is in `machine/breakpoints.ts`.
 */
import type { ActiveRun } from "../execution/active-run.js";
import type { CommandArguments } from "../control.js";
import { StenoError } from "../errors.js";
import type { SagaEvent } from "../events.js";
import { type Breakpoint, nextSteps } from "../machine/breakpoints.js";
import type { Effect } from "../machine/effects.js";
import { nodeInPlan, pathsInPlan } from "../machine/paths.js";
import type { Plan } from "../machine/plan.js";
import { pathOf } from "../state.js";

/** Where a run is to pause. */
export interface BreakpointPlace {
  /** The node's path: `payment`, `alloc/pick`, `nics[0]/create`; `nics[*]/create` is that of every item. */
  readonly node: string;
  /** `before` (the default): before each attempt of its body, or of its undo. `after`: when it has come to its end. */
  readonly at?: "before" | "after";
}

/** Names that a message can list and still be read. */
const NAMED_AT_MOST = 20;

/**
 * The next thing that a paused run would do, or that of a node.
 * @throws StenoError `run-not-paused`, `nothing-to-step`
 */
export function stepOf(run: ActiveRun, node: string | undefined, at: number): SagaEvent {
  const { id, state } = run;
  if (state.paused === undefined) {
    throw new StenoError(
      "run-not-paused",
      `run \`${id}\` is not paused: pause it first, then step`,
    );
  }
  const next = nextSteps(state, at).map(pathAt);
  const chosen = node === undefined ? next[0] : next.find((each) => each === node);
  if (chosen !== undefined) return { type: "stepped", at, node: chosen };
  const could = [...new Set(next)].slice(0, NAMED_AT_MOST).map((each) => `\`${each}\``);
  const message =
    node === undefined || could.length === 0
      ? "nothing can start now: what runs has not ended, or what it waits for has not come"
      : `nothing is due at \`${node}\`; at ${could.join(", ")} something is`;
  throw new StenoError("nothing-to-step", `run \`${id}\`: ${message} (see ${run.shownBy})`);
}

function pathAt({ frame, index }: Effect): string {
  return index < 0 ? "" : pathOf(frame, index);
}

/** The event that sets or clears a breakpoint; `undefined` if it is so already. */
export function breakpointOf(
  run: ActiveRun,
  args: CommandArguments,
  at: number,
): SagaEvent | undefined {
  const where = checkBreakpoint(run.loaded.plan, args);
  const [side, node] = [where.slice(0, where.indexOf(" ")), where.slice(where.indexOf(" ") + 1)];
  const clear = args.clear === true;
  const isSet = run.state.debugging?.breakpoints.includes(where) ?? false;
  if (isSet !== clear) return undefined;
  const type = clear ? "breakpoint-cleared" : "breakpoint-set";
  return { type, at, node, value: JSON.stringify(side) };
}

/**
 * A place of a definition at which its runs can pause.
 * @throws StenoError `node-missing`, `no-such-node`, `bad-breakpoint`
 */
export function checkBreakpoint(plan: Plan, { node, at = "before" }: CommandArguments): Breakpoint {
  if (node === undefined) {
    throw new StenoError("node-missing", "`break` needs the node: name it after the run");
  }
  if (at !== "before" && at !== "after") {
    throw new StenoError(
      "bad-breakpoint",
      `a breakpoint is \`before\` or \`after\`, not \`${at}\``,
    );
  }
  const found = nodeInPlan(plan, node);
  if (found === undefined) {
    const named = pathsInPlan(plan, NAMED_AT_MOST).map((path) => `\`${path}\``);
    throw new StenoError(
      "no-such-node",
      `\`${plan.saga}\` has no node \`${node}\`: it has ${named.join(", ")}`,
    );
  }
  if (found.kind === "scope") {
    throw new StenoError(
      "bad-breakpoint",
      `\`${node}\` is a \`try\`, which neither starts nor ends by itself: name a node in it, or after it`,
    );
  }
  return `${at} ${node}`;
}
