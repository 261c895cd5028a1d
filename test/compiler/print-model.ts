/** Prints a model as text that a reviewer reads: one line for each node. Used by the fixture tests only. */
import type {
  Code,
  GlueStatement,
  Member,
  NodeModel,
  Pattern,
  SagaModel,
  SourceModel,
} from "../../compiler/model.js";

export function printSource({ specifier, sagas, classes }: SourceModel): string {
  const heads = classes.map(
    ({ name, exportedAs, constructible }) =>
      `class ${name} as ${exportedAs}${constructible ? ", constructible" : ""}`,
  );
  return [`source ${specifier}`, ...heads, ...sagas.map((saga) => printSaga(saga, "")), ""].join(
    "\n",
  );
}

function printSaga(saga: SagaModel, indent: string): string {
  const glue = new Set<GlueStatement>();
  for (const { holds } of saga.variables.values()) {
    if (holds.kind === "glue") glue.add(holds.statement);
  }
  const print = (code: Code): string => printCode(saga, code);
  const statements = [...glue].map(({ pattern, type, init }) => {
    const annotation = type === undefined ? "" : `: ${print(type)}`;
    return `  glue ${printPattern(saga, pattern)}${annotation} = ${print(init)}`;
  });
  return [
    `saga ${saga.name}, export ${saga.exportName}${saga.hasParams ? "" : ", no params"}`,
    ...saga.nodes.map((node) => `  ${printNode(saga, node, indent)}`),
    ...statements,
    ...(saga.output === undefined ? [] : [`  return ${print(saga.output)}`]),
  ].join(`\n${indent}`);
}

function printNode(saga: SagaModel, node: NodeModel, indent: string): string {
  const head = `${node.name} after [${node.after.join(", ")}]`;
  switch (node.kind) {
    case "action": {
      const { method, undo, retry, timeoutMs } = node.action;
      const undone = undo === "none" ? "none" : `${undo.method}${undo.when ? " when started" : ""}`;
      const inputs = node.inputs.map((input) => printCode(saga, input)).join(", ");
      const options = JSON.stringify({
        retry,
        timeoutMs,
        undoRetry: undo === "none" ? undefined : undo.retry,
      });
      return `${head}: ${method}(${inputs}) undo ${undone}${options === "{}" ? "" : ` ${options}`}`;
    }
    case "compute":
      return `${head}: compute ${printCode(saga, node.code)}`;
    case "subsaga": {
      const params = node.params === undefined ? "" : printCode(saga, node.params);
      const path = node.path.map(printMember).join("");
      const inner = printSaga(node.saga, `${indent}    `);
      return `${head}: subsaga this${path}(${params})\n    ${indent}${inner}`;
    }
  }
}

function printMember({ name, public: open }: Member): string {
  return open ? `.${name}` : `[${name}]`;
}

function printCode(saga: SagaModel, code: Code): string {
  const text = code.parts.map((part) => {
    if (typeof part === "string") return part.replace(/\n/g, "⏎");
    if ("self" in part) return `this${printMember(part.self)}`;
    if ("external" in part) {
      const { name, typeOnly, from } = part.external;
      const origin =
        from.kind === "import" ? `${from.module}#${from.imported}` : `export#${from.exported}`;
      return `‹${typeOnly ? "type " : ""}${name} ${origin}›${part.shorthand ? ":" : ""}`;
    }
    return `${printVariable(saga, part.variable)}${part.shorthand ? ":" : ""}`;
  });
  return text.join("");
}

function printVariable(saga: SagaModel, id: number): string {
  const variable = saga.variables.get(id);
  if (variable === undefined) return `?${id}`;
  const { name, holds } = variable;
  if (holds.kind === "node") return holds.node === name ? `$${name}` : `$${holds.node}(${name})`;
  return holds.kind === "params" ? `$${name}!` : name;
}

function printPattern(saga: SagaModel, pattern: Pattern): string {
  const target = (each: { target: Pattern; fallback: Code | undefined }): string =>
    printPattern(saga, each.target) +
    (each.fallback === undefined ? "" : ` = ${printCode(saga, each.fallback)}`);
  if (pattern.kind === "variable") return printVariable(saga, pattern.variable);
  const rest = pattern.rest === undefined ? [] : [`...${printVariable(saga, pattern.rest)}`];
  if (pattern.kind === "object") {
    const own = pattern.properties.map((each) => `${each.key}: ${target(each)}`);
    return `{ ${[...own, ...rest].join(", ")} }`;
  }
  return `[${[...pattern.elements.map((each) => (each === undefined ? "" : target(each))), ...rest].join(", ")}]`;
}
