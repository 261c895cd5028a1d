/**
 * Reads the options in decorators: literals and constants, with ranges checked. What is not static
 * or not possible gets a diagnostic, and counts as left out.
 */
import ms from "ms";
import { DEFAULT_RETRY_PAUSES, DEFAULT_UNDO_RETRY, type RetryPolicy } from "steno-runtime/manifest";
import * as say from "../../diagnostics/catalogue/class.js";
import { nearest } from "../../diagnostics/nearest.js";
import { resolve, shown, spanOf, untyped, type Context, type Marker } from "../context.js";
import ts from "../typescript.cjs";

/** A static value, with the expression that it was read from. */
export interface Static {
  readonly value:
    | string
    | number
    | boolean
    | undefined
    | ReadonlyMap<string, Static>
    /** A list: what is in it is for whoever knows what it should be. */
    | readonly ts.Expression[]
    /** The schema of an output: it is not evaluated. */
    | typeof SCHEMA;
  readonly node: ts.Expression;
}

/** What stands for a schema, of which only its name and its type are read, and for what is no list. */
const SCHEMA = Symbol("schema");
const isSchema = (name: ts.PropertyName): boolean =>
  ts.isIdentifier(name) && name.text === "output";

/** How the object itself is called; what is in it is called by its path. */
export const ALL = "the options";

/** `setTimeout` cannot wait longer, and no attempt should. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Reads a literal, an object of such, or a constant that is one. */
export function readStatic(
  context: Context,
  what: string,
  node: ts.Expression,
): Static | undefined {
  const value = evaluate(context, what, node, new Set());
  return value === REFUSED ? undefined : { value, node };
}

const REFUSED = Symbol("reported");

function evaluate(
  context: Context,
  what: string,
  written: ts.Expression,
  seen: Set<ts.Symbol>,
): Static["value"] | typeof REFUSED {
  const node = untyped(written);
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text.replaceAll("_", ""));
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken) {
    const operand = evaluate(context, what, node.operand, seen);
    if (typeof operand === "number") return -operand;
  }
  if (ts.isObjectLiteralExpression(node)) return evaluateObject(context, what, node, seen);
  if (ts.isArrayLiteralExpression(node)) return [...node.elements];
  if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) {
    const found = evaluateName(context, what, node, seen);
    if (found !== REFUSED) return found;
    if (ts.isIdentifier(node) && node.text === "undefined") return undefined;
    if (ts.isIdentifier(node) && node.text === "Infinity") return Infinity;
  }
  context.report(say.optionNotStatic({ at: spanOf(written), what, text: shown(written) }));
  return REFUSED;
}

function evaluateObject(
  context: Context,
  what: string,
  node: ts.ObjectLiteralExpression,
  seen: Set<ts.Symbol>,
): Static["value"] | typeof REFUSED {
  const found = new Map<string, Static>();
  for (const property of node.properties) {
    const name = property.name;
    const path = what === ALL ? "" : `${what}.`;
    const inside = name === undefined ? what : `${path}${name.getText()}`;
    if (
      (ts.isPropertyAssignment(property) || ts.isShorthandPropertyAssignment(property)) &&
      isSchema(property.name)
    ) {
      const node = ts.isPropertyAssignment(property) ? property.initializer : property.name;
      found.set("output", { value: SCHEMA, node });
    } else if (ts.isSpreadAssignment(property)) {
      const spread = evaluate(context, what, property.expression, seen);
      if (!(spread instanceof Map)) return REFUSED;
      for (const [key, value] of spread) found.set(key, value as Static);
    } else if (
      ts.isPropertyAssignment(property) &&
      (ts.isIdentifier(property.name) || ts.isStringLiteral(property.name))
    ) {
      // Whoever reads it says what it should be, in words of its own.
      const own = property.name.text === "errors";
      const quiet = own ? { ...context, report: () => undefined } : context;
      const read = evaluate(quiet, inside, property.initializer, seen);
      if (read === REFUSED && !own) return REFUSED;
      const value = read === REFUSED ? SCHEMA : read;
      found.set(property.name.text, { value, node: property.initializer });
    } else if (ts.isShorthandPropertyAssignment(property)) {
      const symbol = context.checker.getShorthandAssignmentValueSymbol(property);
      const value = symbol && evaluateSymbol(context, inside, symbol, seen);
      if (value === undefined || value === REFUSED) {
        context.report(
          say.optionNotStatic({ at: spanOf(property), what: inside, text: shown(property) }),
        );
        return REFUSED;
      }
      found.set(property.name.text, { value, node: property.name });
    } else {
      context.report(
        say.optionNotStatic({ at: spanOf(property), what: inside, text: shown(property) }),
      );
      return REFUSED;
    }
  }
  return found;
}

function evaluateName(
  context: Context,
  what: string,
  node: ts.Identifier | ts.PropertyAccessExpression,
  seen: Set<ts.Symbol>,
): Static["value"] | typeof REFUSED {
  const type = context.checker.getTypeAtLocation(node);
  if (type.flags & ts.TypeFlags.EnumLiteral && type.isLiteral()) {
    return type.value as string | number;
  }
  if (ts.isPropertyAccessExpression(node)) {
    const object = untyped(node.expression);
    if (!ts.isIdentifier(object) && !ts.isPropertyAccessExpression(object)) return REFUSED;
    const value = evaluateName(context, what, object, seen);
    if (!(value instanceof Map)) return evaluateImported(context, what, node, seen);
    return (value.get(node.name.text) as Static | undefined)?.value ?? REFUSED;
  }
  return evaluateImported(context, what, node, seen);
}

function evaluateImported(
  context: Context,
  what: string,
  node: ts.Expression,
  seen: Set<ts.Symbol>,
): Static["value"] | typeof REFUSED {
  const symbol = context.checker.getSymbolAtLocation(node);
  return symbol === undefined ? REFUSED : evaluateSymbol(context, what, symbol, seen);
}

function evaluateSymbol(
  context: Context,
  what: string,
  symbol: ts.Symbol,
  seen: Set<ts.Symbol>,
): Static["value"] | typeof REFUSED {
  const target = resolve(context.checker, symbol);
  const declaration = target.valueDeclaration;
  if (
    seen.has(target) ||
    declaration === undefined ||
    !ts.isVariableDeclaration(declaration) ||
    !(ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) ||
    declaration.initializer === undefined
  ) {
    return REFUSED;
  }
  const quiet: Context = { ...context, report: () => undefined };
  return evaluate(quiet, what, declaration.initializer, new Set([...seen, target]));
}

// --- what the values mean

const RETRY = ["attempts", "delay", "factor", "maxDelay", "jitter"];
const KEYS = {
  action: ["undo", "retry", "timeout", "errors", "output", "pivot", "onFailure"],
  undo: ["when", "retry", "timeout"],
  saga: ["name"],
} as const satisfies Record<Marker, readonly string[]>;

/** Reports options of another kind than the decorator has; false: they cannot be used. */
export function checkOptions(context: Context, marker: Marker, options: Static): boolean {
  const retry = property(options, "retry");
  const one = (name: string, value: string | true): boolean => {
    const found = property(options, name);
    if (found === undefined || found.value === value) return true;
    return invalid(context, found, name, JSON.stringify(value));
  };
  return (
    checkKeys(context, options, "the decorator's argument", KEYS[marker]) &&
    one("undo", "none") &&
    one("when", "started") &&
    one("pivot", true) &&
    one("onFailure", "pause") &&
    (retry === undefined ||
      (checkKeys(context, retry, "retry", RETRY) &&
        (property(retry, "attempts") !== undefined ||
          invalid(context, retry, "retry", "an object with the number of attempts"))))
  );
}

function checkKeys(
  context: Context,
  options: Static,
  what: string,
  keys: readonly string[],
): boolean {
  const known = keys.map((key) => `\`${key}\``).join(", ");
  if (!(options.value instanceof Map)) {
    return invalid(context, options, what, `an object with ${known}`);
  }
  const given = options.value as ReadonlyMap<string, Static>;
  const wrong = [...given].find(([key]) => !keys.includes(key));
  if (wrong === undefined) return true;
  const [key, { node }] = wrong;
  const near = nearest(key, keys);
  const at = spanOf(ts.isPropertyAssignment(node.parent) ? node.parent.name : node);
  const isKey = ts.isPropertyAssignment(node.parent);
  context.report(
    say.optionInvalid({
      at,
      what: `\`${key}\``,
      must: undefined,
      help: near === undefined ? `there are ${known}` : `write \`${near}\``,
      fix: near === undefined || !isKey ? undefined : [{ span: at, text: near }],
    }),
  );
  return false;
}

/** Reports a value that an option cannot have. */
export function invalid(context: Context, option: Static, what: string, must: string): false {
  context.report(say.optionInvalid({ at: spanOf(option.node), what, must }));
  return false;
}

/** A property of an options object, if it is there. */
export function property(options: Static | undefined, name: string): Static | undefined {
  const found =
    options?.value instanceof Map ? (options.value as ReadonlyMap<string, Static>) : undefined;
  const value = found?.get(name);
  return value?.value === undefined ? undefined : value;
}

/** A length of time in milliseconds. */
export function readDuration(
  context: Context,
  what: string,
  option: Static | undefined,
  least: number,
): number | undefined {
  if (option === undefined) return undefined;
  const value = typeof option.value === "string" ? parse(option.value) : option.value;
  if (typeof value === "number" && value >= least && value <= MAX_TIMEOUT_MS)
    return Math.round(value);
  const must = `a length of time from ${least} ms to 24 days`;
  const help = 'write it as "500ms", "30s" or "5 minutes", or as a number of milliseconds';
  context.report(say.optionInvalid({ at: spanOf(option.node), what, must, help }));
  return undefined;
}

/** A length of time that is written as a literal, in milliseconds. */
export function milliseconds(node: ts.Expression): number | undefined {
  const literal = untyped(node);
  if (ts.isNumericLiteral(literal)) return Number(literal.text);
  return ts.isStringLiteralLike(literal) ? parse(literal.text) : undefined;
}

function parse(text: string): number | undefined {
  // ms() takes text without a unit for milliseconds, and throws on empty text: neither is a duration here.
  if (!/^\d*\.?\d+ ?[a-z]+$/i.test(text)) return undefined;
  return ms(text as ms.StringValue);
}

/** `retry: { … }` with the defaults that hold for an action, or for an undo. */
export function readRetry(
  context: Context,
  options: Static | undefined,
  of: "action" | "undo",
): RetryPolicy | undefined {
  const retry = property(options, "retry");
  if (retry === undefined) return undefined;
  const defaults = of === "undo" ? DEFAULT_UNDO_RETRY : DEFAULT_RETRY_PAUSES;
  const given = property(retry, "attempts");
  const isForever = given?.value === "forever" || given?.value === Infinity;
  const attempts = isForever
    ? "forever"
    : readNumber(context, "retry.attempts", given, {
        test: (value) => Number.isInteger(value) && value >= 1,
        must: 'a whole number from 1, or "forever"',
      });
  const factor = readNumber(context, "retry.factor", property(retry, "factor"), {
    test: (value) => value >= 1 && Number.isFinite(value),
    must: "a number from 1",
  });
  const jitter = property(retry, "jitter");
  if (attempts === undefined) return undefined;
  if (jitter !== undefined && typeof jitter.value !== "boolean") {
    invalid(context, jitter, "retry.jitter", "true or false");
  }
  return {
    attempts,
    delayMs: readDuration(context, "retry.delay", property(retry, "delay"), 0) ?? defaults.delayMs,
    factor: factor ?? defaults.factor,
    maxDelayMs:
      readDuration(context, "retry.maxDelay", property(retry, "maxDelay"), 0) ??
      defaults.maxDelayMs,
    jitter: typeof jitter?.value === "boolean" ? jitter.value : defaults.jitter,
  };
}

function readNumber(
  context: Context,
  what: string,
  option: Static | undefined,
  range: { readonly test: (value: number) => boolean; readonly must: string },
): number | undefined {
  if (option === undefined) return undefined;
  if (typeof option.value === "number" && range.test(option.value)) return option.value;
  context.report(say.optionInvalid({ at: spanOf(option.node), what, must: range.must }));
  return undefined;
}
