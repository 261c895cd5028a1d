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
    this.breaks = (this.match(SPACE) ?? "").split("\n").length - 1;
    if (this.at === this.text.length) return;
    for (const [kind, pattern] of [
      ["comment", COMMENT],
      ["word", WORD],
      ["number", NUMBER],
      ["string", STRING],
    ] as const) {
      // A number may begin with a point; `a.b` may not be read as one, and is not: no digit follows.
      const found = this.match(pattern);
      if (found) return this.push({ kind, text: found });
    }
    if (this.regexMayBegin()) {
      const regex = this.match(REGEX);
      if (regex) return this.push({ kind: "regex", text: regex });
    }
    this.mark(this.match(MARK) ?? "");
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
    this.push({ kind: "mark", text });
  }

  /** Reads from behind a backtick, or behind the end of a `${…}`, to the next of these. */
  private template(opening: string): void {
    const text = this.match(TEMPLATE) ?? "";
    const more = this.text.startsWith("${", this.at);
    this.at += more ? 2 : 1;
    if (more) this.braces.push(0);
    this.push({ kind: "template", text: opening + text + (more ? "${" : "`") });
  }

  private push(token: {
    readonly kind: Exclude<Token["kind"], "reference">;
    readonly text: string;
  }): void {
    this.tokens.push({ ...token, breaks: this.breaks });
  }

  private regexMayBegin(): boolean {
    const last = this.tokens.at(-1);
    if (this.text[this.at] !== "/") return false;
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
