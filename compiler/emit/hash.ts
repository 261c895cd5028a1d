/**
 * The hash of a saga: changes when the meaning does, only then. It covers names, kinds, order, the
 * wiring of actions and undos, and the normalised text of bindings. Not: retry and timeout numbers,
 * positions, paths, names of local variables, formatting, bodies of methods, other sagas.
 */
import { createHash } from "node:crypto";
import type { Code, CodePart, NodeModel, Pattern, SagaModel, VariableId } from "../model.js";
import { normalise } from "./normalise.js";
import { binds, slice } from "./slice.js";

export function hashOf(saga: SagaModel): string {
  const text = JSON.stringify(sagaFacts(saga));
  return `sha256-${createHash("sha256").update(text).digest("hex")}`;
}

// What is hashed is arrays and strings only: the order of keys cannot matter.
type Facts = string | readonly Facts[];

function sagaFacts(saga: SagaModel): Facts {
  const output = saga.outputs.flatMap(({ code }) => (code ? [codeFacts(saga, [code])] : []));
  return [saga.name, saga.nodes.map((node) => nodeFacts(saga, node)), output];
}

function nodeFacts(saga: SagaModel, node: NodeModel): Facts {
  const after = node.after.map((each) => (typeof each === "string" ? each : each.node));
  const common = [node.kind, node.name, after];
  switch (node.kind) {
    case "action": {
      const { method, undo } = node.action;
      const undone = undo === "none" ? ["none"] : ["undo", undo.method, undo.when ?? "succeeded"];
      return [...common, method, undone, codeFacts(saga, node.inputs)];
    }
    case "compute":
      return [...common, codeFacts(saga, [node.code])];
    case "subsaga": {
      const path = node.path.map((member) => member.name);
      const params = node.params === undefined ? [] : [codeFacts(saga, [node.params])];
      return [...common, path, params, sagaFacts(node.saga)];
    }
    default:
      throw new Error(`no emission for a node of kind ${node.kind}`);
  }
}

/** The statements that a binding repeats and its codes, under names that do not depend on the source's. */
function codeFacts(saga: SagaModel, codes: readonly Code[]): Facts {
  const { statements, variables } = slice(saga, codes);
  const numbers = new Map<VariableId, string>();
  const nameOf = (id: VariableId): string => {
    const holds = variables.get(id)?.holds;
    if (holds?.kind === "params") return "$params";
    if (holds?.kind === "node") return `$node(${holds.node})`;
    const known = numbers.get(id) ?? `$${numbers.size}`;
    numbers.set(id, known);
    return known;
  };
  const text = (code: Code): string =>
    normalise(code, {
      name: (reference) => referenceText(reference, nameOf),
      key: (reference) => sourceName(saga, reference),
    });
  const pattern = (target: Pattern): Facts => patternFacts(target, variables, nameOf, text);
  return [
    statements.map(({ pattern: target, type, init }) => [
      pattern(target),
      type === undefined ? "" : text(type),
      text(init),
    ]),
    codes.map(text),
  ];
}

function referenceText(
  reference: Exclude<CodePart, string>,
  nameOf: (id: VariableId) => string,
): string {
  if ("variable" in reference) return nameOf(reference.variable);
  if ("self" in reference) return `$self.${reference.self.name}`;
  const { from } = reference.external;
  if (from.kind === "export") return `$export(${from.exported})`;
  // The path of a file says nothing about meaning; the name of a package does.
  const module = from.module.startsWith(".") ? "" : from.module;
  return `$import(${module}, ${from.imported})`;
}

function sourceName(saga: SagaModel, reference: Exclude<CodePart, string>): string {
  if ("variable" in reference) return saga.variables.get(reference.variable)?.name ?? "";
  return "self" in reference ? reference.self.name : reference.external.name;
}

function patternFacts(
  pattern: Pattern,
  needed: ReadonlyMap<VariableId, unknown>,
  nameOf: (id: VariableId) => string,
  text: (code: Code) => string,
): Facts {
  if (!binds(pattern, needed)) return "";
  if (pattern.kind === "variable") return nameOf(pattern.variable);
  const rest = pattern.rest === undefined || !needed.has(pattern.rest) ? "" : nameOf(pattern.rest);
  const part = (key: string, target: Pattern, fallback: Code | undefined): Facts => {
    const used = binds(target, needed);
    return [
      key,
      patternFacts(target, needed, nameOf, text),
      fallback && used ? text(fallback) : "",
    ];
  };
  const parts =
    pattern.kind === "array"
      ? pattern.elements.map((each) => (each ? part("", each.target, each.fallback) : ""))
      : pattern.properties
          .filter(({ target }) => rest !== "" || binds(target, needed))
          .map(({ key, target, fallback }) => part(key, target, fallback));
  return [pattern.kind, parts, rest];
}
