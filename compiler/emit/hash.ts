/**
 * The hash of a saga: changes when the meaning does, only then. It covers names, kinds, order, the
 * conditions, the wiring of actions and undos, and the normalised text of bindings. Not: retry and
 * timeout numbers, limits, positions, paths, names of local variables, formatting, bodies of methods, other sagas.
 */
import { createHash } from "node:crypto";
import * as path from "node:path";
import type {
  Code,
  CodePart,
  ConditionModel,
  GraphModel,
  Member,
  NodeModel,
  Pattern,
  SagaModel,
  VariableId,
} from "../model.js";
import { binds } from "./needs.js";
import { typeKey } from "../type-model.js";
import { normalise } from "./normalise.js";
import { Slicer, type Block, type Step, type Wanted } from "./slice.js";

export function hashOf(saga: SagaModel): string {
  const text = JSON.stringify(withModuleNumbers(sagaFacts(saga)));
  return `sha256-${createHash("sha256").update(text).digest("hex")}`;
}

// What is hashed is arrays and strings only: the order of keys cannot matter.
type Facts = string | readonly Facts[];

/**
 * An import of a file, until all are known. The path of a file says nothing about meaning; but two of
 * one name from two files are two things.
 */
const importOfFile = (file: string, imported: string): string =>
  `$import(\0${file}\0, ${imported})`;
// A source has no NUL outside of what is written with an escape.
const IMPORT_OF_FILE = /\$import\(\0([^\0]*)\0, ([^)]*)\)/g;

/** Numbers the files that things of one name are imported from: in their order, so that a swap shows. */
function withModuleNumbers(facts: Facts): Facts {
  const files = new Map<string, Set<string>>();
  mapTexts(facts, (text) => {
    for (const [, file = "", imported = ""] of text.matchAll(IMPORT_OF_FILE)) {
      files.set(imported, (files.get(imported) ?? new Set()).add(file));
    }
    return text;
  });
  return mapTexts(facts, (text) =>
    text.replace(IMPORT_OF_FILE, (_, file: string, imported: string) => {
      const index = [...(files.get(imported) ?? [])].sort().indexOf(file);
      return `$import(${index > 0 ? index : ""}, ${imported})`;
    }),
  );
}

function mapTexts(facts: Facts, change: (text: string) => string): Facts {
  return typeof facts === "string" ? change(facts) : facts.map((each) => mapTexts(each, change));
}

function sagaFacts(saga: SagaModel): Facts {
  return [
    saga.name,
    [typeKey(saga.params), typeKey(saga.result)],
    ...graphFacts(new Slicer(saga), saga),
  ];
}

/** Straight-line code has one output and no exits, and is hashed as it always was. */
function graphFacts(slicer: Slicer, { nodes, outputs, exits }: GraphModel): readonly Facts[] {
  const [only, ...others] = outputs;
  const output =
    others.length > 0 || (only !== undefined && only.when.length > 0)
      ? [wantedFacts(slicer, { alternatives: outputs })]
      : only?.code === undefined
        ? []
        : [codeFacts(slicer, [only.code])];
  const leaving = exits.map(({ to, when }): Facts => [to, when.map(conditionFacts)]);
  return [
    nodes.map((node) => nodeFacts(slicer, node)),
    output,
    ...(leaving.length > 0 ? [leaving] : []),
  ];
}

function conditionFacts({ decision, arm, not }: ConditionModel): Facts {
  return not === true ? [decision, arm, "not"] : [decision, arm];
}

function nodeFacts(slicer: Slicer, node: NodeModel): Facts {
  const after = node.after.map((each) =>
    typeof each === "string" ? each : [each.node, each.when.map(conditionFacts)],
  );
  const when = (node.when ?? []).map(conditionFacts);
  const common = [node.kind, node.name, after, ...(when.length > 0 ? [["when", ...when]] : [])];
  const code = (each: Code): Facts => codeFacts(slicer, [each]);
  const given = (each: Code | undefined): Facts => (each ? [code(each)] : []);
  switch (node.kind) {
    case "action": {
      const { method, undo, pivot, errors } = node.action;
      const undone = undo === "none" ? ["none"] : ["undo", undo.method, undo.when ?? "succeeded"];
      const types = [typeKey(node.action.inputs), typeKey(node.action.output)];
      // What most actions do not have is left out, so that their hashes stay as they were.
      const more = [
        ...(pivot ? ["pivot"] : []),
        ...(errors.length > 0
          ? [["errors", ...errors.map(({ name, data }) => `${name} ${typeKey(data)}`).sort()]]
          : []),
      ];
      return [...common, method, undone, codeFacts(slicer, node.inputs), types, ...more];
    }
    case "compute":
      return [...common, code(node.code), typeKey(node.type)];
    case "subsaga":
      return [...common, namesOf(node.path), given(node.params), sagaFacts(node.saga)];
    case "decision":
      return [...common, node.arms, code(node.code)];
    case "map":
    case "loop":
      return [
        ...common,
        code(node.items),
        given(node.key),
        graphFacts(slicer, node.graph),
        [typeKey(node.item), typeKey(node.result)],
      ];
    case "scope":
      return [...common, graphFacts(slicer, node.graph), graphFacts(slicer, node.handler)];
    case "fail":
      return [...common, code(node.error)];
    case "sleep":
      return [...common, code(node.duration)];
    case "event":
      return [...common, node.event.name, typeKey(node.type)];
    case "spawn": {
      const { name, path, method } = node.saga;
      const target = [name, namesOf(path), method, node.wait ? "wait" : ""];
      const types = [typeKey(node.saga.params), typeKey(node.saga.result)];
      return [...common, target, given(node.params), given(node.id), types];
    }
  }
}

function namesOf(path: readonly Member[]): string[] {
  return path.map(({ name }) => name);
}

function codeFacts(slicer: Slicer, codes: readonly Code[]): Facts {
  return wantedFacts(slicer, { codes });
}

/** The statements that a binding repeats and its codes, under names that do not depend on the source's. */
function wantedFacts(slicer: Slicer, wanted: Wanted): Facts {
  const { saga } = slicer;
  const numbers = new Map<VariableId, string>();
  const nameOf = (id: VariableId): string => {
    const holds = saga.variables.get(id)?.holds;
    if (holds?.kind === "params") return "$params";
    if (holds !== undefined && "node" in holds) return `$${holds.kind}(${holds.node})`;
    const known = numbers.get(id) ?? `$${numbers.size}`;
    numbers.set(id, known);
    return known;
  };
  const text = (code: Code): string =>
    normalise(code, {
      name: (reference) => referenceText(reference, nameOf),
      key: (reference) => sourceName(saga, reference),
    });
  const typeText = (type: Code | undefined): string => (type === undefined ? "" : text(type));
  const stepFacts = (step: Step, used: ReadonlySet<VariableId>): Facts => {
    if (step.kind === "choice") {
      const { id, holds } = step.variable;
      return ["choice", nameOf(id), typeText(holds.type), ...blockFacts(step.block)];
    }
    const { pattern, type, init } = step.statement;
    return [patternFacts(pattern, used, nameOf, text), typeText(type), text(init)];
  };
  const blockFacts = ({ steps, codes, branches, used }: Block): Facts[] => [
    steps.map((step) => stepFacts(step, used)),
    codes.map(text),
    ...branches.map(({ when, block }) => [when.map(conditionFacts), ...blockFacts(block)]),
  ];
  return blockFacts(slicer.slice(wanted));
}

function referenceText(
  reference: Exclude<CodePart, string>,
  nameOf: (id: VariableId) => string,
): string {
  if ("variable" in reference) return nameOf(reference.variable);
  if ("self" in reference) return `$self.${reference.self.name}`;
  const { file, from } = reference.external;
  if (from.kind === "export") return `$export(${from.exported})`;
  return from.module.startsWith(".")
    ? importOfFile(path.join(path.dirname(file), from.module), from.imported)
    : `$import(${from.module}, ${from.imported})`;
}

function sourceName(saga: SagaModel, reference: Exclude<CodePart, string>): string {
  if ("variable" in reference) return saga.variables.get(reference.variable)?.name ?? "";
  return "self" in reference ? reference.self.name : reference.external.name;
}

function patternFacts(
  pattern: Pattern,
  needed: ReadonlySet<VariableId>,
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
