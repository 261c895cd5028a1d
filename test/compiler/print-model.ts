/** Prints a model as text that a reviewer reads: one line for each node. Used by the fixture tests only. */
import type {
  Alternative,
  Code,
  ConditionModel,
  GlueStatement,
  GraphModel,
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
  const choices = [...saga.variables.values()].flatMap(({ name, holds }) => {
    if (holds.kind !== "choice") return [];
    const type = holds.type === undefined ? "" : `: ${print(holds.type)}`;
    return [`  choice ${name}${type}`, ...printAlternatives(saga, holds.alternatives, "    ")];
  });
  return [
    `saga ${saga.name}, export ${saga.exportName}${saga.hasParams ? "" : ", no params"}`,
    ...printGraph(saga, saga, indent),
    ...statements,
    ...choices,
    ...printReturns(saga, saga),
  ].join(`\n${indent}`);
}

function printGraph(saga: SagaModel, graph: GraphModel, indent: string): string[] {
  return graph.nodes.map((node) => `  ${printNode(saga, node, indent)}`);
}

function printReturns(saga: SagaModel, graph: GraphModel): string[] {
  return [
    ...printAlternatives(saga, graph.outputs, "  ").map((line) => line.replace("  ", "  return ")),
    ...graph.exits.map(({ to, when }) => `  exit ${to}${printWhen(when)}`),
  ];
}

function printAlternatives(
  saga: SagaModel,
  alternatives: readonly Alternative[],
  indent: string,
): string[] {
  return alternatives.map(({ when, code }) => {
    const value = code === undefined ? "undefined" : printCode(saga, code);
    return `${indent}${value}${printWhen(when)}`;
  });
}

function printWhen(when: readonly ConditionModel[] | undefined): string {
  if (when === undefined || when.length === 0) return "";
  const conditions = when.map(
    ({ decision, arm, not }) => `${decision}${not === true ? " not" : ""} ${arm}`,
  );
  return ` when ${conditions.join(" and ")}`;
}

function printInside(saga: SagaModel, graph: GraphModel, indent: string): string {
  const inner = `${indent}    `;
  return [...printGraph(saga, graph, inner), ...printReturns(saga, graph)].join(`\n${inner}`);
}

function printNode(saga: SagaModel, node: NodeModel, indent: string): string {
  const after = node.after.map((each) =>
    typeof each === "string" ? each : `${each.node}${printWhen(each.when)}`,
  );
  const head = `${node.name} after [${after.join(", ")}]${printWhen(node.when)}`;
  const print = (code: Code): string => printCode(saga, code);
  switch (node.kind) {
    case "action": {
      const { method, undo, retry, timeoutMs } = node.action;
      const undone = undo === "none" ? "none" : `${undo.method}${undo.when ? " when started" : ""}`;
      const inputs = node.inputs.map(print).join(", ");
      const options = JSON.stringify({
        retry,
        timeoutMs,
        undoRetry: undo === "none" ? undefined : undo.retry,
      });
      return `${head}: ${method}(${inputs}) undo ${undone}${options === "{}" ? "" : ` ${options}`}`;
    }
    case "compute":
      return `${head}: compute ${print(node.code)}`;
    case "subsaga": {
      const params = node.params === undefined ? "" : print(node.params);
      const path = node.path.map(printMember).join("");
      const inner = printSaga(node.saga, `${indent}    `);
      return `${head}: subsaga this${path}(${params})\n    ${indent}${inner}`;
    }
    case "decision":
      return `${head}: decision ${print(node.code)} [${node.arms.join(", ")}]`;
    case "map":
    case "loop": {
      const key = node.key === undefined ? "" : ` by ${print(node.key)}`;
      const limit = node.concurrency === undefined ? "" : `, at most ${node.concurrency}`;
      const inner = printInside(saga, node.graph, indent);
      return `${head}: ${node.kind} ${print(node.items)}${key}${limit}\n    ${indent}${inner}`;
    }
    case "scope": {
      const handler = printInside(saga, node.handler, indent);
      const caught = handler === "" ? "" : `\n  ${indent}caught\n    ${indent}${handler}`;
      return `${head}: scope\n    ${indent}${printInside(saga, node.graph, indent)}${caught}`;
    }
    case "fail":
      return `${head}: fail ${print(node.error)}`;
    case "sleep":
      return `${head}: sleep ${print(node.duration)}`;
    case "event": {
      const timeout = node.timeoutMs === undefined ? "" : ` within ${node.timeoutMs} ms`;
      return `${head}: event this${printMember(node.event)}${timeout}`;
    }
    case "spawn": {
      const given = [node.params, node.id].map((code) => (code === undefined ? "" : print(code)));
      return `${head}: spawn ${node.saga.name}(${given.join(", ")})${node.wait ? " and wait" : ""}`;
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
  const guards = (code.guards ?? []).map(
    ({ test, holds }) => ` given ${holds ? "" : "not "}${printCode(saga, test)}`,
  );
  return text.join("") + guards.join("");
}

function printVariable(saga: SagaModel, id: number): string {
  const variable = saga.variables.get(id);
  if (variable === undefined) return `?${id}`;
  const { name, holds } = variable;
  if (holds.kind === "item" || holds.kind === "index" || holds.kind === "error") {
    return `$${name}@${holds.node}.${holds.kind}`;
  }
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
