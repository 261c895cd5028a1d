/**
 * Reads `@action({ output: schema })`: a schema of the user's own for what an action outputs, any that
 * has `~standard`. Its type takes precedence over the method's; how types are stored is in `derive.ts`.
 */
import * as say from "../../diagnostics/catalogue/declared.js";
import * as sayGlue from "../../diagnostics/catalogue/glue.js";
import type { OutputSchemaModel } from "../../model.js";
import { exportIt, externalOf } from "../expressions/code.js";
import { bare, shown, spanOf, type Context } from "../context.js";
import { property, type Static } from "./options.js";
import ts from "../typescript.cjs";

/** A schema that an action names, and the type of what it gives. */
export interface OutputSchema {
  readonly model: OutputSchemaModel;
  readonly type: ts.Type;
  readonly node: ts.Expression;
}

/** Undefined: the action has none, or one that cannot be used, which was reported. */
export function readOutput(
  context: Context,
  options: Static | undefined,
): OutputSchema | undefined {
  const option = property(options, "output");
  if (option === undefined) return undefined;
  const { node } = option;
  const type = givenBy(context, node);
  if (type === undefined) {
    context.report(
      say.outputSchema({
        at: spanOf(node),
        text: shown(node),
        fault: "is no Standard Schema: it has no `~standard` with the type of what it gives",
        help: "give a schema of zod, valibot, arktype or another library that has `~standard`; or leave `output` out: the type of the method is checked anyway",
      }),
    );
    return undefined;
  }
  const model = referenceTo(context, node);
  return model && { model, type, node };
}

/** What the schemas of a type give: the type of `schema["~standard"].types.output`. */
function givenBy({ checker }: Context, node: ts.Expression): ts.Type | undefined {
  let type: ts.Type | undefined = checker.getTypeAtLocation(node);
  for (const step of ["~standard", "types", "output"]) {
    const symbol: ts.Symbol | undefined = checker.getPropertyOfType(
      checker.getNonNullableType(type),
      step,
    );
    if (symbol === undefined) return undefined;
    type = checker.getTypeOfSymbolAtLocation(symbol, node);
  }
  return type;
}

/** How the generated module gets at a schema: a name, or a property of one. */
function referenceTo(context: Context, written: ts.Expression): OutputSchemaModel | undefined {
  const { checker } = context;
  const path: string[] = [];
  let node = bare(written);
  while (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.name)) {
    path.unshift(node.name.text);
    node = bare(node.expression);
  }
  const own =
    ts.isIdentifier(node) && ts.isShorthandPropertyAssignment(node.parent)
      ? checker.getShorthandAssignmentValueSymbol(node.parent)
      : checker.getSymbolAtLocation(node);
  const declared = own?.declarations?.[0];
  if (!ts.isIdentifier(node) || own === undefined || declared === undefined) {
    context.report(
      say.outputSchema({
        at: spanOf(written),
        text: shown(written),
        fault: "is written in place, so that the generated module cannot import it",
        help: "give it a name, `export const … = …`, and write that name here",
      }),
    );
    return undefined;
  }
  const external = externalOf(checker, node, own, declared);
  if (external !== undefined) return { external, path };
  const facts = { at: spanOf(node), name: node.text, other: spanOf(declared) };
  context.report(sayGlue.notExported({ ...facts, fix: exportIt(declared) }));
  return undefined;
}
