/** Checks by types that an undo can be given what its action outputs and was given. */
import * as say from "../../diagnostics/catalogue/class.js";
import { spanOf, type Context } from "../context.js";
import { awaited, every } from "../types/types.js";
import ts from "../typescript.cjs";

export interface UndoPair {
  readonly action: ts.MethodDeclaration;
  readonly undo: ts.MethodDeclaration;
  /** Their types as members of the class that is compiled, with its type arguments filled in. */
  readonly actionSignature: ts.Signature;
  readonly undoSignature: ts.Signature;
  readonly started: boolean;
}

interface Given {
  readonly type: ts.Type;
  /** Where it is declared. */
  readonly from: ts.Node;
  readonly input: string | undefined;
}

/** Reports the first parameter that does not fit. */
export function checkUndo(context: Context, pair: UndoPair): boolean {
  const given = givenTo(context, pair);
  const parameters = pair.undoSignature.getParameters();
  for (const [index, parameter] of parameters.entries()) {
    const declaration = pair.undo.parameters[index];
    if (declaration === undefined) continue;
    const wanted = context.checker.getTypeOfSymbolAtLocation(parameter, pair.undo);
    if (declaration.dotDotDotToken !== undefined) return true;
    const value = given[index];
    if (value === undefined) {
      if (declaration.questionToken ?? declaration.initializer) continue;
      reportExtra(context, pair, declaration);
      return false;
    }
    if (pair.started && index === 0 && !acceptsUndefined(context, wanted)) {
      reportStarted(context, pair, declaration, wanted);
      return false;
    }
    if (!context.checker.isTypeAssignableTo(value.type, wanted)) {
      reportMismatch(context, pair, declaration, wanted, value);
      return false;
    }
  }
  return true;
}

function givenTo(context: Context, { action, actionSignature }: UndoPair): Given[] {
  const output = awaited(context, actionSignature.getReturnType());
  const inputs = actionSignature.getParameters().flatMap((parameter, index): Given[] => {
    const from = action.parameters[index];
    if (from === undefined || from.dotDotDotToken !== undefined) return [];
    const type = context.checker.getTypeOfSymbolAtLocation(parameter, action);
    return [{ type, from, input: parameter.name }];
  });
  return output === undefined
    ? inputs
    : [{ type: output, from: action.type ?? action.name, input: undefined }, ...inputs];
}

function acceptsUndefined(context: Context, type: ts.Type): boolean {
  return !every(
    type,
    (member) =>
      (member.flags &
        (ts.TypeFlags.Undefined | ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Void)) ===
      0,
  );
}

function nameOf(node: ts.NamedDeclaration): string {
  return node.name?.getText() ?? "it";
}

function article(type: string): string {
  return `${/^[AEIOU]/.test(type) ? "an" : "a"} \`${type}\``;
}

function reportExtra(context: Context, pair: UndoPair, parameter: ts.ParameterDeclaration): void {
  const undo = nameOf(pair.undo);
  const action = nameOf(pair.action);
  context.report(
    say.undoInputMismatch({
      at: spanOf(parameter),
      message: `undo \`${undo}\` takes more than \`${action}\` outputs and was given`,
      label: "nothing is given here",
      other: { span: spanOf(pair.action.name), text: `what \`${undo}\` undoes` },
      notes: [],
      help: `remove \`${nameOf(parameter)}\`, or make it optional`,
    }),
  );
}

function reportStarted(
  context: Context,
  pair: UndoPair,
  parameter: ts.ParameterDeclaration,
  wanted: ts.Type,
): void {
  const undo = nameOf(pair.undo);
  const action = nameOf(pair.action);
  const type = context.checker.typeToString(wanted, parameter);
  context.report(
    say.undoInputMismatch({
      at: spanOf(parameter.type ?? parameter),
      message: `undo \`${undo}\` with when: "started" must accept undefined in place of the output of \`${action}\``,
      label: "must accept undefined",
      other: {
        span: spanOf(pair.action.type ?? pair.action.name),
        text: "missing if it failed half-way",
      },
      notes: [],
      help: `take \`${nameOf(parameter)}: ${type} | undefined\``,
    }),
  );
}

function reportMismatch(
  context: Context,
  pair: UndoPair,
  parameter: ts.ParameterDeclaration,
  wanted: ts.Type,
  given: Given,
): void {
  const { checker } = context;
  const undo = nameOf(pair.undo);
  const action = nameOf(pair.action);
  const takes = checker.typeToString(wanted, parameter);
  const gets = checker.typeToString(given.type, given.from);
  const name = nameOf(parameter);
  const what =
    given.input === undefined
      ? `but \`${action}\` outputs ${article(gets)}`
      : `but the input \`${given.input}\` of \`${action}\` is ${article(gets)}`;
  context.report(
    say.undoInputMismatch({
      at: spanOf(parameter.type ?? parameter),
      message: `undo \`${undo}\` takes ${article(takes)}, ${what}`,
      label: `must accept ${article(gets)}`,
      other: { span: spanOf(given.from), text: `what \`${undo}\` will be given` },
      notes: differences(context, given.type, wanted, parameter),
      help:
        given.input === undefined
          ? `take \`${name}: ${gets}\` in \`${undo}\`, or output ${article(takes)} from \`${action}\``
          : `take \`${name}: ${gets}\` in \`${undo}\``,
    }),
  );
}

/** Which properties make one type unfit for another. */
function differences(context: Context, given: ts.Type, wanted: ts.Type, at: ts.Node): string[] {
  const { checker } = context;
  if (!(wanted.flags & ts.TypeFlags.Object) || !(given.flags & ts.TypeFlags.Object)) return [];
  const [takes, gets] = [checker.typeToString(wanted, at), checker.typeToString(given, at)];
  return checker.getPropertiesOfType(wanted).flatMap((property) => {
    const type = checker.getTypeOfSymbolAtLocation(property, at);
    const shown = `\`${property.name}: ${checker.typeToString(type, at)}\``;
    const has = checker.getPropertyOfType(given, property.name);
    if (has === undefined) {
      return property.flags & ts.SymbolFlags.Optional
        ? []
        : [`\`${takes}\` requires ${shown}, which \`${gets}\` does not have`];
    }
    const hasType = checker.getTypeOfSymbolAtLocation(has, at);
    return checker.isTypeAssignableTo(hasType, type)
      ? []
      : [
          `\`${takes}\` requires ${shown}, which in \`${gets}\` is \`${checker.typeToString(hasType, at)}\``,
        ];
  });
}
