/**
 * Splits a `Code` into tokens: enough to know its identifiers and to compare two codes regardless of
 * formatting. It is no parser: it does not know what the tokens mean together.
 */
import type { Code, CodePart } from "../model.js";

export type Token = {
  /** The line breaks in front of it, in its own part of the code. */
  readonly breaks: number;
} & (
  | {
      readonly kind: "word" | "string" | "number" | "template" | "regex" | "comment";
      readonly text: string;
    }
  | { readonly kind: "mark"; readonly text: string }
  | { readonly kind: "reference"; readonly text: ""; readonly part: Exclude<CodePart, string> }
);

const SPACE = /\s+/y;
/** Of generated text only: the codes of a model have none. */
const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//y;
const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /(?:0[xXbBoO][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)n?/y;
const STRING = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const MARK =
  /=>|\.\.\.|\?\.(?!\d)|\?\?=?|[=!]==?|[<>]=|&&=?|\|\|=?|\*\*|\+\+|--|<<|[-+*/%&|^]=|[^\s]/y;
/** The text of a template up to its end or to the next `${`. */
const TEMPLATE = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
/** Words after which a `/` begins a regular expression. */
const BEFORE_REGEX = new Set(["return", "typeof", "case", "in", "of", "void", "delete", "await"]);

type PlainKind = Exclude<Token["kind"], "reference">;

type CharClass = "letter" | "digit" | "lone" | "point" | "quote" | "slash" | "mark";

const HASH = 35;

/** By the code of an ASCII character: what a token is that begins with it. Scanning asks little else. */
const CLASSES: readonly CharClass[] = Array.from({ length: 128 }, (_, code): CharClass => {
  const char = String.fromCharCode(code);
  if (/[\w$#]/.test(char)) return /\d/.test(char) ? "digit" : "letter";
  if (char === ".") return "point";
  if (char === "/") return "slash";
  if (char === '"' || char === "'") return "quote";
  // No mark of more than one character begins so.
  return /[()[\]{},;:~@`]/.test(char) ? "lone" : "mark";
});

/** The tokens of a code, in order. References are tokens of their own. */
export function tokensOf(code: Code): Token[] {
  const scanner = new Scanner();
  for (const part of code.parts) {
    if (typeof part === "string") scanner.scan(part);
    else scanner.tokens.push({ kind: "reference", text: "", part, breaks: 0 });
  }
  return scanner.tokens;
}

/** The tokens of a text. */
export function tokensOfText(text: string): Token[] {
  const scanner = new Scanner();
  scanner.scan(text);
  return scanner.tokens;
}

class Scanner {
  readonly tokens: Token[] = [];
  /** For each template that is open: the number of braces open in its current `${…}`. */
  private readonly braces: number[] = [];
  private text = "";
  private at = 0;
  private breaks = 0;

  scan(text: string): void {
    this.text = text;
    this.at = 0;
    while (this.at < text.length) this.next();
  }

  private next(): void {
    this.space();
    if (this.at === this.text.length) return;
    const code = this.text.charCodeAt(this.at);
    switch (CLASSES[code]) {
      case "letter":
        if (this.asciiWord()) return;
        break;
      case "lone":
        return this.mark(this.text.charAt(this.at++));
      case "digit":
        if (this.take("number", NUMBER)) return;
        break;
      // `a.b` may not be read as a number, and is not: no digit follows.
      case "point":
        if (this.take("number", NUMBER)) return;
        return this.mark(this.match(MARK) ?? "");
      case "quote":
        if (this.take("string", STRING)) return;
        break;
      case "slash":
        if (this.take("comment", COMMENT)) return;
        if (this.regexMayBegin() && this.take("regex", REGEX)) return;
        break;
      case "mark":
        break;
      case undefined:
        if (this.take("word", WORD)) return;
        break;
    }
    this.mark(this.match(MARK) ?? "");
  }

  /** Passes over blanks and counts the line breaks among them. */
  private space(): void {
    this.breaks = 0;
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === 10) this.breaks++;
      else if (code >= 128) {
        this.breaks += (this.match(SPACE) ?? "").split("\n").length - 1;
        return;
      } else if (code !== 32 && (code < 9 || code > 13)) return;
    }
  }

  /** Most words are of these letters alone; of others, regular expressions know more. */
  private asciiWord(): boolean {
    let end = this.at + 1;
    for (; end < this.text.length; end++) {
      const kind = CLASSES[this.text.charCodeAt(end)];
      if (kind === undefined) return this.take("word", WORD);
      if (kind !== "digit" && (kind !== "letter" || this.text.charCodeAt(end) === HASH)) break;
    }
    this.push("word", this.text.slice(this.at, end));
    this.at = end;
    return true;
  }

  private take(kind: PlainKind, pattern: RegExp): boolean {
    const text = this.match(pattern);
    if (text === undefined || text === "") return false;
    this.push(kind, text);
    return true;
  }

  private mark(text: string): void {
    const depth = this.braces.at(-1);
    if (text === "`") return this.template("`");
    if (text === "}" && depth === 0) {
      this.braces.pop();
      return this.template("}");
    }
    if (depth !== undefined && text === "{") this.braces[this.braces.length - 1] = depth + 1;
    if (depth !== undefined && text === "}") this.braces[this.braces.length - 1] = depth - 1;
    this.push("mark", text);
  }

  /** Reads from behind a backtick, or behind the end of a `${…}`, to the next of these. */
  private template(opening: string): void {
    const text = this.match(TEMPLATE) ?? "";
    const more = this.text.startsWith("${", this.at);
    this.at += more ? 2 : 1;
    if (more) this.braces.push(0);
    this.push("template", opening + text + (more ? "${" : "`"));
  }

  private push(kind: PlainKind, text: string): void {
    this.tokens.push({ kind, text, breaks: this.breaks });
  }

  private regexMayBegin(): boolean {
    const last = this.tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === "word") return BEFORE_REGEX.has(last.text);
    if (last.kind === "template") return !last.text.endsWith("`");
    return last.kind === "mark" && ![")", "]", "}"].includes(last.text);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}

/**
 * The identifiers that the text itself has, references left out: globals, and what nested functions
 * declare. Names of members and of properties are not among them.
 */
export function identifiersOf(code: Code): Set<string> {
  const tokens = tokensOf(code);
  const isMark = (index: number, ...texts: readonly string[]): boolean => {
    const token = tokens[index];
    return token?.kind === "mark" && texts.includes(token.text);
  };
  const found = new Set<string>();
  tokens.forEach(({ kind, text }, index) => {
    if (kind !== "word" || isMark(index - 1, ".", "?.")) return;
    if (isMark(index - 1, "{", ",") && isMark(index + 1, ":")) return;
    found.add(text);
  });
  return found;
}
