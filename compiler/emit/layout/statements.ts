/** Reads the statements of a generated module, as documents. */
import { Beyond, group, HARD, ifBreak, indent, join, LINE, rigid, SEAM, type Doc } from "./doc.js";
import { stringText } from "./cursor.js";
import { ExpressionReader } from "./expressions.js";

export class ModuleReader extends ExpressionReader {
  /** The whole text. */
  module(): Doc {
    const docs: Doc[] = [];
    while (!this.done) {
      const blank = docs.length > 0 && (this.peek()?.breaks ?? 0) > 1;
      docs.push(...(blank ? [HARD] : []), this.topLevel(), HARD);
    }
    return docs;
  }

  private topLevel(): Doc {
    if (this.isKind("comment")) return this.comment();
    if (this.is("import")) return this.import();
    const exported = this.accept("export") ? "export " : "";
    if (this.is("interface")) return [exported, this.interface()];
    if (this.is("type")) return [exported, this.alias()];
    if (this.is("const")) return [exported, this.variable()];
    throw new Beyond(`a statement that begins with ${this.peek()?.text ?? ""}`);
  }

  private comment(): Doc {
    const text = this.take();
    if (!this.onNewLine || text.includes("\n")) throw new Beyond("such a comment");
    return text.trimEnd();
  }

  private import(): Doc {
    this.expect("import");
    const isType = this.is("type") && !this.isAhead(1, "from", ",") ? "type " : "";
    if (isType !== "") this.take();
    const what: Doc[] = [];
    if (this.isKind("word")) what.push(this.take());
    if (what.length > 0 && this.accept(",")) what.push(", ");
    if (this.is("{")) what.push(this.specifiers(what.length === 0));
    else if (this.accept("*")) {
      this.expect("as");
      what.push("* as ", this.name());
    }
    this.expect("from");
    const from = this.moduleName();
    this.end();
    return ["import ", isType, ...what, " from ", from, ";"];
  }

  private moduleName(): string {
    if (!this.isKind("string")) throw new Beyond("no module");
    return stringText(this.take());
  }

  private specifiers(alone: boolean): Doc {
    this.expect("{");
    const names = this.list("}", () => {
      if (this.isKind("string")) throw new Beyond("a name in quotes");
      const isType = this.is("type") && !this.isAhead(1, ",", "}") ? `${this.take()} ` : "";
      const name = this.name();
      return isType + name + (this.accept("as") ? ` as ${this.name()}` : "");
    });
    const [only] = names;
    if (only === undefined) throw new Beyond("an import of nothing");
    if (alone && names.length === 1) return `{ ${only} }`;
    return group(["{", indent([LINE, ...join([",", LINE], names)]), ifBreak(","), LINE, "}"]);
  }

  private interface(): Doc {
    this.expect("interface");
    const name = this.name();
    const head = this.accept("extends") ? `${name} extends ${this.name()}` : name;
    this.expect("{");
    const members = this.members();
    if (members.length === 0) return rigid(`interface ${head} {}`);
    const lines = members.flatMap((member): Doc[] => [HARD, member, ";"]);
    return [rigid(`interface ${head} {`), indent(lines), HARD, "}"];
  }

  private alias(): Doc {
    this.expect("type");
    const name = this.name();
    this.expect("=");
    const type = this.type();
    this.end();
    return [`type ${name} =`, SEAM, type, ";"];
  }

  private variable(): Doc {
    const word = this.take();
    const name = this.is("{", "[") ? group(this.pattern()) : this.name();
    const type = this.accept(":") ? [": ", this.type()] : "";
    const left = [word, " ", name, type];
    if (!this.accept("=")) {
      this.end();
      return [group(left), ";"];
    }
    const { kind, doc } = this.expression();
    this.end();
    // In front of these a line never ends: what is to their left would have to break instead.
    const held = ["arrow", "block arrow", "template", "number", "name"].includes(kind);
    return held
      ? [rigid([...left, " ="]), " ", group(doc), ";"]
      : [group(left), " =", SEAM, group(doc), ";"];
  }

  // --- inside functions

  protected block(): Doc {
    this.expect("{");
    const docs: Doc[] = [];
    while (!this.accept("}")) {
      const blank = docs.length > 0 && (this.peek()?.breaks ?? 0) > 1;
      docs.push(HARD, ...(blank ? [HARD] : []), this.statement());
    }
    return docs.length === 0 ? "{}" : ["{", indent(docs), HARD, "}"];
  }

  private statement(): Doc {
    if (this.is("const", "let")) return this.variable();
    if (this.is("if")) return this.conditional();
    if (!this.is("return", "throw")) return this.assignment();
    const word = this.take();
    if (this.is(";", "}") || this.onNewLine) {
      this.end();
      return `${word};`;
    }
    const { doc } = this.expression();
    this.end();
    return [word, " ", doc, ";"];
  }

  /** `name = value`, of a variable that is set later. */
  private assignment(): Doc {
    if (!this.isKind("word") || !this.isAhead(1, "=")) throw new Beyond("such a statement");
    const name = this.take();
    this.expect("=");
    const { doc } = this.expression();
    this.end();
    return [name, " =", SEAM, group(doc), ";"];
  }

  private conditional(): Doc {
    this.expect("if");
    this.expect("(");
    const test = this.expression();
    this.expect(")");
    if (!this.is("{")) {
      const only = this.statement();
      if (this.is("else")) throw new Beyond("such an else");
      return rigid(["if (", test.doc, ") ", only]);
    }
    const yes = this.block();
    const no = this.accept("else")
      ? [" else ", this.is("if") ? this.conditional() : this.block()]
      : "";
    return ["if (", rigid(test.doc), ") ", yes, no];
  }

  private end(): void {
    if (!this.accept(";") && !this.is("}") && !this.onNewLine && !this.done) {
      throw new Beyond("no end of a statement");
    }
  }
}
