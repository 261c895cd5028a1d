/**
 * A definition made ready to run: its plan, and for each graph the bindings and the class of values.
 * It belongs to a coordinator; a run finds the object of each of its frames through it.
 */
import type {
  AnySagaDefinition,
  BoundSaga,
  GraphBindings,
  NodeBindings,
  SagaSpec,
} from "../definition.js";
import { Codecs } from "../codec/compile.js";
import { StenoError } from "../errors.js";
import { makePlan, type Plan } from "../machine/plan.js";
import { type Manifest, type NodeKind, parseManifest } from "../manifest.js";
import { MethodCodecs, type NodeCodecs } from "../codec/node-codecs.js";
import type { ErrorClasses } from "../codec/recorded-error.js";
import { type MakeValues, valuesOf } from "./values.js";

/** The functions of one graph. */
export interface LoadedGraph {
  /** By the place of the node. */
  readonly nodes: readonly NodeBindings[];
  /** By the place of the node. */
  readonly codecs: readonly NodeCodecs[];
  /** Of the method that the graph is in. */
  readonly method: MethodCodecs;
  readonly output: ((values: never) => unknown) | undefined;
  readonly values: MakeValues;
}

export interface LoadedSaga {
  readonly manifest: Manifest;
  readonly plan: Plan;
  readonly instance: object;
  /** The codecs of its own method. */
  readonly method: MethodCodecs;
  readonly graphs: ReadonlyMap<Plan, LoadedGraph>;
  /** Whether any node starts a run of its own. */
  readonly spawns: boolean;
  /** What its actions declare. */
  readonly errors: ErrorClasses;
}

/**
 * Checks a bound saga and makes it ready.
 * @throws StenoError `manifest-…`, `bindings-missing`, `method-missing`
 */
export function loadSaga({ definition, instance }: BoundSaga): LoadedSaga {
  const loaded = load(definition, instance);
  checkMethods(loaded.plan, instance);
  return loaded;
}

/**
 * Makes a definition ready for who starts and reads its runs, and calls no body of them.
 * @throws StenoError `manifest-…`, `bindings-missing`
 */
export function loadDefinition(definition: AnySagaDefinition): LoadedSaga {
  return load(definition, {});
}

function load(definition: AnySagaDefinition, instance: object): LoadedSaga {
  const manifest = parseManifest(definition.manifest);
  const plan = makePlan(manifest);
  const graphs = new Map<Plan, LoadedGraph>();
  const codecs = new Codecs();
  const errors = errorsOf(definition.spec, codecs);
  const methods = new Map<Plan, MethodCodecs>();
  const open: [Plan, GraphBindings][] = [[plan, definition.spec]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [each, bindings] = next;
    if (each.method === each) methods.set(each, new MethodCodecs(codecs, bindings.schemas));
    const method = methods.get(each.method) as MethodCodecs;
    const nodeCodecs: NodeCodecs[] = [];
    // A bundle that was written by hand may lack any of it.
    const given = (bindings.nodes ?? {}) as Readonly<Record<string, NodeBindings | undefined>>;
    const nodes = each.nodes.map((node, index) => {
      const found = (Object.hasOwn(given, node.name) ? given[node.name] : undefined) ?? {};
      const needed = NEEDED[node.kind];
      if (needed !== undefined && (found[needed] ?? undefined) === undefined) {
        throw bindingsMissing(manifest, each.saga, node.name);
      }
      const inner = each.plans.get(index);
      const handler = each.handlers.get(index);
      if (inner !== undefined && found.graph !== undefined) open.push([inner, found.graph]);
      if (handler !== undefined) open.push([handler, found.handler ?? { nodes: {} }]);
      const embedded = new MethodCodecs(codecs, found.graph?.schemas);
      nodeCodecs.push(method.node(node, embedded));
      return found;
    });
    graphs.set(each, {
      nodes,
      codecs: nodeCodecs,
      method,
      output: bindings.output,
      values: () => ({}),
    });
  }
  for (const each of methods.keys()) addValues(each, graphs, errors);
  const spawns = [...graphs.keys()].some(({ nodes }) => nodes.some(({ kind }) => kind === "spawn"));
  const method = methods.get(plan) as MethodCodecs;
  return { manifest, plan, instance, method, graphs, spawns, errors };
}

/** The classes that its actions declare, with the codecs of their data. */
function errorsOf({ errors = {}, errorData = {} }: SagaSpec, codecs: Codecs): ErrorClasses {
  const found = Object.entries(errors).map(([name, made]) => {
    const schema = Object.hasOwn(errorData, name) ? errorData[name] : undefined;
    return [name, { made, data: schema && codecs.of(schema) }] as const;
  });
  return new Map(found);
}

/** What the bindings of a method read: one class for all of its graphs. */
function addValues(method: Plan, graphs: Map<Plan, LoadedGraph>, errors: ErrorClasses): void {
  const own = graphsOf(method);
  const values = valuesOf(own, graphs, errors);
  for (const each of own) {
    const graph = graphs.get(each);
    if (graph !== undefined) graphs.set(each, { ...graph, values });
  }
}

/** The function without which a node cannot be run. */
const NEEDED: Readonly<Partial<Record<NodeKind, keyof NodeBindings>>> = {
  action: "inputs",
  compute: "compute",
  decision: "decide",
  map: "items",
  loop: "items",
  scope: "graph",
  subsaga: "graph",
  fail: "error",
  sleep: "duration",
};

/** All graphs of a method: its own, and those in it up to subsagas. */
function graphsOf(method: Plan): Plan[] {
  const found = [method];
  for (let next = 0; next < found.length; next++) {
    const plan = found[next] as Plan;
    for (const inner of plan.plans.values()) if (inner.holder !== undefined) found.push(inner);
    found.push(...plan.handlers.values());
  }
  return found;
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
  for (const node of graphsOf(plan).flatMap(({ nodes }) => nodes)) {
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
