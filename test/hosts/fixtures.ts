/**
 * The fixtures' sagas as runs: their actions answer with values of their types, which follow from what
 * they are given, and params and payloads are made in the same way. It says nothing about what is right.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { actionContext, type SagaDefinition } from "steno-runtime";
import type { Graph } from "steno-runtime/manifest";
import type { GraphBindings } from "../../runtime/definition.js";
import { ownOf } from "../../runtime/schema.js";
import type { AnySchema } from "../../runtime/codec/schema-types.js";
import { quick } from "./quick.js";
import type { Subject } from "./trace.js";
import type { GatedWorld } from "./world.js";

type AnySaga = SagaDefinition<object, unknown, unknown>;

/** What zod says of a schema. Which of it there is depends on the type. */
interface Definition {
  readonly type: string;
  readonly values: readonly unknown[];
  readonly element: AnySchema;
  readonly innerType: AnySchema;
  readonly shape: Readonly<Record<string, AnySchema>>;
  readonly options: readonly AnySchema[];
  readonly getter: () => AnySchema;
}

/** What of a definition is there: methods that are actions or undos, and how they are typed. */
interface Methods {
  /** By the action: what it outputs. */
  readonly outputs: Map<string, AnySchema | undefined>;
  readonly undos: Set<string>;
  /** By the node: what it waits for. */
  readonly events: Map<string, AnySchema | undefined>;
}

/** What these compute is another thing each time. */
const RANDOM: ReadonlySet<string> = new Set([
  "compute",
  "compute-before-await",
  "compute-in-arguments",
  "return-compute",
]);
const folder = join(import.meta.dirname, "../fixtures/saga");

/** Each saga of each fixture. */
export async function fixtureSubjects(): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const name of readdirSync(folder)) {
    if (RANDOM.has(name)) continue;
    const source = (await import(join(folder, name, "input.ts"))) as Record<string, unknown>;
    const generated = (await import(join(folder, name, "input.saga.ts"))) as Record<
      string,
      unknown
    >;
    const all = Object.entries(generated).filter((each): each is [string, AnySaga] =>
      isDefinition(each[1]),
    );
    const sagas = all.map(([, definition]) => quick(definition));
    for (const [place, [saga]] of all.entries()) {
      const main = sagas[place] as AnySaga;
      const { params } = main.spec.schemas ?? {};
      subjects.push({
        name: `fixture ${name}/${saga}`,
        main: main as Subject["main"],
        params: params === undefined ? undefined : valueOf(params, `${name} ${saga}`),
        payload: (node) => {
          const { events } = methodsOf(main);
          const schema = events.get(node.slice(node.lastIndexOf("/") + 1));
          return schema === undefined ? undefined : valueOf(schema, node);
        },
        bind: (world) => sagas.map((each) => each.on(instanceOf(each, source, world))),
      });
    }
  }
  return subjects;
}

function isDefinition(value: unknown): value is AnySaga {
  return typeof value === "object" && value !== null && "manifest" in value && "spec" in value;
}

/** An object of the class that has the saga's actions, which answer for themselves. */
function instanceOf(
  definition: AnySaga,
  source: Readonly<Record<string, unknown>>,
  world: GatedWorld,
): object {
  const { manifest } = definition;
  const own = manifest.nodes.flatMap((node) => (node.kind === "action" ? [node.action] : []));
  const classes = Object.values(source).filter(
    (each): each is new (...args: unknown[]) => object =>
      typeof each === "function" && own.every((name) => name in ((each.prototype ?? {}) as object)),
  );
  const made = classes.findLast((each) => each.name === manifest.name.split(".")[0]) ?? classes[0];
  if (made === undefined) throw new Error(`no class of ${manifest.name}`);
  return answering(new made({}, {}, {}), methodsOf(definition), world);
}

function methodsOf({ manifest, spec }: AnySaga): Methods {
  const methods: Methods = { outputs: new Map(), undos: new Set(), events: new Map() };
  collect(manifest, spec, methods);
  return methods;
}

function collect(graph: Graph, bindings: GraphBindings, methods: Methods, around = bindings): void {
  const schemas = bindings.schemas ?? around.schemas;
  for (const node of graph.nodes) {
    if (node.kind === "action") {
      methods.outputs.set(node.action, schemas?.actions?.[node.action]?.output);
      if (node.undo !== "none") methods.undos.add(node.undo);
    }
    if (node.kind === "event") methods.events.set(node.name, schemas?.values?.[node.name]);
    if (!("graph" in node)) continue;
    const inner = bindings.nodes[node.name];
    const within = { ...bindings, ...(schemas !== undefined && { schemas }) };
    collect(node.graph, inner?.graph ?? { nodes: {} }, methods, within);
    if (node.kind !== "scope" || node.handler === undefined) continue;
    collect(node.handler, inner?.handler ?? { nodes: {} }, methods, within);
  }
}

function answering(target: object, methods: Methods, world: GatedWorld): object {
  return new Proxy(target, {
    get: (object, name) => {
      const value = Reflect.get(object, name) as unknown;
      const { outputs, undos } = methods;
      if (typeof name !== "string") return value;
      if (outputs.has(name) || undos.has(name)) {
        const doing = outputs.has(name) ? "act" : "undo";
        return (...given: readonly unknown[]) => {
          const { sagaId, node } = actionContext();
          // Runs that it starts have nodes of the same names.
          const key = `${sagaId}:${node}`;
          const what = `${name} ${shown(given)}`;
          const schema = outputs.get(name);
          const output = schema === undefined ? undefined : valueOf(schema, what);
          return world.perform(doing, key, what, output);
        };
      }
      if (typeof value !== "object" || value === null) return value;
      return answering(value, methods, world);
    },
  });
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint" ? `${item}n` : item instanceof Map ? [...item] : item,
  );
}

/** A value of a schema, that follows from a text. */
export function valueOf(schema: AnySchema, seed: string): unknown {
  const draw = (below: number): number => hash(seed) % below;
  const inner = (of: AnySchema, more: string | number): unknown => valueOf(of, `${seed}.${more}`);
  const own = ownOf(schema);
  if (own?.kind === "tuple") return (own.items as AnySchema[]).map((item, at) => inner(item, at));
  if (own?.kind === "bytes") return new Uint8Array([draw(256)]);
  if (own?.kind === "url") return new URL(`http://localhost/${draw(100)}`);
  const def = schema._zod.def as unknown as Definition;
  switch (def.type) {
    case "string":
      return `s${draw(100)}`;
    case "number":
      return draw(20);
    case "boolean":
      return draw(2) === 0;
    case "bigint":
      return BigInt(draw(100));
    case "date":
      return new Date(draw(100_000));
    case "literal":
      return def.values[0];
    case "null":
      return null;
    case "optional":
      return draw(3) === 0 ? undefined : inner(def.innerType, "is");
    case "array":
      return Array.from({ length: draw(3) }, (_, at) => inner(def.element, at));
    case "object": {
      const shape = Object.entries(def.shape);
      const made = shape.map(([key, each]) => [key, inner(each, key)] as const);
      return Object.fromEntries(made.filter(([, value]) => value !== undefined));
    }
    case "union": {
      const { options } = def;
      return inner(options[draw(options.length)] as AnySchema, "one");
    }
    case "lazy":
      return inner(def.getter(), "lazy");
    case "undefined":
    case "void":
      return undefined;
    default:
      throw new Error(`no value of ${def.type}`);
  }
}

function hash(text: string): number {
  let value = 17;
  for (const sign of text) value = (value * 31 + (sign.codePointAt(0) ?? 0)) % 1_000_003;
  return value;
}
