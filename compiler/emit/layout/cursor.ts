/** Walks over the tokens of a text. What is not as expected is beyond what is known here. */
import { tokensOfText, type Token } from "../tokens.js";
import { Beyond } from "./doc.js";

export class Cursor {
  protected at = 0;
  private readonly tokens: readonly Token[];

  constructor(text: string) {
    this.tokens = tokensOfText(text);
  }

  protected get done(): boolean {
    return this.at >= this.tokens.length;
  }

  protected peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead];
  }

  /** Whether the next token is one of these words or marks. */
  protected is(...texts: readonly string[]): boolean {
    const token = this.tokens[this.at];
    return token !== undefined && isBare(token) && texts.includes(token.text);
  }

  protected isAhead(ahead: number, ...texts: readonly string[]): boolean {
    const token = this.peek(ahead);
    return token !== undefined && isBare(token) && texts.includes(token.text);
  }

  protected isKind(kind: Token["kind"]): boolean {
    return this.peek()?.kind === kind;
  }

  protected take(): string {
    const token = this.peek();
    if (token === undefined) throw new Beyond("the end of the text");
    this.at++;
    return token.text;
  }

  protected accept(text: string): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || token.text !== text || !isBare(token)) return false;
    this.at++;
    return true;
  }

  protected expect(text: string): void {
    if (!this.accept(text)) throw new Beyond(`${this.peek()?.text ?? "the end"} for ${text}`);
  }

  protected name(): string {
    if (!this.isKind("word")) throw new Beyond(`${this.peek()?.text ?? "the end"} for a name`);
    return this.take();
  }

  /** Whether there was a line break in front of the next token. */
  protected get onNewLine(): boolean {
    return (this.peek()?.breaks ?? 0) > 0;
  }

  /** Reads what may not be there: undefined, and back to where it was, if it is not. */
  protected attempt<T>(read: () => T): T | undefined {
    const before = this.at;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Beyond)) throw error;
      this.at = before;
      return undefined;
    }
  }

  /** Items with commas between, up to what closes them; blank lines between them are beyond. */
  protected list<T>(close: string, read: () => T, separator = ","): T[] {
    const items: T[] = [];
    while (!this.accept(close)) {
      if ((this.peek()?.breaks ?? 0) > 1) throw new Beyond("a blank line in a list");
      items.push(read());
      if (this.is(close)) continue;
      this.expect(separator);
    }
    return items;
  }
}

/** A word or a mark, and no text between quotes. */
function isBare({ kind }: Token): boolean {
  return kind === "mark" || kind === "word";
}

const SIMPLE_NUMBER = /^(0|[1-9]\d*(_\d+)*)(\.\d*[1-9])?n?$/;

/** A number as prettier writes it. */
export function numberText(text: string): string {
  if (!SIMPLE_NUMBER.test(text)) throw new Beyond("a number of another form");
  return text;
}

/** A string as prettier writes it: in double quotes, unless it has more of these than of single ones. */
export function stringText(text: string): string {
  const raw = text.slice(1, -1);
  const count = (quote: string): number => raw.split(quote).length - 1;
  const quote = count('"') > count("'") ? "'" : '"';
  const inside = raw.replace(/\\([\s\S])|(['"])/g, (all, escaped?: string, bare?: string) => {
    if (escaped === "'" || escaped === '"') return escaped === quote ? all : escaped;
    if (bare === quote) return `\\${bare}`;
    return all;
  });
  return quote + inside + quote;
}
