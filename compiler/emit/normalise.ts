/**
 * The text of a code without what only formatting decides: white space, quotes, trailing commas,
 * semicolons that a line's end could stand for, parentheses that change nothing. For the hash; it is not printed.
 */
import type { Code, CodePart } from "../model.js";
import { isIdentifier } from "./names.js";
import { tokensOf, type Token } from "./tokens.js";

type Reference = Exclude<CodePart, string>;

/** Where an expression can begin, and where it can end, such that nothing outside binds to it. */
const OPENING = new Set(["", ",", "(", "[", "=", "=>", ":", "?", "${"]);
const CLOSING = new Set(["", ",", ")", "]", "}", ":"]);

/** What stands for a reference. */
export interface Naming {
  readonly name: (reference: Reference) => string;
  /** The key that a shorthand property has: the name in the source, whatever it is renamed to. */
  readonly key: (reference: Reference) => string;
}

export function normalise(code: Code, naming: Naming): string {
  const texts = tokensOf(code).flatMap((token) => textOf(token, naming));
  const steps = [withoutSeparators, withoutParameterParentheses, withoutQuotedKeys];
  const plain = steps.reduce((result, step) => step(result), texts);
  return withoutParentheses(plain).join(" ");
}

function textOf(token: Token, { name, key }: Naming): string[] {
  if (token.kind === "reference") {
    const { part } = token;
    return "self" in part || !part.shorthand ? [name(part)] : [key(part), ":", name(part)];
  }
  if (token.kind === "string") return [canonicalString(token.text)];
  if (token.kind === "number") return [token.text.toLowerCase()];
  if (token.kind === "template") {
    // Split, so that the boundaries of a `${…}` are boundaries of an expression.
    const begin = token.text.startsWith("}") ? ["}"] : [];
    const end = token.text.endsWith("${") ? ["${"] : [];
    const text = token.text.slice(begin.length, token.text.length - (end.length > 0 ? 2 : 0));
    return [...begin, `\`${text}`, ...end];
  }
  return [token.text];
}

function canonicalString(text: string): string {
  const inner = text.slice(1, -1).replace(/\\(['"])/g, "$1");
  return `"${inner.replace(/"/g, '\\"')}"`;
}

/** What can go on with the expression before it: without a semicolon between them it would. */
const CONTINUES = /^(?:[([`+\-*/%,.;:?=<>&|^]|!=|in$|instanceof$)/;
/** What ends here, or takes what follows for its own, if no semicolon follows. */
const TAKES_MORE = new Set(["return", "break", "continue", "yield", "else", "do"]);

function withoutSeparators(texts: readonly string[]): string[] {
  const heads = withMeaning(texts);
  return texts.filter((text, index) => {
    const before = texts[index - 1] ?? "";
    const after = texts[index + 1] ?? "";
    if (text === ";") {
      if (heads.has(index)) return true;
      if (after === "" || after === "}") return false;
      return CONTINUES.test(after) || TAKES_MORE.has(before);
    }
    return !(text === "," && [")", "]", "}"].includes(after) && ![",", "["].includes(before));
  });
}

/**
 * The semicolons in the head of a `for`, which none may lack, and those right behind the head of
 * an `if` or a loop, which are its whole body.
 */
function withMeaning(texts: readonly string[]): Set<number> {
  const found = new Set<number>();
  const open: { readonly text: string; readonly before: string }[] = [];
  let closed = "";
  texts.forEach((text, index) => {
    const before = texts[index - 1] ?? "";
    if (["(", "[", "{", "${"].includes(text)) open.push({ text, before });
    if (text === ";" && open.at(-1)?.text === "(") found.add(index);
    if (text === ";" && before === ")" && ["if", "for", "while"].includes(closed)) found.add(index);
    if ([")", "]", "}"].includes(text)) closed = open.pop()?.before ?? "";
  });
  return found;
}

/** `(x) => y` → `x => y`. */
function withoutParameterParentheses(texts: readonly string[]): string[] {
  return texts.filter((text, index) => {
    const from = text === "(" ? index : text === ")" ? index - 2 : Number.NaN;
    return !(
      texts[from] === "(" &&
      isIdentifier(texts[from + 1] ?? "") &&
      texts[from + 2] === ")" &&
      texts[from + 3] === "=>"
    );
  });
}

/** `{ "a": 1 }` → `{ a: 1 }`. */
function withoutQuotedKeys(texts: readonly string[]): string[] {
  return texts.map((text, index) => {
    const isKey =
      text.startsWith('"') &&
      texts[index + 1] === ":" &&
      ["{", ","].includes(texts[index - 1] ?? "") &&
      isIdentifier(text.slice(1, -1));
    return isKey ? text.slice(1, -1) : text;
  });
}

/** Takes away parentheses around a whole expression, and around a single token. */
function withoutParentheses(texts: readonly string[]): string[] {
  const dropped = new Set<number>();
  const open: number[] = [];
  const neighbour = (index: number, by: 1 | -1): number => {
    let at = index + by;
    while (dropped.has(at)) at += by;
    return at;
  };
  texts.forEach((text, index) => {
    if (text === "(") open.push(index);
    if (text !== ")") return;
    const start = open.pop();
    if (start === undefined) return;
    const before = texts[neighbour(start, -1)] ?? "";
    const after = texts[index + 1] ?? "";
    const inside = texts.slice(start + 1, index);
    const whole = OPENING.has(before) && CLOSING.has(after) && !hasComma(inside);
    const single = inside.length === 1 && after !== "=>" && !isCallee(before);
    const ambiguous = before === "=>" && inside[0] === "{";
    if (inside.length > 0 && (whole || single) && !ambiguous) dropped.add(start).add(index);
  });
  return texts.filter((_, index) => !dropped.has(index));
}

/** Whether parentheses after this are those of a call or of a statement. */
function isCallee(text: string): boolean {
  return /[\p{ID_Continue}$)\]>`]$/u.test(text);
}

function hasComma(texts: readonly string[]): boolean {
  let depth = 0;
  return texts.some((text) => {
    if (["(", "[", "{", "${"].includes(text)) depth++;
    if ([")", "]", "}"].includes(text)) depth--;
    return text === "," && depth === 0;
  });
}
