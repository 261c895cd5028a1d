/**
 * Writes models by hand, in a shorthand: `"$payment.id"` is a code that refers to the variable
 * `payment`. For tests of what comes after the frontend; it reads no source.
 */
import type {
  ActionNodeModel,
  Code,
  CodePart,
  ComputeNodeModel,
  GraphModel,
  NodeModel,
  Pattern,
  SagaModel,
  SourceModel,
  Span,
  SubsagaNodeModel,
  Variable,
  VariableId,
} from "../../compiler/model.js";
import { NOTHING } from "../../compiler/type-model.js";

const file = "/project/src/book-trip.ts";
let offset = 0;
const span = (): Span => ({ file, start: ++offset, end: offset + 1 });

/** `$name` is a variable, `$$name` a shorthand property, `$this.name` a private member. */
export class SagaBuilder {
  private readonly variables = new Map<VariableId, Variable>();
  private readonly nodes: NodeModel[] = [];
  private last: string | undefined;

  constructor(private readonly name = "bookTrip") {
    this.variable("params", { kind: "params" });
  }

  variable(name: string, holds: Variable["holds"]): VariableId {
    const id = this.variables.size;
    this.variables.set(id, { id, name, holds });
    return id;
  }

  code(text: string): Code {
    const parts = text.split(/(\$\$?[\w.]+)/).flatMap((part): CodePart[] => {
      if (!part.startsWith("$")) return part === "" ? [] : [part];
      const shorthand = part.startsWith("$$");
      const [name = "", ...rest] = part.replace(/^\$+/, "").split(".");
      if (name === "this") return [{ self: { name: rest.join("."), public: false } }];
      const variable = [...this.variables.values()].findLast((each) => each.name === name);
      if (variable === undefined) throw new Error(`no variable ${name}`);
      const tail = rest.length === 0 ? [] : [`.${rest.join(".")}`];
      return [{ variable: variable.id, shorthand }, ...tail];
    });
    return { parts, span: span() };
  }

  glue(name: string, init: string, type?: string): this {
    const code = this.code(init);
    const pattern: { -readonly [K in keyof Pattern]: Pattern[K] } = {
      kind: "variable",
      variable: this.variables.size,
    } as Pattern;
    const statement = {
      pattern: pattern as Pattern,
      type: type ? this.code(type) : undefined,
      init: code,
    };
    this.variable(name, { kind: "glue", statement });
    return this;
  }

  /** `const pattern = init`; `make` gets a function that declares the variables of the pattern. */
  destructure(init: string, make: (declare: (name: string) => VariableId) => Pattern): this {
    const code = this.code(init);
    const declared: { id: VariableId; name: string }[] = [];
    const first = this.variables.size;
    const pattern = make((name) => {
      const id = first + declared.length;
      declared.push({ id, name });
      return id;
    });
    const statement = { pattern, type: undefined, init: code };
    for (const { name } of declared) this.variable(name, { kind: "glue", statement });
    return this;
  }

  action(
    name: string,
    inputs: readonly string[],
    change: Partial<ActionNodeModel["action"]> & { readonly after?: ActionNodeModel["after"] } = {},
  ): this {
    const { after = this.before(), ...action } = change;
    return this.add({
      kind: "action",
      name,
      span: span(),
      after,
      action: {
        method: `do_${name}`,
        inputs: { kind: "tuple", elements: [] },
        output: NOTHING,
        span: span(),
        pivot: false,
        onFailure: undefined,
        errors: [],
        schema: undefined,
        retry: undefined,
        timeoutMs: undefined,
        undo: {
          method: `undo_${name}`,
          span: span(),
          when: undefined,
          retry: undefined,
          timeoutMs: undefined,
        },
        ...action,
      },
      inputs: inputs.map((input) => this.code(input)),
    });
  }

  compute(name: string, text: string): this {
    const node: ComputeNodeModel = {
      kind: "compute",
      name,
      span: span(),
      after: this.before(),
      code: this.code(text),
      type: NOTHING,
    };
    return this.add(node);
  }

  subsaga(name: string, saga: SagaModel, params: string, path: readonly string[] = []): this {
    const node: SubsagaNodeModel = {
      kind: "subsaga",
      name,
      span: span(),
      after: this.before(),
      saga,
      path: path.map((member) => ({ name: member, public: false })),
      params: this.code(params),
    };
    return this.add(node);
  }

  decision(name: string, text: string, arms: readonly string[] = ["then", "else"]): this {
    const code = this.code(text);
    return this.add({ kind: "decision", name, span: span(), after: this.before(), code, arms });
  }

  /** Takes over the nodes of another builder, whose variables it does not share. */
  loop(kind: "map" | "loop", name: string, items: string, inner: SagaModel): this {
    const { nodes, exits } = inner;
    return this.add({
      kind,
      name,
      span: span(),
      after: this.before(),
      items: this.code(items),
      key: undefined,
      concurrency: undefined,
      graph: { nodes, exits, outputs: [] },
      item: NOTHING,
      result: NOTHING,
    });
  }

  scope(name: string, inner: SagaModel, handler: SagaModel): this {
    const graphOf = ({ nodes, exits }: SagaModel): GraphModel => ({ nodes, exits, outputs: [] });
    return this.add({
      kind: "scope",
      name,
      span: span(),
      after: this.before(),
      graph: graphOf(inner),
      handler: graphOf(handler),
    });
  }

  /** The node that was added last runs only under these conditions. */
  when(...conditions: readonly (readonly [decision: string, arm: string, not?: true])[]): this {
    const node = this.nodes.pop();
    if (node === undefined) throw new Error("no node was added");
    const when = conditions.map(([decision, arm, not]) => ({ decision, arm, ...(not && { not }) }));
    this.nodes.push({ ...node, when });
    return this;
  }

  private before(): readonly string[] {
    return this.last === undefined ? [] : [this.last];
  }

  private add(node: NodeModel): this {
    this.nodes.push(node);
    this.last = node.name;
    this.variable(node.name, { kind: "node", node: node.name });
    return this;
  }

  saga(output?: string, change: Partial<SagaModel> = {}): SagaModel {
    return {
      name: `BookTrip.${this.name}`,
      exportName: this.name,
      className: "BookTrip",
      method: this.name,
      span: span(),
      file,
      exportedAs: "BookTrip",
      hasParams: true,
      errors: [],
      params: NOTHING,
      result: NOTHING,
      variables: this.variables,
      nodes: this.nodes,
      outputs: output === undefined ? [] : [{ when: [], code: this.code(output) }],
      exits: [],
      ...change,
    };
  }
}

export function sourceOf(...sagas: readonly SagaModel[]): SourceModel {
  return { file, specifier: "./book-trip.js", sagas, classes: [] };
}
