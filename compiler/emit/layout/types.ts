/** Reads types, as documents. */
import { Cursor, numberText, stringText } from "./cursor.js";
import { Beyond, group, ifBreak, indent, join, LINE, rigid, SOFT, type Doc } from "./doc.js";

export abstract class TypeReader extends Cursor {
  protected type(): Doc {
    const members = this.separated("|", () => this.intersection());
    if (this.is("extends", "is")) throw new Beyond("a conditional type");
    const [first = "", ...more] = members;
    return more.length === 0 ? first : rigid(join(" | ", members));
  }

  private intersection(): Doc {
    const members = this.separated("&", () => this.postfixType());
    if (members.length === 1) return members[0] ?? "";
    if (members.some((member) => startsWith(member, "{")))
      throw new Beyond("objects that intersect");
    return rigid(join(" & ", members));
  }

  private separated(mark: string, read: () => Doc): Doc[] {
    const docs = [read()];
    while (this.accept(mark)) docs.push(read());
    return docs;
  }

  private postfixType(): Doc {
    if (this.is("keyof", "readonly", "unique")) return [this.take(), " ", this.postfixType()];
    let doc = this.primaryType();
    while (this.is("[") && !this.onNewLine) {
      this.take();
      const index = this.is("]") ? "" : this.type();
      this.expect("]");
      doc = [doc, "[", index, "]"];
    }
    return doc;
  }

  private primaryType(): Doc {
    const token = this.peek();
    if (token?.kind === "string") return stringText(this.take());
    if (token?.kind === "number") return numberText(this.take());
    if (token?.kind === "template") return this.templateType();
    if (this.accept("-")) return ["-", numberText(this.take())];
    if (this.is("(")) return this.functionType();
    if (this.is("[")) return this.tuple();
    if (this.is("{")) return this.objectType();
    const query = this.accept("typeof") ? "typeof " : "";
    if (this.is("import", "new", "abstract", "asserts", "infer")) throw new Beyond("such a type");
    let name = query + this.name();
    while (this.accept(".")) name += `.${this.name()}`;
    return [name, this.typeArguments()];
  }

  /** The arguments of a generic type, if there are any. */
  protected typeArguments(): Doc {
    if (!this.is("<") || this.onNewLine) return "";
    this.take();
    const types = this.list(">", () => this.type());
    const [only] = types;
    if (types.length === 0 || only === undefined) throw new Beyond("no type arguments");
    const hugs = types.length === 1 && (isPlain(only) || startsWith(only, "{"));
    if (hugs) return ["<", only, ">"];
    return group(["<", indent([SOFT, ...join([",", LINE], types)]), SOFT, ">"]);
  }

  /** Of names alone: what else can be put in may have a layout of its own. */
  private templateType(): Doc {
    let text = this.take();
    while (text.endsWith("${")) {
      if (this.onNewLine) throw new Beyond("a line break put in");
      text += this.name();
      if (this.onNewLine || !this.isKind("template")) throw new Beyond("such a template");
      text += this.take();
    }
    return rigid(text);
  }

  private functionType(): Doc {
    const parameters = this.attempt(() => this.typedParameters());
    if (parameters !== undefined) return rigid([parameters, " => ", this.type()]);
    this.expect("(");
    const inner = this.type();
    this.expect(")");
    if (!this.is("[") || !isRigid(inner)) throw new Beyond("a type in parentheses");
    return ["(", inner, ")"];
  }

  private typedParameters(): Doc {
    this.expect("(");
    const parameters = this.list(")", () => {
      const rest = this.accept("...") ? "..." : "";
      const name = rest + this.name() + (this.accept("?") ? "?" : "");
      this.expect(":");
      return [name, ": ", this.type()];
    });
    if (!this.accept("=>")) throw new Beyond("no function type");
    return ["(", ...join(", ", parameters), ")"];
  }

  private tuple(): Doc {
    this.expect("[");
    const elements = this.list("]", (): Doc => {
      const rest = this.accept("...") ? "..." : "";
      if (this.isKind("word") && this.isAhead(1, ":", "?")) throw new Beyond("a named element");
      return [rest, this.type(), this.accept("?") ? "?" : ""];
    });
    return rigid(["[", ...join(", ", elements), "]"]);
  }

  private objectType(): Doc {
    this.expect("{");
    const broken = this.onNewLine;
    const members = this.members();
    if (members.length === 0) return "{}";
    const body = [indent([LINE, ...join([";", LINE], members)]), ifBreak(";"), LINE];
    return group(["{", ...body, "}"], broken);
  }

  /** Properties up to the closing brace. */
  protected members(): Doc[] {
    const members: Doc[] = [];
    while (!this.accept("}")) {
      if ((this.peek()?.breaks ?? 0) > 1) throw new Beyond("a blank line in a type");
      members.push(this.member());
      if (!this.accept(";") && !this.accept(",") && !this.is("}") && !this.onNewLine) {
        throw new Beyond("no end of a member");
      }
    }
    return members;
  }

  private member(): Doc {
    const readonly = this.is("readonly") && !this.isAhead(1, ":", "?") ? `${this.take()} ` : "";
    const key = this.key();
    const optional = this.accept("?") ? "?" : "";
    this.expect(":");
    return [readonly, key, optional, ": ", this.type()];
  }

  /** The name of a property. Prettier takes quotes away that are not needed: none are left here. */
  protected key(): string {
    const token = this.peek();
    if (token?.kind === "word") return this.take();
    if (token?.kind !== "string") throw new Beyond("a computed name");
    const text = stringText(this.take());
    if (/^.[\w$]*.$/.test(text)) throw new Beyond("quotes that may not be needed");
    return text;
  }
}

/** A keyword or a name alone: an argument that hugs its brackets. */
function isPlain(doc: Doc): boolean {
  if (typeof doc === "string") return /^[\w$.]+$/.test(doc);
  return "length" in doc && doc.length === 2 && doc[1] === "" && isPlain(doc[0] ?? "");
}

function isRigid(doc: Doc): boolean {
  return typeof doc !== "string" && "kind" in doc && doc.kind === "group" && doc.rigid;
}

function startsWith(doc: Doc, mark: string): boolean {
  if (typeof doc === "string") return doc.startsWith(mark);
  const first = "kind" in doc ? (doc.kind === "group" ? doc.contents : "") : (doc[0] ?? "");
  return first !== "" && startsWith(first, mark);
}
