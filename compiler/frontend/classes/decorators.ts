/**
 * Recognises steno's decorators by what the checker says their names stand for, never by spelling.
 * What they mean for a class is in `read-class.ts`.
 */
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { resolve, type Context, type Marker } from "../context.js";
import ts from "../typescript.cjs";

/** A decorator of steno on some declaration. */
export interface Decoration {
  readonly marker: Marker;
  readonly decorator: ts.Decorator;
  /** The arguments, if it is called. */
  readonly args: readonly ts.Expression[] | undefined;
  /** It stands for one of ours, but through a variable or an expression. */
  readonly indirect: boolean;
}

const NAMES: ReadonlySet<string> = new Set<Marker>(["action", "undo", "saga"]);

/** Steno's decorators on a declaration, in order. */
export function decorationsOf(context: Context, node: ts.Node): Decoration[] {
  if (!ts.canHaveDecorators(node)) return [];
  return (ts.getDecorators(node) ?? []).flatMap((decorator): Decoration[] => {
    const called = ts.isCallExpression(decorator.expression) ? decorator.expression : undefined;
    const name = called?.expression ?? decorator.expression;
    const symbol = context.checker.getSymbolAtLocation(name);
    const direct = symbol && markerOf(context, resolve(context.checker, symbol));
    if (direct !== undefined) {
      return [{ marker: direct, decorator, args: called?.arguments, indirect: false }];
    }
    const hidden = markerOfType(context, name) ?? markerOfType(context, decorator.expression);
    return hidden === undefined
      ? []
      : [{ marker: hidden, decorator, args: undefined, indirect: true }];
  });
}

function markerOf(context: Context, symbol: ts.Symbol): Marker | undefined {
  if (!NAMES.has(symbol.name)) return undefined;
  if (!context.markers.has(symbol)) {
    const file = symbol.declarations?.[0]?.getSourceFile().fileName;
    const ours = file !== undefined && declaresDecorators(file);
    context.markers.set(symbol, ours ? (symbol.name as Marker) : undefined);
  }
  return context.markers.get(symbol);
}

/** Whether the type of an expression is the type of one of our decorators, or what one returns. */
function markerOfType(context: Context, node: ts.Expression): Marker | undefined {
  const symbol = context.checker.getTypeAtLocation(node).getSymbol();
  const file = symbol?.declarations?.[0]?.getSourceFile().fileName;
  if (symbol === undefined || file === undefined || !declaresDecorators(file)) return undefined;
  const name = symbol.name.replace(/^Plain_|_$/g, "");
  return NAMES.has(name) ? (name as Marker) : undefined;
}

/** Whether a file is the one of steno-runtime that declares the decorators (source or d.ts). */
export function declaresDecorators(file: string): boolean {
  return /[\\/]dsl\.(d\.)?ts$/.test(file) && isOfRuntime(file);
}

/** Whether a file is one of steno-runtime's that declares what a saga method calls. */
export function declaresHelpers(file: string): boolean {
  return /[\\/](dsl|each)\.(d\.)?ts$/.test(file) && isOfRuntime(file);
}

function isOfRuntime(file: string): boolean {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (existsSync(manifest)) {
      return /"name"\s*:\s*"steno-runtime"/.test(readFileSync(manifest, "utf8"));
    }
    if (folder === path.dirname(folder)) return false;
  }
}
