/**
 * A definition made ready to run: its plan, and for each graph the bindings and the class of values.
 * It belongs to a coordinator; a run finds the object of each of its frames through it.
 */
import type { BoundSaga, GraphBindings, NodeBindings } from "./definition.js";
import { StenoError } from "./errors.js";
import { makePlan, type Plan } from "./machine/plan.js";
import { type Manifest, parseManifest } from "./manifest.js";
import { type MakeValues, valuesOf } from "./values.js";

/** The functions of one graph. */
export interface LoadedGraph {
  /** By the place of the node. */
  readonly nodes: readonly NodeBindings[];
  readonly output: ((values: never) => unknown) | undefined;
  readonly values: MakeValues;
}

export interface LoadedSaga {
  readonly manifest: Manifest;
  readonly plan: Plan;
  readonly instance: object;
  readonly graphs: ReadonlyMap<Plan, LoadedGraph>;
}

/**
 * Checks a bound saga and makes it ready.
 * @throws StenoError `manifest-…`, `unsupported-node`, `bindings-missing`, `method-missing`
 */
export function loadSaga({ definition, instance }: BoundSaga): LoadedSaga {
  const manifest = parseManifest(definition.manifest);
  const plan = makePlan(manifest);
  const graphs = new Map<Plan, LoadedGraph>();
  const open: [Plan, GraphBindings][] = [[plan, definition.spec]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [each, bindings] = next;
    const nodes = each.nodes.map((node, index) => {
      const found = Object.hasOwn(bindings.nodes, node.name)
        ? bindings.nodes[node.name]
        : undefined;
      const inner = each.plans.get(index);
      const complete =
        node.kind === "action"
          ? found?.inputs !== undefined
          : node.kind === "compute"
            ? found?.compute !== undefined
            : found?.graph !== undefined;
      if (found === undefined || !complete) throw bindingsMissing(manifest, each.saga, node.name);
      if (inner !== undefined && found.graph !== undefined) open.push([inner, found.graph]);
      return found;
    });
    graphs.set(each, { nodes, output: bindings.output, values: valuesOf(each) });
  }
  checkMethods(plan, instance);
  return { manifest, plan, instance, graphs };
}

/** The method of an object that has actions. */
export type Method = (...args: unknown[]) => unknown;

export function methodOf(instance: object, name: string, saga: string): Method {
  const method = (instance as Record<string, unknown>)[name];
  if (typeof method === "function") return method as Method;
  throw new StenoError(
    "method-missing",
    `the object that runs \`${saga}\` has no method \`${name}\`: ` +
      "bind an instance of the class that the definition was compiled from",
  );
}

function checkMethods(plan: Plan, instance: object): void {
  for (const node of plan.nodes) {
    if (node.kind !== "action") continue;
    methodOf(instance, node.action, plan.saga);
    if (node.undo !== "none") methodOf(instance, node.undo, plan.saga);
  }
}

function bindingsMissing(manifest: Manifest, saga: string, node: string): StenoError {
  return new StenoError(
    "bindings-missing",
    `the definition of \`${manifest.name}\` has no complete bindings for node \`${node}\` of ` +
      `\`${saga}\`: compile the source again`,
  );
}
