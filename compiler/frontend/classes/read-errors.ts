/**
 * Reads `@action({ errors: […] })`: classes of errors whose own data is recorded and that come back as
 * instances. What may be said of them in a method is in `refusals.ts` and `glue.ts`.
 */
import * as say from "../../diagnostics/catalogue/declared.js";
import * as sayValues from "../../diagnostics/catalogue/values.js";
import type { ErrorModel } from "../../model.js";
import { externalOf } from "../expressions/code.js";
import { resolve, spanOf, untyped, type Context } from "../context.js";
import { stepOf } from "../types/derive.js";
import type { Method } from "../methods/method.js";
import { invalid, property, type Static } from "./options.js";
import ts from "../typescript.cjs";

/** The classes that an action declares; what cannot be declared is reported and left out. */
export function readErrors(context: Context, options: Static | undefined): ErrorModel[] {
  const option = property(options, "errors");
  if (option === undefined) return [];
  if (!Array.isArray(option.value)) {
    invalid(context, option, "errors", "a list of classes that is written out, such as [Declined]");
    return [];
  }
  return (option.value as readonly ts.Expression[]).flatMap(
    (element) => readError(context, element) ?? [],
  );
}

function readError(context: Context, element: ts.Expression): ErrorModel | undefined {
  const { checker } = context;
  const node = untyped(element);
  const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
  const target = symbol && resolve(checker, symbol);
  const declaration = target?.valueDeclaration;
  const key = keyOf(target);
  const refuse = (fault: string, help: string): undefined => {
    // One cause, one error: what the saga does with it is none.
    context.refusedErrors.add(key);
    const name = ts.isIdentifier(node) ? node.text : element.getText();
    context.report(say.errorClass({ at: spanOf(element), name, fault, help }));
    return undefined;
  };
  if (!ts.isIdentifier(node) || symbol === undefined || declaration === undefined) {
    return refuse("is no name of a class", "write the class itself, by its name: `[Declined]`");
  }
  if (!ts.isClassDeclaration(declaration) || !extendsError(checker, declaration)) {
    return refuse("is no class that extends `Error`", "write `class … extends Error`");
  }
  if (declaration.typeParameters !== undefined) {
    const filled = `class … extends ${node.text}<…>`;
    return refuse("has type parameters", `fill them in: \`${filled}\`, and declare that class`);
  }
  const from = symbol.declarations?.[0];
  const external = from && externalOf(checker, node, symbol, from);
  if (external === undefined) {
    return refuse("is not exported", `write \`export class ${node.text}\``);
  }
  const hidden = hiddenField(checker, declaration);
  if (hidden !== undefined) {
    const help = hidden.startsWith("#")
      ? `name it \`${hidden.slice(1)}\`, without #, or leave it out`
      : "declare it without `accessor`, or leave it out";
    return refuse(`has the field \`${hidden}\`, which nothing outside of it can bring back`, help);
  }
  const fields = dataOf(context, declaration);
  const data = context.types.fields(fields);
  if (data.problem !== undefined) {
    const { path, is } = data.problem;
    const [at] = fields.flatMap(({ name, valueDeclaration }) => {
      const step = stepOf(name);
      const follows = path.startsWith(step) && /^(?:$|[.[])/.test(path.slice(step.length));
      return follows && valueDeclaration !== undefined ? [valueDeclaration] : [];
    });
    context.refusedErrors.add(key);
    context.report(
      sayValues.valueNotStorable({
        at: spanOf(at ?? element),
        what: `the error \`${node.text}\``,
        path: node.text + path,
        is,
        others: [{ span: spanOf(element), text: "enters the saga here" }],
      }),
    );
    return undefined;
  }
  const name = target?.name ?? node.text;
  return { name, key, external, data: data.type, span: spanOf(element) };
}

function keyOf(target: ts.Symbol | undefined): string {
  return `${target?.valueDeclaration?.getSourceFile().fileName}#${target?.name}`;
}

/** Texts of every error, which are recorded as such. */
const RECORDED: ReadonlySet<string> = new Set(["name", "message", "stack"]);

/** The properties of a class that are its own data: what the language's errors have is recorded anyway. */
function dataOf({ checker, program }: Context, declaration: ts.ClassDeclaration): ts.Symbol[] {
  const error = checker.resolveName("Error", undefined, ts.SymbolFlags.Interface, false);
  const isError = (type: ts.Type): boolean =>
    error !== undefined &&
    checker.isTypeAssignableTo(
      checker.getNonNullableType(type),
      checker.getDeclaredTypeOfSymbol(error),
    );
  return checker.getPropertiesOfType(checker.getTypeAtLocation(declaration)).filter((each) => {
    if (!(each.flags & ts.SymbolFlags.Property) || RECORDED.has(each.name)) return false;
    const own = each.declarations?.some(
      (declared) =>
        !program.isSourceFileDefaultLibrary(declared.getSourceFile()) &&
        !(ts.isInterfaceDeclaration(declared.parent) && declared.parent.name.text === "Error"),
    );
    // A cause that is an error is recorded as one.
    return own === true && !(each.name === "cause" && isError(checker.getTypeOfSymbol(each)));
  });
}

function extendsError(checker: ts.TypeChecker, declaration: ts.ClassDeclaration): boolean {
  const open = [checker.getTypeAtLocation(declaration)];
  for (let type = open.pop(); type !== undefined; type = open.pop()) {
    if (type.getSymbol()?.name === "Error") return true;
    open.push(...basesOf(checker, type));
  }
  return false;
}

/** What a class extends, also one whose type parameters are filled in. */
function basesOf(checker: ts.TypeChecker, type: ts.Type): ts.Type[] {
  const { target = type } = type as Partial<ts.TypeReference>;
  return target.isClassOrInterface() ? checker.getBaseTypes(target) : [];
}

/** A `#field` of a class or one that it extends; `accessor field` is kept in one. */
function hiddenField(
  checker: ts.TypeChecker,
  declaration: ts.ClassDeclaration,
): string | undefined {
  const open: ts.Type[] = [checker.getTypeAtLocation(declaration)];
  for (let type = open.pop(); type !== undefined; type = open.pop()) {
    const declared = type.getSymbol()?.valueDeclaration;
    const members =
      declared !== undefined && ts.isClassDeclaration(declared) ? declared.members : [];
    for (const member of members) {
      const { name } = member;
      if (name !== undefined && ts.isPrivateIdentifier(name)) return name.text;
      const isStatic = ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static;
      if (ts.isAutoAccessorPropertyDeclaration(member) && !isStatic)
        return `accessor ${member.name.getText()}`;
    }
    open.push(...basesOf(checker, type));
  }
  return undefined;
}

/** The errors that what a method has called so far declares, by class; reports two of one name. */
export function declaredErrors(method: Method): ErrorModel[] {
  const found = new Map<string, ErrorModel>();
  for (const { content } of method.drafts) {
    const errors =
      content.kind === "action"
        ? content.action.errors
        : content.kind === "subsaga"
          ? content.saga.errors
          : [];
    for (const error of errors) if (!found.has(error.key)) found.set(error.key, error);
  }
  return [...found.values()];
}

/** Reports classes of one name: the saga log tells them apart by that. */
export function checkErrorNames({ context }: Method, errors: readonly ErrorModel[]): void {
  const names = new Set<string>();
  for (const { name, span } of errors) {
    if (names.has(name)) {
      const fault = "has the name of another class that the saga's actions declare";
      context.report(say.errorClass({ at: span, name, fault, help: "rename one of the two" }));
    }
    names.add(name);
  }
}

/** Whether a name stands for a class of errors that something the method has called declares. */
export function isDeclaredError(method: Method, node: ts.Expression): boolean {
  if (!ts.isIdentifier(node)) return false;
  const { checker } = method;
  const symbol = checker.getSymbolAtLocation(node);
  const target = symbol && resolve(checker, symbol);
  const key = keyOf(target);
  return (
    declaredErrors(method).some((error) => error.key === key) ||
    method.context.refusedErrors.has(key)
  );
}
