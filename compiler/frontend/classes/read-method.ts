/** Checks the declaration of one decorated method: its shape. Of its values see `stored.ts`. */
import * as say from "../../diagnostics/catalogue/class.js";
import type { Edit } from "../../diagnostics/diagnostic.js";
import { spanOf, type Context, type Marker } from "../context.js";
import { awaited, isAny, isPromise, isVoid } from "../types/types.js";
import ts from "../typescript.cjs";

/** The name of a member as the class has it: without quotes. */
export function nameText(name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteralLike(name) || ts.isPrivateIdentifier(name)
    ? name.text
    : name.getText();
}

/** Whether a decorated member is a method that the runtime can call; reports what is in the way. */
export function checkMethod(
  context: Context,
  member: ts.ClassElement,
  marker: Marker,
  name: string,
): member is ts.MethodDeclaration {
  const at = spanOf(member.name ?? member);
  const fault = faultOf(context, member, name);
  if (fault !== undefined) {
    const { is, help, fix } = fault;
    context.report(say.memberShape({ at, name, marker, fault: is, help, fix }));
    return false;
  }
  if (!ts.isMethodDeclaration(member)) return false;
  const signature = context.checker.getSignatureFromDeclaration(member);
  const returned = signature?.getReturnType();
  if (returned === undefined || isAny(returned) || !isPromise(context, returned)) {
    const type = returned === undefined ? "nothing" : context.checker.typeToString(returned);
    context.report(say.notAsync({ at, name, marker, type, fix: makeAsync(member) }));
    return false;
  }
  const output = awaited(context, returned);
  if (marker === "undo" && output !== undefined && !isVoid(output)) {
    const where = member.type ?? member.name;
    const type = context.checker.typeToString(returned);
    context.report(say.undoOutput({ at: spanOf(where), name, type }));
  }
  const rest = member.parameters.some((parameter) => parameter.dotDotDotToken !== undefined);
  if (marker === "saga" && (member.parameters.length > 1 || rest)) {
    const second = member.parameters[1] ?? member.parameters[0] ?? member;
    const count = member.parameters.length;
    context.report(say.sagaParameters({ at: spanOf(second), name, count }));
    return false;
  }
  return true;
}

interface Fault {
  readonly is: string;
  readonly help: string;
  readonly fix?: readonly Edit[];
}

/** `async`, and the type as that of a promise. */
function makeAsync(member: ts.MethodDeclaration): Edit[] {
  const insert = (node: ts.Node, end: boolean, text: string): Edit => {
    const { file, start, end: last } = spanOf(node);
    const at = end ? last : start;
    return { span: { file, start: at, end: at }, text };
  };
  const isAsync = ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Async;
  const type = member.type;
  return [
    ...(isAsync ? [] : [insert(member.name, false, "async ")]),
    ...(type ? [insert(type, false, "Promise<"), insert(type, true, ">")] : []),
  ];
}

/** Without the modifier, and the space after it. */
function withoutModifier(member: ts.MethodDeclaration): Edit[] {
  const found = member.modifiers?.find(
    ({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword,
  );
  if (found === undefined) return [];
  const { file, start, end } = spanOf(found);
  const after = /^\s*/.exec(member.getSourceFile().text.slice(end))?.[0].length ?? 0;
  return [{ span: { file, start, end: end + after }, text: "" }];
}

function faultOf(context: Context, member: ts.ClassElement, name: string): Fault | undefined {
  const flags = ts.getCombinedModifierFlags(member);
  if (!ts.isMethodDeclaration(member)) {
    return { is: "no method", help: `write it as a method: \`async ${name}() { … }\`` };
  }
  if (ts.isPrivateIdentifier(member.name)) {
    return { is: "private", help: `name it \`${name.slice(1)}\`, without #` };
  }
  if (ts.isComputedPropertyName(member.name) || ts.isNumericLiteral(member.name)) {
    return { is: "named by an expression", help: "give it a name that is an identifier" };
  }
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) {
    return { is: "named by text that is no identifier", help: "give it a name that is one" };
  }
  if (flags & ts.ModifierFlags.Static) {
    return { is: "static", help: "remove `static`: actions belong to an object of the class" };
  }
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) {
    const word = flags & ts.ModifierFlags.Private ? "private" : "protected";
    const help = `remove \`${word}\`: the runtime calls it from outside`;
    return { is: word, help, fix: withoutModifier(member) };
  }
  if (member.asteriskToken !== undefined) {
    return { is: "a generator", help: "write a method that returns a Promise" };
  }
  if ((member.typeParameters?.length ?? 0) > 0) {
    return { is: "generic", help: "write the types out: what is stored must be known" };
  }
  const symbol = context.checker.getSymbolAtLocation(member.name);
  const declared = symbol?.declarations?.filter(ts.isMethodDeclaration) ?? [];
  if (declared.length > 1) {
    return { is: "overloaded", help: "keep one signature" };
  }
  if (member.body === undefined && !(flags & ts.ModifierFlags.Abstract)) {
    return { is: "declared without a body", help: "use the class from its source" };
  }
  return undefined;
}
