/**
 * What happens in a run, step by step: something is let go, or an operator does something, and then this
 * began and the nodes are in these states. A trace is taken in memory under a virtual clock, and any
 * host must go the same way. It says nothing about what is right: that is the oracles' business.
 */
import { Coordinator, memoryStore, type Run } from "steno-runtime";
import { virtualClock } from "steno-runtime/testing";
import type { NodeStatus } from "../../runtime/history.js";
import { canonical } from "../oracle/canonical.js";
import type { Loaded } from "../oracle/compile.js";
import type { Faults } from "../oracle/faults.js";
import type { Params } from "../oracle/gating.js";
import type { Engine } from "./engines.js";
import { quick } from "./quick.js";
import { GatedWorld } from "./world.js";

/** What is done to a run. */
type Move =
  | { readonly do: "start" | "unwind" }
  | { readonly do: "let go"; readonly name: string }
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
export async function traceOf(program: Loaded, params: Params, faults: Faults): Promise<Trace> {
  const world = new GatedWorld(faults);
  const clock = virtualClock(1000);
  const main = quick(program.main);
  const coordinator = await Coordinator.open({
    store: memoryStore(),
    sagas: [main.on(new program.Program(world))],
    clock,
    random: () => 0,
    logger: { warn: () => {} },
  });
  try {
    const run = await coordinator.start(main, params, { id: "r" });
    const steps: Step[] = [];
    let helped = 0;
    for (let move: Move | undefined = { do: "start" }; move !== undefined;) {
      await during(make(run, world, move), () => clock.next());
      while (await clock.next());
      steps.push({ move, begun: world.take(), report: await reportOf(run) });
      if (steps.length > PATIENCE) throw new Error("the run does not end");
      const { status, nodes } = await run.status();
      const blow = faults.blow(steps.length) === "unwind" && status === "running";
      const next = world.next();
      if (blow) move = { do: "unwind" };
      else if (next !== undefined) move = { do: "let go", name: next.name };
      else if (status === "stuck" && helped++ < HELP) move = help(world, faults, nodes);
      else move = undefined;
    }
    return { steps, ...(await endOf(run)) };
  } finally {
    world.end();
    await during(coordinator.close(), () => clock.next());
  }
}

/** How the run of a program on a host differs from its trace; `undefined` if it does not. */
export async function follow(
  trace: Trace,
  program: Loaded,
  params: Params,
  faults: Faults,
  engine: Pick<Engine, "open" | "breaks">,
  stepMs = STEP_MS,
): Promise<string | undefined> {
  const world = new GatedWorld(faults, engine.breaks);
  const main = quick(program.main);
  const opened = await engine.open([main.on(new program.Program(world))]);
  try {
    const run = await opened.start(main, params, { id: "r" });
    const seen: string[] = [];
    for (const [place, { move, begun, report }] of trace.steps.entries()) {
      await make(run, world, move);
      const until = Date.now() + stepMs;
      let now = "";
      while (canonical(seen) !== canonical(begun) || now !== report) {
        await new Promise((resolve) => setTimeout(resolve, 2));
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
    const { outcome } = await endOf(run);
    if (outcome !== trace.outcome) return `ended with ${outcome}, not ${trace.outcome}`;
    const late = world.take();
    if (late.length > 0) return `began more: ${late.join("; ")}`;
    return world.nonces.size > 1 ? "idempotency keys of two runs" : undefined;
  } finally {
    world.end();
    await opened.close();
  }
}

async function make(run: Run, world: GatedWorld, move: Move): Promise<void> {
  switch (move.do) {
    case "let go":
      world.waiting.get(move.name)?.go();
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
