/**
 * Holds docs/LANGUAGE.md to what it says: its tables have every kind of statement and expression that
 * TypeScript has, and each example compiles to the nodes, or is refused with the code, that it names.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { ts } from "ts-morph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { example } from "../../compiler/diagnostics/catalogue/example.js";
import { load, lower, type Lowered } from "../../compiler/frontend/index.js";
import type { GraphModel, NodeModel } from "../../compiler/model.js";
import { codeBlocks } from "../markdown.js";

const document = fileURLToPath(new URL("../../docs/LANGUAGE.md", import.meta.url));
const runtime = fileURLToPath(new URL("../../runtime/index.ts", import.meta.url));
const { SyntaxKind } = ts;

interface Row {
  readonly kinds: readonly string[];
  readonly body: string;
  readonly answer: string;
}

const rows = readFileSync(document, "utf8")
  .split("\n")
  .map((line) => /^\| (`.*?) +\| (`.*?`) +\| ((?:refused: )?`[^|]*`) +\| .* \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, kinds = "", body = "", answer = ""]): Row => {
    const text = body.replaceAll("\\|", "|").replace(/^(`+) ?(.*?) ?\1$/, "$2");
    return { kinds: quoted(kinds), body: text, answer };
  });

/** What is no part of a method: of a class or module only, or made by TypeScript for itself. */
const elsewhere = new Set([SyntaxKind.SyntheticExpression, SyntaxKind.SemicolonClassElement]);

/** Without the aliases (`FirstStatement`), which come after the kinds that they name. */
function nameOf(kind: ts.SyntaxKind): string {
  return Object.entries(SyntaxKind).find(([, value]) => value === kind)?.[0] ?? String(kind);
}

function range(first: ts.SyntaxKind, last: ts.SyntaxKind): ts.SyntaxKind[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, inner = ""]) => inner);
}

function kindsIn(node: ts.Node): Set<string> {
  const found = new Set<string>();
  const visit = (each: ts.Node): void => {
    found.add(nameOf(each.kind));
    ts.forEachChild(each, visit);
  };
  visit(node);
  return found;
}

function nodesOf(graph: GraphModel): NodeModel[] {
  return graph.nodes.flatMap((node) => [
    node,
    ...("graph" in node ? nodesOf(node.graph) : []),
    ...("handler" in node && node.handler !== undefined ? nodesOf(node.handler) : []),
  ]);
}

/** What is called beside the decorators is imported, too. */
function importing(text: string): string {
  const called = ["each", "start"].filter((name) => text.includes(` ${name}(`));
  return text.replace("{ action,", ["{ action,", ...called.map((name) => `${name},`)].join(" "));
}

describe("docs/LANGUAGE.md", () => {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "steno-language-")));
  const fileOf = (index: number): string => {
    const isJsx = rows[index]?.kinds.some((kind) => kind.startsWith("Jsx")) === true;
    return path.join(folder, `row-${index}.${isJsx ? "tsx" : "ts"}`);
  };
  const [block] = codeBlocks(document);
  const shown = path.join(folder, "shown.ts");
  let lowered: Lowered;
  const codesOf = (file: string): string[] =>
    lowered.diagnostics.filter(({ span }) => span?.file === file).map(({ code }) => code);
  const compiled = (file: string): NodeModel[] => {
    const source = lowered.sources.find((each) => each.file === file);
    return source?.sagas.flatMap((saga) => nodesOf(saga)) ?? [];
  };
  beforeAll(() => {
    const options = {
      ...{ target: "ES2023", lib: ["ES2023", "DOM", "ESNext.Decorators", "ESNext.Disposable"] },
      ...{ module: "NodeNext", strict: true, types: [], noUncheckedIndexedAccess: true },
      ...{ jsx: "preserve", paths: { "steno-runtime": [runtime] } },
    };
    const project = JSON.stringify({ compilerOptions: options, include: ["*.ts", "*.tsx"] });
    writeFileSync(path.join(folder, "tsconfig.json"), project);
    writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    rows.forEach(({ body }, index) => writeFileSync(fileOf(index), importing(example({ body }))));
    writeFileSync(shown, block?.text ?? "");
    const { program } = load({ paths: [], cwd: folder });
    if (program !== undefined) lowered = lower(program);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has every kind of statement and expression of TypeScript", () => {
    const all = [
      ...range(SyntaxKind.ObjectBindingPattern, SyntaxKind.ModuleBlock),
      ...range(SyntaxKind.FirstLiteralToken, SyntaxKind.NoSubstitutionTemplateLiteral),
      ...range(SyntaxKind.JsxElement, SyntaxKind.JsxClosingFragment),
      ...range(SyntaxKind.CaseClause, SyntaxKind.DefaultClause),
      ...range(SyntaxKind.PropertyAssignment, SyntaxKind.SpreadAssignment),
      ...[SyntaxKind.CaseBlock, SyntaxKind.CatchClause, SyntaxKind.ComputedPropertyName],
      ...[SyntaxKind.Identifier, SyntaxKind.PrivateIdentifier, SyntaxKind.ThisKeyword],
      ...[SyntaxKind.SuperKeyword, SyntaxKind.ImportKeyword, SyntaxKind.NullKeyword],
      ...[SyntaxKind.TrueKeyword, SyntaxKind.FalseKeyword],
    ];
    // A token of text between elements is none that can be written by itself.
    const jsxText = [SyntaxKind.JsxText, SyntaxKind.JsxTextAllWhiteSpaces];
    const wanted = all.filter((kind) => !elsewhere.has(kind) && !jsxText.includes(kind));
    const listed = new Set(rows.flatMap(({ kinds }) => kinds));
    expect(wanted.map(nameOf).filter((name) => !listed.has(name))).toEqual([]);
  });

  it.each(rows.map((row, index) => ({ ...row, index })))(
    "$kinds: $body",
    ({ kinds, answer, index }) => {
      const text = readFileSync(fileOf(index), "utf8");
      const parsed = ts.createSourceFile(fileOf(index), text, ts.ScriptTarget.Latest, true);
      expect([...kindsIn(parsed)]).toEqual(expect.arrayContaining([...kinds]));
      const codes = new Set(codesOf(fileOf(index)));
      codes.delete("name-by-position");
      if (answer.startsWith("refused: ")) {
        codes.delete("typescript");
        expect([...codes]).toEqual(quoted(answer));
      } else {
        expect([...codes]).toEqual([]);
        expect(compiled(fileOf(index)).map(({ kind }) => kind)).toEqual(quoted(answer));
      }
    },
  );

  it("shows which expression is glue, and which a node", () => {
    expect(codesOf(shown)).toEqual([]);
    const [, named = ""] = /^Its nodes are (.*), which/m.exec(readFileSync(document, "utf8")) ?? [];
    const nodes = compiled(shown).map(({ name, kind }) => `\`${name}\` (${kind})`);
    expect(nodes).toHaveLength(2);
    expect(named).toBe(nodes.join(" and "));
  });
});
