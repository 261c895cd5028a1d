/**
 * The text of a program as the reference interpreter reads it: its classes as syntax trees of plain
 * JavaScript, and the evaluation of what is synchronous in them, which is left to JavaScript itself.
 */
import { transform } from "esbuild";
import { ts } from "ts-morph";
import { label, twice } from "./kit.js";

/** One class of a program. */
export interface ClassText {
  /** Its methods, all of which are sagas. */
  readonly sagas: ReadonlyMap<string, ts.MethodDeclaration>;
  /** What its fields hold. */
  readonly fields: ReadonlyMap<string, ts.Expression>;
}

export type Script = ReadonlyMap<string, ClassText>;

/** Variables by name; those around them are in the prototype. */
export type Env = Record<string, unknown>;

/** Reads a program. */
export async function readScript(text: string): Promise<Script> {
  const { code } = await transform(text, { loader: "ts", format: "esm", target: "esnext" });
  // One spelling of members: a mutator writes `this["book"]` too.
  const spelled = code.replace(/\bthis\["(\w+)"\]/g, "this.$1");
  const file = ts.createSourceFile("p.js", spelled, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const script = new Map<string, ClassText>();
  for (const each of file.statements) {
    if (!ts.isClassDeclaration(each) || each.name === undefined) continue;
    const sagas = new Map<string, ts.MethodDeclaration>();
    const fields = new Map<string, ts.Expression>();
    for (const member of each.members) {
      const name = member.name?.getText() ?? "";
      if (ts.isMethodDeclaration(member)) sagas.set(name, member);
      if (!ts.isPropertyDeclaration(member)) continue;
      const { initializer } = member;
      if (initializer) fields.set(name, initializer);
    }
    script.set(each.name.text, { sagas, fields });
  }
  return script;
}

/** What a program imports. */
export function outermost(): Env {
  return Object.assign(Object.create(null) as Env, { label, twice });
}

/** What is evaluated here is no JavaScript: it is not the program that fails. */
export class Unreadable extends Error {}

type Compiled = (this: object, env: Env, value?: unknown) => unknown;

const cache = new WeakMap<ts.Node, Compiled>();

/** Evaluates what awaits nothing; `self` is `this`. */
export function evaluate(node: ts.Node, env: Env, self: object): unknown {
  return compiled(node, () => `return (${node.getText()});`).call(self, env);
}

/** Evaluates an expression, the given parts of which have their values already. */
export function evaluateWith(
  node: ts.Node,
  parts: ReadonlyMap<ts.Node, unknown>,
  env: Env,
  self: object,
): unknown {
  let text = node.getText();
  const inner: Env = Object.create(env) as Env;
  const start = node.getStart();
  for (const [place, [part, value]] of [...[...parts].entries()].reverse()) {
    inner[`part$${place}`] = value;
    text = `${text.slice(0, part.getStart() - start)}part$${place}${text.slice(part.end - start)}`;
  }
  return compiled(node, () => `return (${text});`).call(self, inner);
}

/** Declares what a name or pattern binds in a value. */
export function bind(pattern: ts.BindingName, value: unknown, env: Env, self: object): void {
  const text = pattern.getText();
  const names = namesOf(pattern).join();
  const run = compiled(pattern, () => `const ${text} = value$; return { ${names} };`);
  Object.assign(env, run.call(self, env, value));
}

function namesOf(pattern: ts.BindingName): string[] {
  if (ts.isIdentifier(pattern)) return [pattern.text];
  return pattern.elements.flatMap((element) =>
    ts.isOmittedExpression(element) ? [] : namesOf(element.name),
  );
}

/** `code` sees the variables, and `value$`. */
function compiled(node: ts.Node, code: () => string): Compiled {
  let found = cache.get(node);
  if (found === undefined) {
    try {
      found = new Function("env$", "value$", `with (env$) { ${code()} }`) as Compiled;
    } catch (error) {
      throw new Unreadable(`cannot read ${node.getText()}: ${String(error)}`);
    }
    cache.set(node, found);
  }
  return found;
}

/** The expressions directly in another one, in their order. */
export function partsOf(node: ts.Node): ts.Expression[] {
  const parts: ts.Expression[] = [];
  ts.forEachChild(node, (child) => {
    const isName =
      (ts.isPropertyAccessExpression(node) || ts.isPropertyAssignment(node)) && child === node.name;
    if (isName) return;
    // A callee is no value of its own: `list.map` needs its list.
    if (ts.isCallExpression(node) && child === node.expression) {
      if (ts.isPropertyAccessExpression(child)) parts.push(...partsOf(child));
    } else if (ts.isSpreadElement(child) || ts.isSpreadAssignment(child))
      parts.push(child.expression);
    else if (ts.isPropertyAssignment(child) || ts.isTemplateSpan(child))
      parts.push(...partsOf(child));
    else if (ts.isShorthandPropertyAssignment(child) || ts.isOmittedExpression(child)) return;
    else if (ts.isExpression(child)) parts.push(child);
  });
  return parts;
}

/** By operator: when the left side is the value, and the right one is not looked at. */
export const STAYS = new Map<ts.SyntaxKind, (value: unknown) => boolean>([
  [ts.SyntaxKind.AmpersandAmpersandToken, (value) => !value],
  [ts.SyntaxKind.BarBarToken, (value) => Boolean(value)],
  [ts.SyntaxKind.QuestionQuestionToken, (value) => value !== null && value !== undefined],
]);
