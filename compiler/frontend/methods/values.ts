/** What an expression of a saga method stands for while it is read: a value, a promise, a list of them. */
import type { Code, CodePart, Guard, Span, VariableId } from "../../model.js";
import type { Completion, Draft, Frame } from "./graph.js";
import type ts from "../typescript.cjs";

/** A value that is there. */
export interface CodeValue {
  readonly kind: "code";
  readonly parts: readonly CodePart[];
  /** Whether it can stand in an expression without parentheses. */
  readonly atom: boolean;
  /** Nodes whose result it is, or is made of, where no variable lies between: these it may name. */
  readonly origins: ReadonlySet<Draft>;
  /** Of a value that is one of several, those of each: they are named one by one. */
  readonly branches?: readonly ReadonlySet<Draft>[];
  /** Conditions that the types in it rest on. */
  readonly guards: readonly Guard[];
  /** False: it may not be what its type says (`as`, `!`, `any`), so that using it can throw. */
  readonly trusted: boolean;
}

/** What `Promise.all` gives. */
export interface TupleValue {
  readonly kind: "tuple";
  readonly elements: readonly ReadyValue[];
}

export type ReadyValue = CodeValue | TupleValue;

/** Something that was started. */
export interface PromiseValue {
  readonly kind: "promise";
  readonly completions: readonly Completion[];
  readonly value: ReadyValue | Broken;
  /** Everything that is awaited when this is. */
  readonly started: readonly Started[];
  readonly origins: ReadonlySet<Draft>;
}

/** One call that returned a promise, which must be awaited somewhere. */
export interface Started {
  readonly node: ts.Node;
  readonly what: string;
  /** The graph in which it runs. */
  readonly frame: Frame;
  /** Whether nothing is to be said of it: it is awaited, or in something that was reported. */
  awaited: boolean;
  /** Whether it is awaited on some path. */
  sometimes: boolean;
}

/** An array with promises in it. */
export interface ListValue {
  readonly kind: "list";
  readonly elements: readonly (ReadyValue | PromiseValue | ListValue | ManyValue)[];
}

/** A list of promises that is as long as some list at run time: for `Promise.all` as a whole. */
export interface ManyValue {
  readonly kind: "many";
  readonly promise: PromiseValue;
}

/** Something that has been reported already: whatever uses it is silent. */
export interface Broken {
  readonly kind: "broken";
}

export const BROKEN: Broken = { kind: "broken" };

/** What a function without `return` gives, and a hole in an array. */
export const UNDEFINED: CodeValue = {
  kind: "code",
  parts: ["undefined"],
  atom: true,
  origins: new Set(),
  guards: [],
  trusted: true,
};

export type Value = ReadyValue | PromiseValue | ListValue | ManyValue | Broken;

/** What a local variable stands for. */
export type Binding = VariableBinding | PromiseValue | ListValue | ManyValue | Broken;

export interface VariableBinding {
  readonly kind: "variable";
  readonly id: VariableId;
  readonly trusted: boolean;
  /** Where it is set, of a variable that is set after its declaration. */
  readonly at?: Span | undefined;
}

export const NO_ORIGINS: ReadonlySet<Draft> = new Set();

export function variableValue(
  id: VariableId,
  origin: Draft | undefined,
  trusted = true,
): CodeValue {
  return {
    kind: "code",
    parts: [{ variable: id, shorthand: false }],
    atom: true,
    origins: origin === undefined ? NO_ORIGINS : new Set([origin]),
    guards: [],
    trusted,
  };
}

/** A value as code. A tuple is typed as one only if its place does not ask for one anyway. */
export function toCode(value: ReadyValue, contextual: boolean): CodeValue {
  if (value.kind === "code") return value;
  const elements = value.elements.map((element) => toCode(element, contextual));
  const parts: CodePart[] = ["["];
  for (const [index, element] of elements.entries()) {
    if (index > 0) parts.push(", ");
    parts.push(...element.parts);
  }
  // Without it the type would be that of an array of either.
  const unknowns = elements.map(() => "unknown").join(", ");
  parts.push(contextual || elements.length === 0 ? "]" : `] satisfies [${unknowns}]`);
  return {
    kind: "code",
    parts,
    atom: contextual,
    origins: new Set(elements.flatMap((element) => [...element.origins])),
    guards: elements.flatMap((element) => element.guards),
    trusted: elements.every((element) => element.trusted),
  };
}

/** A value as a piece of code of the model. */
export function codeFrom({ parts, guards }: Pick<CodeValue, "parts" | "guards">, span: Span): Code {
  return guards.length === 0 ? { parts, span } : { parts, span, guards };
}
