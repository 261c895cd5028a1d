/** Reads arrow functions, as documents: their parameters, what they return, and their bodies. */
import { Beyond, group, ifBreak, indent, join, LINE, rigid, SOFT, type Doc } from "./doc.js";
import { TypeReader } from "./types.js";

type Kind =
  | "name"
  | "string"
  | "number"
  | "template"
  | "member"
  | "call"
  | "object"
  | "array"
  | "arrow"
  | "block arrow"
  | "binary"
  | "conditional"
  | "unary"
  | "as";

export interface Piece {
  readonly kind: Kind;
  readonly doc: Doc;
  /** Of a binary expression. */
  readonly operator?: string;
  /** The entries of an object or array. */
  readonly entries?: number;
  /** The calls of a chain. */
  readonly calls?: number;
  readonly optional?: boolean;
  /** Of a function with a block: how it reads as an argument that breaks alone. */
  readonly hugged?: Doc;
  /** Of a call: whether a function is among its arguments. */
  readonly callsBack?: boolean | undefined;
  /** Of a cast: how it reads as the body of an arrow function. */
  readonly body?: Doc;
  /** Of a cast: whether it is one of an object or array, which may be open. */
  readonly open?: boolean;
  readonly parenthesised?: boolean;
}

export abstract class FunctionReader extends TypeReader {
  protected abstract expression(): Piece;

  /** A block with its braces. */
  protected abstract block(): Doc;

  protected isArrow(): boolean {
    if (this.isKind("word") && this.isAhead(1, "=>")) return true;
    if (!this.is("(")) return false;
    let depth = 0;
    for (let ahead = 0; this.peek(ahead) !== undefined; ahead++) {
      if (this.isAhead(ahead, "(", "[", "{")) depth++;
      if (this.isAhead(ahead, ")", "]", "}")) depth--;
      if (depth === 0) return this.isAhead(ahead + 1, "=>") || this.returns(ahead + 1);
    }
    return false;
  }

  /** Whether a return type and an arrow come next, and no branch of a conditional. */
  private returns(ahead: number): boolean {
    if (!this.isAhead(ahead, ":")) return false;
    const before = this.at;
    this.at += ahead + 1;
    const isType = this.attempt(() => {
      this.type();
      if (!this.is("=>")) throw new Beyond("no arrow");
      return true;
    });
    this.at = before;
    return isType === true;
  }

  protected arrow(): Piece {
    const parameters = this.isKind("word") ? ["(", this.name(), ")"] : this.parameters();
    const returned = this.accept(":") ? [": ", this.returnType()] : "";
    this.expect("=>");
    const signature = [parameters, returned];
    if (this.is("{")) {
      const block = this.block();
      const hugged = [rigid(signature), " => ", block];
      return { kind: "block arrow", doc: group([group(signature), " => ", block]), hugged };
    }
    const body = this.expression();
    return { kind: "arrow", doc: group([group(signature), " =>", this.arrowBody(body)]) };
  }

  private returnType(): Doc {
    if (this.is("(", "{")) throw new Beyond("such a return type");
    return this.type();
  }

  private arrowBody({ kind, doc: plain, body }: Piece): Doc {
    const doc = body ?? plain;
    if (kind === "object") return [" (", doc, ")"];
    if (kind === "array") return [" ", doc];
    if (kind === "arrow" || kind === "block arrow") throw new Beyond("a chain of functions");
    if (startsWithObject(doc)) throw new Beyond("an object in front");
    if (kind !== "conditional") return group(indent([LINE, doc]));
    return group(indent([LINE, ifBreak("", "("), doc, ifBreak("", ")")]));
  }

  private parameters(): Doc {
    this.expect("(");
    const hugs = this.is("{", "[");
    const parameters = this.list(")", () => this.parameter());
    const [only = ""] = parameters;
    if (parameters.length === 0) return "()";
    if (hugs && parameters.length === 1) return ["(", only, ")"];
    return [
      "(",
      indent([
        SOFT,
        ...join(
          [",", LINE],
          parameters.map((doc) => rigid(doc)),
        ),
      ]),
      ifBreak(","),
      SOFT,
      ")",
    ];
  }

  private parameter(): Doc {
    if (this.is("...")) throw new Beyond("rest parameters");
    const name = this.is("{", "[") ? this.pattern() : this.name();
    const optional = this.accept("?") ? "?" : "";
    const typed = this.accept(":");
    if (this.is("=") || (typed && this.is("{"))) throw new Beyond("such a parameter");
    const type = typed ? [": ", this.type()] : "";
    if (this.is("=")) throw new Beyond("a default");
    return [name, optional, type];
  }

  /** What destructures. It is no group of its own: it breaks with what it stands in. */
  protected pattern(): Doc {
    const isObject = this.accept("{");
    if (!isObject) this.expect("[");
    const names = this.list(isObject ? "}" : "]", () => {
      if (this.is("...", "{", "[", ",")) throw new Beyond("such a pattern");
      const key = isObject ? this.key() : this.name();
      const alias = isObject && this.accept(":") ? `: ${this.name()}` : "";
      if (!this.is(",", "}", "]")) throw new Beyond("such a pattern");
      return key + alias;
    });
    if (names.length === 0) return isObject ? "{}" : "[]";
    if (!isObject) return rigid(["[", ...join(", ", names), "]"]);
    return ["{", indent([LINE, ...join([",", LINE], names)]), ifBreak(","), LINE, "}"];
  }
}

export function isFunction({ kind }: Piece): boolean {
  return kind === "arrow" || kind === "block arrow";
}

function startsWithObject(doc: Doc): boolean {
  if (typeof doc === "string") return doc.startsWith("{");
  if (!("kind" in doc)) return startsWithObject(doc[0] ?? "");
  return doc.kind === "group" && startsWithObject(doc.contents);
}
