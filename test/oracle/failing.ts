/**
 * Runs a program on the real runtime under a fault schedule and a virtual clock, and compares how it
 * ended with what the reference interpreter says.
 */
import { actionContext, Coordinator, defineSaga, memoryStore, type Run } from "steno-runtime";
import { type VirtualClock, virtualClock } from "steno-runtime/testing";
import type { GraphBindings, NodeBindings } from "../../runtime/definition.js";
import type { NodeStatus } from "../../runtime/history.js";
import type { Loaded } from "./compile.js";
import type { Faults } from "./faults.js";
import type { Params } from "./gating.js";
import type { Kit, World } from "./kit.js";
import { outputOf, tickOf } from "./outputs.js";
import { type Ending, interpret } from "./reference.js";

/** More timers than any program has. */
const PATIENCE = 2000;

class FaultyWorld implements World {
  readonly attempts: string[] = [];

  constructor(
    private readonly clock: VirtualClock,
    private readonly faults: Faults,
  ) {}

  async act(method: string, inputs: readonly [key: string, ...rest: unknown[]]): Promise<unknown> {
    await this.body("act");
    return outputOf(method, inputs);
  }

  async undo(): Promise<void> {
    await this.body("undo");
  }

  tick(key: string, value: number): number {
    return tickOf(key, value);
  }

  private async body(doing: "act" | "undo"): Promise<void> {
    const { node, attempt } = actionContext();
    const at = this.clock.now();
    this.attempts.push(`${at} ${doing} ${node} #${attempt}`);
    const ends = at + this.faults.latency(doing, node, attempt);
    await new Promise<void>((resolve) => this.clock.setTimer(ends, resolve));
    if (this.faults.fails(doing, node, attempt)) throw new Error(`${doing} ${node} fails`);
  }
}

/** The definition, whose computations fail when the schedule says so. */
function withFailingComputes({ main }: Loaded, faults: Faults): Loaded["main"] {
  const wrap = (bindings: GraphBindings, prefix: string): GraphBindings => ({
    ...bindings,
    nodes: Object.fromEntries(
      Object.entries(bindings.nodes).map(([name, node]) => [name, wrapNode(node, prefix + name)]),
    ),
  });
  const wrapNode = (node: NodeBindings, path: string): NodeBindings => {
    const { compute, graph } = node;
    if (graph !== undefined) return { ...node, graph: wrap(graph, `${path}/`) };
    if (compute === undefined) return node;
    const failing = (values: never, self: never): unknown => {
      if (faults.fails("compute", path, 1)) throw new Error(`compute ${path} fails`);
      return compute(values, self);
    };
    return { ...node, compute: failing };
  };
  const { manifest, ...graph } = main.spec;
  return defineSaga<Kit, unknown, unknown>({ manifest, ...wrap(graph, "") });
}

/** Runs a program under a fault schedule. */
export async function runFailing(program: Loaded, params: Params, faults: Faults): Promise<Ending> {
  const clock = virtualClock();
  const world = new FaultyWorld(clock, faults);
  const main = withFailingComputes(program, faults);
  const sagas = [main.on(new program.Program(world))];
  const options = { store: memoryStore(), sagas, clock, random: () => 0 };
  const coordinator = await Coordinator.open(options);
  try {
    const run = await coordinator.start(main, params);
    const outcome = await outcomeOf(run, clock);
    const states = new Map<string, string>();
    addStates((await run.status()).nodes, states);
    return { ...outcome, states, attempts: world.attempts.sort() };
  } finally {
    await coordinator.close();
  }
}

type Outcome = Pick<Ending, "status" | "cause" | "failed">;

interface Failure {
  readonly code?: string;
  readonly failures?: readonly { readonly node: string }[];
}

async function outcomeOf(run: Run, clock: VirtualClock): Promise<Outcome> {
  let outcome: Outcome | undefined;
  run.result().then(
    () => (outcome = { status: "succeeded", cause: undefined, failed: [] }),
    (error: Failure) => {
      const nodes = (error.failures ?? []).map(({ node }) => node);
      const status = error.code === "saga-stuck" ? "stuck" : "undone";
      outcome = { status, cause: nodes[0], failed: [...new Set(nodes)].sort() };
    },
  );
  for (let timer = 0; timer < PATIENCE; timer++) {
    const more = await clock.next();
    if (outcome !== undefined) return outcome;
    if (!more) break;
  }
  throw new Error("the run does not end");
}

function addStates(nodes: readonly NodeStatus[], states: Map<string, string>): void {
  for (const { path, state, nodes: inner } of nodes) {
    states.set(path, state);
    if (inner !== undefined) addStates(inner, states);
  }
}

/** Compares the runtime with the reference; gives the differences in words, and how the run ended. */
export async function compareWithReference(
  program: Loaded,
  params: Params,
  faults: Faults,
): Promise<{ readonly differences: readonly string[]; readonly status: Ending["status"] }> {
  const expected = interpret(program.main.manifest, faults);
  const actual = await runFailing(program, params, faults);
  return { differences: compareEndings(expected, actual), status: expected.status };
}

/** In words; none: they agree. */
export function compareEndings(expected: Ending, actual: Ending): string[] {
  const found: string[] = [];
  const hold = (what: string, wanted: unknown, got: unknown): void => {
    if (wanted !== got)
      found.push(`${what}: ${String(got)}, and the reference has ${String(wanted)}`);
  };
  hold("the run", expected.status, actual.status);
  hold("the first failure", expected.cause, actual.cause);
  hold("the failures", expected.failed.join(", "), actual.failed.join(", "));
  for (const path of new Set([...expected.states.keys(), ...actual.states.keys()])) {
    hold(`node ${path}`, expected.states.get(path), actual.states.get(path));
  }
  const began = new Set(actual.attempts);
  const wanted = new Set(expected.attempts);
  for (const each of began) if (!wanted.has(each)) found.push(`${each}: not in the reference`);
  for (const each of wanted) if (!began.has(each)) found.push(`${each}: in the reference only`);
  return found;
}
