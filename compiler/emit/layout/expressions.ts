/** Reads expressions, as documents. Parentheses go and come by prettier's rules. */
import { numberText, stringText } from "./cursor.js";
import {
  Beyond,
  group,
  ifBreak,
  indent,
  join,
  LINE,
  mustBreak,
  oneOf,
  rigid,
  SEAM,
  SOFT,
  type Doc,
} from "./doc.js";
import { needsParentheses, precedenceOf, RELATIONAL } from "./operators.js";
import { FunctionReader, isFunction, type Piece } from "./functions.js";

const UNARY = new Set(["!", "-", "+", "~", "typeof", "void"]);
const BEYOND = new Set(
  "function class async await yield delete import super case in instanceof of".split(" "),
);

export abstract class ExpressionReader extends FunctionReader {
  protected expression(): Piece {
    if (this.isArrow()) return this.arrow();
    const test = this.binary(0);
    if (this.is("=", "+=", "-=", "++", "--")) throw new Beyond("an assignment");
    if (!this.accept("?")) return test;
    if (["conditional", "arrow", "block arrow", "as"].includes(test.kind)) {
      throw new Beyond("such a test");
    }
    const yes = this.expression();
    this.expect(":");
    const no = this.expression();
    if (yes.kind === "conditional" || yes.kind === "as" || no.kind === "as") {
      throw new Beyond("such a branch");
    }
    const doc = rigid([inConditional(test), " ? ", inConditional(yes), " : ", inConditional(no)]);
    return { kind: "conditional", doc };
  }

  private binary(least: number): Piece {
    let left = this.unary();
    for (;;) {
      // A cast binds as a comparison does.
      if (this.is("as", "satisfies") && least <= RELATIONAL) {
        left = this.cast(left);
        continue;
      }
      const operator = this.peek()?.kind === "string" ? "" : (this.peek()?.text ?? "");
      const precedence = precedenceOf(operator);
      if (precedence === undefined || precedence < least) return left;
      if (operator === ">" && this.isAhead(1, ">")) throw new Beyond("a shift");
      this.take();
      const right = this.binary(precedence + 1);
      const doc = rigid([
        this.operand(left, operator, "left"),
        ` ${operator} `,
        this.operand(right, operator, "right"),
      ]);
      left = { kind: "binary", operator, doc };
    }
  }

  private operand(piece: Piece, operator: string, side: "left" | "right"): Doc {
    if (["conditional", "arrow", "block arrow", "as"].includes(piece.kind)) {
      return ["(", piece.doc, ")"];
    }
    const nested = piece.operator;
    return nested !== undefined && needsParentheses(operator, nested, side)
      ? ["(", piece.doc, ")"]
      : piece.doc;
  }

  private cast(left: Piece): Piece {
    const word = this.take();
    if (["arrow", "block arrow", "unary"].includes(left.kind)) throw new Beyond("such a cast");
    const loose = left.kind === "binary" || left.kind === "conditional";
    const type = [` ${word} `, this.is("const") ? this.take() : this.type()];
    const first = left.kind === "object" ? ["(", left.doc, ")"] : (left.body ?? left.doc);
    const open = left.kind === "object" || left.kind === "array" || left.open === true;
    if (loose) return { kind: "as", doc: rigid(["(", left.doc, ")", type]) };
    return { kind: "as", doc: rigid([left.doc, type]), body: rigid([first, type]), open };
  }

  private unary(): Piece {
    const token = this.peek();
    const operator = token?.kind === "mark" || token?.kind === "word" ? token.text : "";
    if (!UNARY.has(operator)) return this.postfix();
    this.take();
    const operand = this.unary();
    if (["unary", "binary", "conditional", "as", "arrow"].includes(operand.kind)) {
      if (operand.kind === "unary" && operator !== "!") throw new Beyond("such an operand");
      const doc = operand.kind === "unary" ? operand.doc : ["(", operand.doc, ")"];
      return { kind: "unary", doc: rigid([operator, doc]) };
    }
    return { kind: "unary", doc: rigid([operator, /^\w/.test(operator) ? " " : "", operand.doc]) };
  }

  // --- chains

  private postfix(): Piece {
    let piece = this.primary();
    for (;;) {
      const next = this.link(piece);
      if (next === undefined) return piece;
      piece = next;
    }
  }

  private link(piece: Piece): Piece | undefined {
    const isLink = this.is(".", "?.", "[", "(", "!") && !(this.is("!", "[", "(") && this.onNewLine);
    const typed = this.is("<") ? this.typedCall() : undefined;
    if (this.isKind("template") && this.peek()?.text.startsWith("`")) throw new Beyond("a tag");
    if (!isLink && typed === undefined) return undefined;
    const object = this.chained(piece);
    const calls = piece.calls ?? 0;
    if (typed !== undefined || this.is("(")) return this.called(piece, [object, typed ?? ""]);
    const optional = piece.optional === true || this.is("?.");
    const link = (doc: Doc): Piece => ({ kind: "member", doc: rigid(doc), calls, optional });
    if (this.accept("!")) return link([object, "!"]);
    const dot = this.is(".", "?.") ? this.take() : "";
    if (dot === "?." && this.is("(")) throw new Beyond("an optional call");
    if (dot !== "" && !this.is("[")) return link([object, dot, this.name()]);
    this.expect("[");
    const index = this.expression();
    this.expect("]");
    return link([object, dot, "[", index.doc, "]"]);
  }

  private chained(piece: Piece): Doc {
    const { kind, doc } = piece;
    if (piece.parenthesised === true && piece.optional === true)
      throw new Beyond("a chain in parentheses");
    if (["name", "member", "call", "string", "array", "template"].includes(kind)) return doc;
    if (["binary", "conditional", "as", "unary"].includes(kind)) return ["(", doc, ")"];
    throw new Beyond("such an object");
  }

  private called(callee: Piece, head: Doc): Piece {
    const calls = (callee.calls ?? 0) + 1;
    if (calls > 2) throw new Beyond("a long chain");
    const { doc: args, callsBack } = this.callArguments();
    const optional = callee.optional === true;
    // A call of what a call gives, as of schemas, is no chain of members: it breaks in its arguments,
    // which is certain only if what is called has room on its line.
    const curried = calls === 2 && callee.kind === "call";
    const doc =
      calls === 1 ? [head, args] : curried ? group([rigid(head), args]) : rigid([head, args]);
    return { kind: "call", doc, calls, optional, callsBack };
  }

  private typedCall(): Doc | undefined {
    return this.attempt(() => {
      const types = this.typeArguments();
      if (!this.is("(")) throw new Beyond("a comparison");
      return types;
    });
  }

  private callArguments(): Pick<Piece, "doc" | "callsBack"> {
    this.expect("(");
    const args = this.list(")", () => this.element());
    return { doc: this.listed(args), callsBack: args.some(isFunction) };
  }

  private listed(args: readonly Piece[]): Doc {
    if (args.length === 0) return "()";
    const docs = args.map(({ doc }) => doc);
    const last = args.at(-1);
    const before = docs.slice(0, -1);
    if (
      args.length > 1 &&
      (args.slice(0, -1).some(isFunction) || args.some((arg) => arg.callsBack))
    ) {
      throw new Beyond("functions among others");
    }
    const open = group(this.broken(docs), true);
    if (last === undefined || !this.hugs(args)) {
      // A lone argument is often kept with its function, at the cost of what is around.
      if (args.length === 1 && last?.kind !== "call") return rigid(["(", docs, ")"]);
      return group(this.broken(docs));
    }
    if (before.some(mustBreak)) throw new Beyond("an argument that breaks");
    const around = (doc: Doc): Doc => ["(", ...before.flatMap((each) => [each, ", "]), doc, ")"];
    if (last.kind === "arrow") return rigid(around(last.doc));
    if (last.hugged !== undefined) return group(around(last.hugged));
    return oneOf([around(last.doc), around(group(last.doc, true)), open]);
  }

  private broken(docs: readonly Doc[]): Doc {
    return ["(", indent([SOFT, ...join([",", LINE], docs)]), ifBreak(","), SOFT, ")"];
  }

  /** Whether the last argument may break alone, next to its parentheses. */
  private hugs(args: readonly Piece[]): boolean {
    const last = args.at(-1);
    const other = args.at(-2);
    if (last === undefined) return false;
    if (last.open === true) throw new Beyond("a cast that hugs");
    if (isFunction(last)) return true;
    if (last.kind !== "object" && last.kind !== "array") return false;
    return (last.entries ?? 0) > 0 && other?.kind !== last.kind;
  }

  /** An argument or an element, which may be spread. */
  private element(): Piece {
    if (!this.accept("...")) return this.expression();
    const { kind, doc } = this.expression();
    const loose = ["binary", "conditional", "as"].includes(kind);
    return { kind: "unary", doc: rigid(["...", ...(loose ? ["(", doc, ")"] : [doc])]) };
  }

  // --- what stands alone

  private primary(): Piece {
    const token = this.peek();
    if (token === undefined) throw new Beyond("the end of the text");
    switch (token.kind) {
      case "string":
        return { kind: "string", doc: stringText(this.take()) };
      case "number":
        return { kind: "number", doc: numberText(this.take()) };
      case "template":
        return this.template();
      case "regex":
        return { kind: "name", doc: this.take() };
      case "word":
        if (token.text === "new") return this.made();
        if (BEYOND.has(token.text)) throw new Beyond(token.text);
        return { kind: "name", doc: this.take() };
      default:
        if (this.is("{")) return this.object();
        if (this.is("[")) return this.array();
        return this.parenthesised();
    }
  }

  private made(): Piece {
    let name = `${this.take()} ${this.name()}`;
    while (this.accept(".")) name += `.${this.name()}`;
    const types = this.typeArguments();
    const { doc, callsBack } = this.callArguments();
    return { kind: "call", doc: [name, types, doc], callsBack };
  }

  private parenthesised(): Piece {
    this.expect("(");
    const inner = this.expression();
    this.expect(")");
    return { ...inner, parenthesised: true };
  }

  /** Prettier leaves the text of a template alone, and keeps what is put in on one line. */
  private template(): Piece {
    const docs: Doc[] = [this.take()];
    while (!String(docs.at(-1)).endsWith("`") || docs.at(-1) === "`") {
      if (docs.length === 1 && String(docs[0]).length > 1 && String(docs[0]).endsWith("`")) break;
      const before = this.at;
      docs.push(this.expression().doc);
      for (let index = before; index <= this.at; index++) {
        if ((this.peek(index - this.at)?.breaks ?? 0) > 0) throw new Beyond("a line break put in");
      }
      if (!this.isKind("template")) throw new Beyond("a template without an end");
      docs.push(this.take());
    }
    return { kind: "template", doc: rigid(docs) };
  }

  private array(): Piece {
    this.expect("[");
    const elements = this.list("]", () => this.element());
    const [first] = elements;
    if (first === undefined) return { kind: "array", doc: "[]", entries: 0 };
    const docs = elements.map(({ doc }) => doc);
    const alike =
      (first.kind === "object" || first.kind === "array") &&
      elements.every(({ kind, entries }) => kind === first.kind && (entries ?? 0) > 1);
    const body = ["[", indent([SOFT, ...join([",", LINE], docs)]), ifBreak(","), SOFT, "]"];
    const numbers =
      docs.length > 1 && elements.every(({ kind }) => kind === "number" || kind === "unary");
    const doc = numbers ? rigid(body) : group(body, docs.length > 1 && alike);
    return { kind: "array", doc, entries: docs.length };
  }

  private object(): Piece {
    this.expect("{");
    const broken = this.onNewLine;
    const entries = this.list("}", () => this.property());
    if (entries.length === 0) return { kind: "object", doc: "{}", entries: 0 };
    const body = [indent([LINE, ...join([",", LINE], entries)]), ifBreak(","), LINE];
    return { kind: "object", doc: group(["{", ...body, "}"], broken), entries: entries.length };
  }

  private property(): Doc {
    if (this.is("...")) return this.element().doc;
    const isShorthand = this.isKind("word") && this.isAhead(1, ",", "}");
    if (isShorthand) return this.take();
    const key = this.key();
    this.expect(":");
    return [key, ":", SEAM, group(this.expression().doc)];
  }
}

/** As a part of a conditional expression: `??` in it is set apart. */
function inConditional({ operator, doc }: Piece): Doc {
  return operator === "??" ? ["(", doc, ")"] : doc;
}
