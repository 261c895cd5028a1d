/**
 * What a class itself must be for its sagas to be compiled: declared at the top of a module, named,
 * exported; and whether it can be made without arguments. Its members are read in `read-class.ts`.
 */
import * as say from "../../diagnostics/catalogue/class.js";
import type { Edit } from "../../diagnostics/diagnostic.js";
import { spanOf, type Context } from "../context.js";
import ts from "../typescript.cjs";

export function isAbstract(declaration: ts.ClassDeclaration): boolean {
  return (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Abstract) !== 0;
}

/** Whether `new Class()` is allowed. */
export function isConstructible(context: Context, declaration: ts.ClassDeclaration): boolean {
  const symbol = context.checker.getTypeAtLocation(declaration).symbol;
  const constructor = context.checker.getTypeOfSymbolAtLocation(symbol, declaration);
  return (
    !isAbstract(declaration) &&
    constructor.getConstructSignatures().some((signature) => {
      const made = signature.declaration;
      const open =
        made === undefined ||
        (ts.getCombinedModifierFlags(made as ts.Declaration) &
          (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) ===
          0;
      return open && signature.getParameters().every((parameter) => isOptional(parameter));
    })
  );
}

function isOptional(parameter: ts.Symbol): boolean {
  const declaration = parameter.valueDeclaration;
  return (
    declaration !== undefined &&
    ts.isParameter(declaration) &&
    (declaration.questionToken ?? declaration.initializer ?? declaration.dotDotDotToken) !==
      undefined
  );
}

/** Under which name the module exports the class; undefined: it cannot be used, and that is reported. */
export function checkClass(context: Context, declaration: ts.ClassDeclaration): string | undefined {
  const name = declaration.name?.text;
  const refuse = (fault: string, help: string, fix?: readonly Edit[]): undefined => {
    const at = spanOf(declaration.name ?? declaration.getFirstToken() ?? declaration);
    context.report(say.classShape({ at, name: name ?? "without a name", fault, help, fix }));
    return undefined;
  };
  if (!ts.isSourceFile(declaration.parent)) {
    return refuse("is declared inside something else", "move it to the top level of its module");
  }
  if (name === undefined) return refuse("has no name", "give it one: `export default class Rooms`");
  if ((declaration.typeParameters?.length ?? 0) > 0 && !isAbstract(declaration)) {
    return refuse(
      "has type parameters",
      "make it abstract and extend it once for each type, or write the types out",
    );
  }
  const module = context.checker.getSymbolAtLocation(declaration.getSourceFile());
  const own = context.checker.getTypeAtLocation(declaration).symbol;
  const exported = module === undefined ? [] : context.checker.getExportsOfModule(module);
  const names = exported
    .filter((symbol) => {
      const target =
        symbol.flags & ts.SymbolFlags.Alias ? context.checker.getAliasedSymbol(symbol) : symbol;
      return target === own || target.valueDeclaration === declaration;
    })
    .map((symbol) => symbol.name);
  const found = names.includes(name) ? name : names[0];
  if (found !== undefined) return found;
  const { file, start } = spanOf(declaration);
  const fix = [{ span: { file, start, end: start }, text: "export " }];
  return refuse("is not exported", `write \`export class ${name}\``, fix);
}
