/**
 * What is stored of a value, or a report of why it cannot be. Types themselves are read by
 * `derive.ts`; here are those of methods, expressions and lists.
 */
import { outputSchemaMismatch } from "../../diagnostics/catalogue/declared.js";
import * as say from "../../diagnostics/catalogue/values.js";
import type { Label } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../model.js";
import { NOTHING, unionOf, type ElementType, type TypeModel } from "../../type-model.js";
import { spanOf, type Context, type Marker } from "../context.js";
import type { NotStorable } from "./derive.js";
import type { OutputSchema } from "../classes/read-output.js";
import { awaited } from "./types.js";
import ts from "../typescript.cjs";

/** Where a value is, in words and in the source. */
export interface Place {
  readonly at: Span;
  /** `the output of \`bookHotel\``. */
  readonly what: string;
  /** How the path to a property begins: `Trip`. */
  readonly path: string;
  /** Where it enters the saga. */
  readonly others?: readonly Label[];
}

/** What is stored of values of a type; undefined: they cannot be, and that was reported. */
export function stored(context: Context, type: ts.Type, place: Place): TypeModel | undefined {
  const derived = context.types.derive(type);
  if (derived.type !== undefined) return derived.type;
  report(context, derived.problem, place);
  return undefined;
}

function report(context: Context, { path, is }: NotStorable, place: Place): void {
  const { at, what, others = [] } = place;
  // Where it is the whole value, its name says no more than `what` does.
  const shown = path === "" ? "it" : place.path + path;
  context.report(say.valueNotStorable({ at, what, path: shown, is, others }));
}

/** As `stored`, for what TypeScript infers for a value that stands alone: a literal's type is widened. */
export function storedValue(context: Context, type: ts.Type, place: Place): TypeModel | undefined {
  const fresh = (type as Partial<ts.FreshableType>).freshType;
  const isFresh = fresh !== undefined && (type as unknown) === fresh && !type.isUnion();
  const single = isFresh ? context.checker.getBaseTypeOfLiteralType(type) : type;
  return stored(context, context.checker.getWidenedType(single), place);
}

// --- methods

/** The types of what a method is given and gives. */
export interface MethodTypes {
  /** A tuple. */
  readonly inputs: TypeModel;
  readonly output: TypeModel;
}

/** `sound` is false if some of it cannot be stored, which was said, of this method or of another. */
export interface ReadTypes {
  readonly types: MethodTypes;
  readonly sound: boolean;
}

/** What the saga of a method takes. */
export function paramsOf({ inputs }: MethodTypes): TypeModel {
  const first = inputs.kind === "tuple" ? inputs.elements[0] : undefined;
  if (first === undefined) return NOTHING;
  return first.is === "optional" ? unionOf([first.type, NOTHING]) : first.type;
}

/** A decorated method, as a class has it. */
export interface MethodOf {
  readonly owner: ts.ClassDeclaration;
  readonly declaration: ts.MethodDeclaration;
  readonly marker: Marker;
  readonly name: string;
  /** What checks its output. */
  readonly schema?: OutputSchema | undefined;
}

/** Types of which was said that they cannot be stored; and their texts, with the file that it was said in. */
export type Reported = Set<ts.Type | string>;

/**
 * Reports the parameters and the output of an action, and the params of a saga, that cannot be
 * stored, unless that was said already.
 */
export function methodTypes(context: Context, method: MethodOf, reported: Reported): ReadTypes {
  const { checker, types } = context;
  const { owner, declaration, marker, name, schema } = method;
  const property = checker.getPropertyOfType(checker.getTypeAtLocation(owner), name);
  const [signature] = property
    ? checker.getTypeOfSymbolAtLocation(property, owner).getCallSignatures()
    : [];
  // In a generic class the types are known only in the classes that extend it.
  if (signature === undefined || (owner.typeParameters?.length ?? 0) > 0) {
    return { types: { inputs: NOTHING, output: NOTHING }, sound: true };
  }
  let sound = true;
  const refuse = (problem: NotStorable, type: ts.Type, at: ts.Node, what: string): undefined => {
    sound = false;
    const text = checker.typeToString(type);
    const here = `${owner.getSourceFile().fileName}#${text}`;
    const path = pathOf(context, type, at);
    // One cause, one error: a type is mended where it is declared, and a saga outputs what an action did.
    if (path === text && reported.has(type)) return;
    if (marker === "saga" && reported.has(here)) return;
    reported.add(type).add(here);
    const others = marker === "action" ? entries(method) : [];
    report(context, problem, {
      at: spanOf(typeNode(at)),
      what: `${what} of \`${name}\``,
      path,
      others,
    });
  };
  const elements: ElementType[] = [];
  for (const parameter of signature.getParameters()) {
    const node = parameter.valueDeclaration;
    if (node === undefined || !ts.isParameter(node)) continue;
    const type = checker.getTypeOfSymbolAtLocation(parameter, owner);
    const rest = node.dotDotDotToken !== undefined;
    const derived = rest ? types.derive(type) : types.parameter(type, isOptional(node));
    const what = marker === "saga" ? "the params" : `the input \`${node.name.getText()}\``;
    if (derived.problem !== undefined) refuse(derived.problem, type, node, what);
    else if (!rest) {
      elements.push({ type: derived.type, is: isOptional(node) ? "optional" : "required" });
    } else if (derived.type.kind === "tuple") elements.push(...derived.type.elements);
    else if (derived.type.kind === "array") elements.push({ type: derived.type.item, is: "rest" });
  }
  const returned = awaited(context, signature.getReturnType());
  const output = schema?.type ?? returned;
  const given = output && types.derive(output);
  if (output !== undefined && given?.problem !== undefined) {
    refuse(given.problem, output, schema?.node ?? declaration, "the output");
  } else if (schema !== undefined && returned !== undefined) {
    sound &&= checkSchema(context, method, schema, returned);
  }
  const read = { inputs: { kind: "tuple" as const, elements }, output: given?.type ?? NOTHING };
  return { types: read, sound };
}

/** Reports a schema that does not give what the saga method reads as what the action returns. */
function checkSchema(
  { checker, report }: Context,
  { name, declaration }: MethodOf,
  { type, node }: OutputSchema,
  returned: ts.Type,
): boolean {
  if (checker.isTypeAssignableTo(type, returned)) return true;
  const flags = ts.TypeFormatFlags.NoTruncation;
  report(
    outputSchemaMismatch({
      at: spanOf(node),
      name,
      given: checker.typeToString(type, undefined, flags),
      returned: checker.typeToString(returned, undefined, flags),
      other: spanOf(declaration.type ?? declaration.name),
    }),
  );
  return false;
}

function isOptional({ questionToken, initializer }: ts.ParameterDeclaration): boolean {
  return questionToken !== undefined || initializer !== undefined;
}

function typeNode(node: ts.Node): ts.Node {
  if (ts.isParameter(node)) return node.type ?? node;
  return ts.isMethodDeclaration(node) ? (node.type ?? node.name) : node;
}

/** How the path to a property begins: with the name of the type, if it has one of the user's. */
function pathOf({ checker, program }: Context, type: ts.Type, at: ts.Node): string {
  const symbol = type.aliasSymbol ?? type.getSymbol();
  const own =
    symbol !== undefined &&
    !symbol.name.startsWith("__") &&
    symbol.declarations?.some((each) =>
      program.isSourceFileDefaultLibrary(each.getSourceFile()),
    ) === false;
  if (own) return checker.typeToString(type);
  const name = ts.isParameter(at) || ts.isMethodDeclaration(at) ? at.name : at;
  return ts.isIdentifier(name) ? name.text : "it";
}

/** Where the values of an action enter the sagas of its class: the first call. */
function entries({ owner, name }: MethodOf): Label[] {
  let found: ts.Node | undefined;
  const visit = (node: ts.Node): void => {
    if (found !== undefined) return;
    const called =
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.expression.kind === ts.SyntaxKind.ThisKeyword &&
      node.expression.name.text === name;
    if (called) found = node;
    else ts.forEachChild(node, visit);
  };
  owner.members.forEach(visit);
  return found === undefined ? [] : [{ span: spanOf(found), text: "enters the saga here" }];
}

// --- lists

/** What is stored of the items of a list; undefined: they cannot be, and that was reported. */
export function storedItem(context: Context, type: ts.Type, place: Place): TypeModel | undefined {
  const item = context.checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  if (item === undefined) return stored(context, type, place);
  return stored(context, item, { ...place, path: `${place.path}[]` });
}

/**
 * What is stored of what a body gives, each time it is gone through: of all expressions that it
 * returns, since a type that is written for them may be wider.
 */
export function storedReturns(
  context: Context,
  body: ts.Node,
  mayEnd: boolean,
  place: Omit<Place, "at">,
): TypeModel | undefined {
  const members: TypeModel[] = [];
  const add = (type: ts.Type, at: ts.Node): boolean => {
    const value = awaited(context, type) ?? type;
    const model = storedValue(context, value, { ...place, at: spanOf(at) });
    if (model !== undefined) members.push(model);
    return model !== undefined;
  };
  const returned = ts.isBlock(body) || !ts.isExpression(body) ? returnsIn(body) : [body];
  for (const node of returned) {
    if (!add(context.checker.getTypeAtLocation(node), node)) return undefined;
  }
  // The end of a body may be come to.
  return unionOf(mayEnd ? [...members, NOTHING] : members);
}

/** The expressions that the statements of a body return, functions in it left out. */
export function returnsIn(body: ts.Node): ts.Expression[] {
  const found: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isReturnStatement(node) && node.expression !== undefined) found.push(node.expression);
    ts.forEachChild(node, visit);
  };
  visit(body);
  return found;
}
