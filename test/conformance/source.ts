/**
 * A recorded graph as a saga of ours: the source text. An action becomes an action with its undo, a
 * subsaga a saga method, a constant a saga method that returns it (a person would write the value
 * where it is read; so it is a node, which can be looked at), a stage of several nodes a
 * `Promise.all`. Start and end of a graph are the method's own, so they have no node.
 */
import { type Dag, type DagNode, type Line, nodesOf } from "./dag.js";

export interface Written {
  readonly text: string;
  /** The path of each node here, by its path in steno; start and end nodes have none. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Names that the text of a saga method uses already, or that TypeScript keeps. */
const TAKEN = new Set(
  (
    "params Promise Kit Json Case arguments eval await async break case catch class const continue debugger default " +
    "delete do else enum export extends false finally for function if implements import in " +
    "instanceof interface let new null package private protected public return static super " +
    "switch this throw true try typeof undefined var void while with yield"
  ).split(" "),
);

/** The names of one level, as identifiers: equal names are one identifier, as they are one name in steno. */
class Names {
  readonly #byName = new Map<string, string>();
  readonly #used = new Set<string>(TAKEN);

  of(name: string): string {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const plain = name.replace(/[^A-Za-z0-9]/g, "_").replace(/^(?=\d|$)/, "_");
    let found = plain;
    for (let count = 2; this.#used.has(found); count++) found = `${plain}_${count}`;
    this.#used.add(found);
    this.#byName.set(name, found);
    return found;
  }
}

/** The source text of a case. */
export function writeSource({ input }: Line): Written {
  const { saga, unregistered = [] } = input;
  if (saga === undefined) throw new Error("the line has no saga of its own");
  const members: string[] = [];
  const paths = new Map<string, string>();
  const methods = new Names();
  writeSaga({ members, paths, methods, unregistered }, saga, "main", "", "");
  const text = `import { action, saga, undo } from "steno-runtime";
import { Kit, type Json } from "./kit.js";

export class Case extends Kit {
${members.join("\n\n")}
}
`;
  return { text, paths };
}

interface Context {
  readonly members: string[];
  readonly paths: Map<string, string>;
  readonly methods: Names;
  readonly unregistered: readonly string[];
}

function writeSaga(
  context: Context,
  dag: Dag,
  method: string,
  prefix: string,
  herePrefix: string,
): void {
  const names = new Names();
  const lines: string[] = [];
  for (const stage of dag.stages) {
    const nodes = nodesOf(stage);
    for (const { name } of nodes) {
      context.paths.set(prefix + name, herePrefix + names.of(name));
    }
    const calls = nodes.map((node) => writeNode(context, node, prefix, herePrefix, names));
    const [only] = nodes;
    if (nodes.length === 1 && only !== undefined) {
      lines.push(`const ${names.of(only.name)} = await ${calls[0]};`);
    } else {
      const bound = nodes.map(({ name }) => names.of(name)).join(", ");
      lines.push(`const [${bound}] = await Promise.all([${calls.join(", ")}]);`);
    }
  }
  const last = nodesOf(dag.stages.at(-1) ?? {});
  // Steno's output is that of the one last node: where there is none, nothing can be returned.
  if (last.length === 1) lines.push(`return ${names.of(last[0]?.name ?? "")};`);
  context.members.push(`  @saga
  async ${method}(params: Json): Promise<Json> {
${lines.map((line) => `    ${line}`).join("\n")}
  }`);
}

function writeNode(
  context: Context,
  node: DagNode,
  prefix: string,
  herePrefix: string,
  names: Names,
): string {
  const path = prefix + node.name;
  const method = (kind: string): string => context.methods.of(`${kind} ${path}`);
  const key = JSON.stringify(path);
  switch (node.kind) {
    case "action": {
      const inputs = (node.lookups ?? []).map((name) => names.of(name));
      const call = `this.${method("do")}(${["params", ...inputs].join(", ")})`;
      if (!context.unregistered.includes(path)) {
        writeOnce(
          context,
          `  @action
  async ${method("do")}(params: Json, ...inputs: Json[]): Promise<Json> {
    return this.world.act(${key}, params, inputs);
  }

  @undo("${method("do")}", { retry: { attempts: 1 } })
  async ${method("undo")}(output: Json, params: Json, ...inputs: Json[]): Promise<void> {
    await this.world.undo(${key}, output, params, inputs);
  }`,
        );
      }
      return call;
    }
    case "constant":
      writeOnce(
        context,
        `  @saga
  async ${method("constant")}(): Promise<Json> {
    return ${JSON.stringify(node.value)};
  }`,
      );
      return `this.${method("constant")}()`;
    case "subsaga":
      writeSaga(
        context,
        node.dag,
        method("saga"),
        `${path}/`,
        `${herePrefix}${names.of(node.name)}/`,
      );
      return `this.${method("saga")}(${names.of(node.params_node)})`;
  }
}

/** Where a name is used twice, its method is written once all the same: the name is what is wrong. */
function writeOnce({ members }: Context, member: string): void {
  if (!members.includes(member)) members.push(member);
}
