/**
 * What happens in a run, step by step: something is let go, or an operator does something, and then this
 * began and the nodes are in these states. A trace is taken in memory under a virtual clock, and any
 * host must go the same way. It says nothing about what is right: that is the oracles' business.
 */
import {
  type BoundSaga,
  Coordinator,
  memoryStore,
  type Run,
  type SagaDefinition,
} from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import type { NodeStatus } from "../../runtime/reading/history.js";
import type { Hold } from "../../runtime/operating/reasons.js";
import { canonical } from "../oracle/canonical.js";
import type { Faults } from "../oracle/faults.js";
import type { Engine } from "./engines.js";
import { GatedWorld } from "./world.js";

/** A saga to be run, with params. */
export interface Subject {
  readonly name: string;
  readonly main: SagaDefinition<never, unknown, unknown>;
  readonly params: unknown;
  /** What is sent for an event, by the name of the node that waits for it. */
  payload(node: string): unknown;
  /** It, and the sagas that it starts, bound to objects of this world. */
  bind(world: GatedWorld): readonly BoundSaga[];
}

/** What is done to a run. */
type Move =
  | { readonly do: "start" | "unwind" }
  | { readonly do: "let go"; readonly name: string }
  | { readonly do: "send"; readonly event: string; readonly node: string }
  | { readonly do: "retry" | "settle"; readonly node: string };

interface Step {
  readonly move: Move;
  /** In words, sorted. */
  readonly begun: readonly string[];
  /** The run's status, and its nodes with their states. */
  readonly report: string;
}

export interface Trace {
  readonly steps: readonly Step[];
  readonly outcome: string;
  /** How the run came to its end. */
  readonly ending: string;
}

/** More steps than any program has. */
const PATIENCE = 400;
/** A run that is stuck again and again is left so. */
const HELP = 12;
/** How long a host may take for one step. */
const STEP_MS = 30_000;

/** Takes the trace of a program. */
export async function traceOf(subject: Subject, faults: Faults): Promise<Trace> {
  const world = new GatedWorld(faults);
  const clock = virtualClock(1000);
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: subject.bind(world),
    clock,
    random: () => 0,
    logger: { warn: () => {} },
  });
  try {
    const run = await coordinator.start(subject.main, subject.params, { id: "r" });
    const steps: Step[] = [];
    let helped = 0;
    for (let move: Move | undefined = { do: "start" }; move !== undefined;) {
      await during(make(run, world, subject, move), () => clock.next());
      while (await clock.next());
      steps.push({ move, begun: world.take(), report: await reportOf(run) });
      if (steps.length > PATIENCE) throw new Error("the run does not end");
      const { status, nodes, holds } = await run.status();
      const blow = faults.blow(steps.length) === "unwind" && status === "running";
      const next = world.next();
      if (blow) move = { do: "unwind" };
      else if (next !== undefined) move = { do: "let go", name: next.name };
      else if (status === "stuck" && helped++ < HELP) move = help(world, faults, nodes);
      else move = sending(holds);
    }
    const { status } = await run.status();
    // It waits for a run that needs an operator, who is not there for that one.
    const waits = status === "running" || status === "unwinding";
    return { steps, ...(waits ? { outcome: "", ending: "waits" } : await endOf(run)) };
  } finally {
    world.end();
    await during(coordinator.close(), () => clock.next());
  }
}

/** How the run of a program on a host differs from its trace; `undefined` if it does not. */
export async function follow(
  trace: Trace,
  subject: Subject,
  faults: Faults,
  engine: Pick<Engine, "open" | "breaks" | "lookMs">,
  stepMs = STEP_MS,
): Promise<string | undefined> {
  const world = new GatedWorld(faults, engine.breaks);
  const opened = await engine.open(subject.bind(world));
  try {
    const run = await opened.start(subject.main, subject.params, { id: "r" });
    const seen: string[] = [];
    for (const [place, { move, begun, report }] of trace.steps.entries()) {
      await make(run, world, subject, move);
      const until = Date.now() + stepMs;
      let now = "";
      while (canonical(seen) !== canonical(begun) || now !== report) {
        await new Promise((resolve) => setTimeout(resolve, engine.lookMs));
        seen.push(...world.take());
        seen.sort();
        if (begun.every((each) => seen.includes(each))) now = await reportOf(run);
        if (now !== "" && now !== report && Date.now() < until) continue;
        const more = seen.filter((each) => !begun.includes(each));
        if (more.length === 0 && Date.now() < until) continue;
        if (canonical(seen) === canonical(begun) && now === report) break;
        return (
          `step ${place} (${JSON.stringify(move)}): began ${seen.join("; ")}, not ` +
          `${begun.join("; ")}; is ${now}, not ${report}`
        );
      }
      seen.length = 0;
    }
    const outcome = trace.ending === "waits" ? "" : (await endOf(run)).outcome;
    if (outcome !== trace.outcome) return `ended with ${outcome}, not ${trace.outcome}`;
    const late = world.take();
    if (late.length > 0) return `began more: ${late.join("; ")}`;
    return world.mixed ? "a run has idempotency keys of two" : undefined;
  } finally {
    world.end();
    await opened.close();
  }
}

async function make(run: Run, world: GatedWorld, subject: Subject, move: Move): Promise<void> {
  switch (move.do) {
    case "let go":
      world.waiting.get(move.name)?.go();
      break;
    case "send":
      await run.send(move.event, subject.payload(move.node));
      break;
    case "unwind":
      await run.unwind("it was asked for");
      break;
    case "retry":
      await run.retry(move.node);
      break;
    case "settle":
      await run.settle(move.node, "done by hand");
      break;
    default:
  }
}

/** Waits while time goes by. */
async function during(asked: Promise<void>, pass: () => Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = asked.finally(() => (isDone = true));
  while (!isDone) await pass();
  await done;
}

const STUCK: ReadonlySet<string> = new Set(["undo-failed", "stuck-in-doubt", "failure-held"]);

/** The first event that is waited for. */
function sending(holds: readonly Hold[]): Move | undefined {
  const hold = holds.find((each) => each.reason === "waiting-event");
  return hold && { do: "send", event: hold.event, node: hold.node };
}

/** What an operator does about the first node that is stuck. */
function help(world: GatedWorld, faults: Faults, nodes: readonly NodeStatus[]): Move | undefined {
  const stuck = flat(nodes).find(({ state }) => STUCK.has(state));
  if (stuck === undefined) return undefined;
  const settles = faults.settles(world.keys.get(stuck.path) ?? "");
  return { do: settles ? "settle" : "retry", node: stuck.path };
}

function flat(nodes: readonly NodeStatus[]): NodeStatus[] {
  return nodes.flatMap((node) => [node, ...flat(node.nodes ?? []), ...flat(node.handler ?? [])]);
}

async function reportOf(run: Run): Promise<string> {
  const { status, nodes } = await run.status();
  const shown = flat(nodes).map(
    ({ path, state, attempts, undoAttempts }) => `${path}: ${state} ${attempts}/${undoAttempts}`,
  );
  return `${status}: ${shown.join(", ")}`;
}

interface Failed {
  readonly code: string;
  readonly node: string;
  readonly message: string;
  readonly failures: readonly { readonly node: string; readonly error: Error }[];
}

async function endOf(run: Run): Promise<{ readonly outcome: string; readonly ending: string }> {
  try {
    return { outcome: canonical(await run.result()), ending: "succeeded" };
  } catch (error) {
    const { code, node, message, failures = [] } = error as Failed;
    const all = failures.map((each) => `${each.node}: ${each.error.message}`);
    return { outcome: `${code} at ${node}: ${message}; ${all.join("; ")}`, ending: code };
  }
}
