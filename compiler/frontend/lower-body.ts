/**
 * Reads the statements of a saga method, or of an async block in it, in order. One function per kind
 * of statement; a kind that has none is refused by name.
 */
import { ts } from "ts-morph";
import * as sayGlue from "../diagnostics/catalogue/glue.js";
import * as say from "../diagnostics/catalogue/method.js";
import type { Code, CodePart } from "../model.js";
import { codeOf } from "./code.js";
import { shown, spanOf } from "./context.js";
import type { Thread } from "./graph.js";
import { awaitPromise, lowerExpression, markAwaited } from "./lower-expression.js";
import { NO_HOLES, type Method } from "./method.js";
import { bind } from "./patterns.js";
import { isAny } from "./types.js";
import { BROKEN, type Broken, type ReadyValue, type Value } from "./values.js";

/** What a body returns; undefined: nothing. */
export type Returned = ReadyValue | Broken | undefined;

/** What a statement does to those after it. */
interface Flow {
  readonly returned: Returned;
}

export function lowerBody(method: Method, thread: Thread, body: ts.ConciseBody): Returned {
  if (!ts.isBlock(body)) return ready(method, thread, body, lowerExpression(method, thread, body));
  return lowerStatements(method, thread, body.statements)?.returned;
}

function lowerStatements(
  method: Method,
  thread: Thread,
  statements: readonly ts.Statement[],
): Flow | undefined {
  let flow: Flow | undefined;
  for (const statement of statements) {
    if (flow !== undefined) {
      method.context.report(say.unreachable({ at: spanOf(statement) }));
      break;
    }
    flow = lowerStatement(method, thread, statement);
  }
  return flow;
}

function lowerStatement(method: Method, thread: Thread, node: ts.Statement): Flow | undefined {
  if (ts.isVariableStatement(node)) return lowerDeclarations(method, thread, node);
  if (ts.isExpressionStatement(node)) {
    lowerExpression(method, thread, node.expression, { unused: true });
    return undefined;
  }
  if (ts.isReturnStatement(node)) return { returned: lowerReturn(method, thread, node) };
  if (ts.isBlock(node)) return lowerStatements(method, thread, node.statements);
  if (ts.isEmptyStatement(node)) return undefined;
  const later = notYet(node);
  const at = spanOf(node.getFirstToken() ?? node);
  if (later !== undefined) method.context.report(say.notYet({ at, ...later }));
  else method.context.report(say.statementRefused({ at, ...refused(node) }));
  return undefined;
}

function lowerDeclarations(method: Method, thread: Thread, node: ts.VariableStatement): undefined {
  const { flags } = node.declarationList;
  if (
    (flags & ts.NodeFlags.Using) === ts.NodeFlags.Using ||
    (flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing
  ) {
    const what = "a `using` declaration";
    const help = "use the resource inside of one action";
    method.context.report(say.statementRefused({ at: spanOf(node), what, help }));
    return;
  }
  for (const declaration of node.declarationList.declarations) {
    const { name, initializer } = declaration;
    if (initializer === undefined) {
      const what = "a variable that is set later";
      const help = "declare it with its value";
      method.context.report(say.notYet({ at: spanOf(declaration), what, help }));
      bind(method, thread, name, { value: BROKEN, type: undefined });
      continue;
    }
    const annotated = annotation(method, declaration);
    const value = annotated.broken
      ? BROKEN
      : lowerExpression(method, thread, initializer, {
          type: annotated.parts,
          declared: annotated.type,
        });
    bind(method, thread, name, { value, type: annotated.code });
  }
}

interface Annotation {
  readonly broken: boolean;
  readonly parts: readonly CodePart[] | undefined;
  readonly type: ts.Type | undefined;
  /** Only if it is another type than that of the initializer. */
  readonly code: Code | undefined;
}

function annotation(method: Method, { type, initializer }: ts.VariableDeclaration): Annotation {
  if (type === undefined || initializer === undefined) {
    return { broken: false, parts: undefined, type: undefined, code: undefined };
  }
  const parts = codeOf(method, type, NO_HOLES);
  const declared = method.typeOf(type);
  const actual = method.typeOf(initializer);
  const { checker } = method;
  const same =
    isAny(actual) ||
    (checker.isTypeAssignableTo(declared, actual) && checker.isTypeAssignableTo(actual, declared));
  const code = same || parts === undefined ? undefined : { parts, span: spanOf(type) };
  return { broken: parts === undefined, parts, type: declared, code };
}

function lowerReturn(method: Method, thread: Thread, node: ts.ReturnStatement): Returned {
  if (node.expression === undefined) return undefined;
  const { expression } = node;
  const root = thread.body === method.declaration;
  const type = root ? resultType(method) : undefined;
  return ready(method, thread, expression, lowerExpression(method, thread, expression, { type }));
}

/** `Awaited<ReturnType<Rooms["bookRoom"]>>`, for a literal that needs to know what it is for. */
function resultType({ info, declaration }: Method): CodePart[] {
  const file = info.declaration.getSourceFile().fileName;
  const from = { kind: "export", exported: info.exportedAs } as const;
  const external = { name: info.name, typeOnly: true, file, from };
  const name = JSON.stringify(declaration.name.getText());
  return ["Awaited<ReturnType<", { external, shorthand: false }, `[${name}]>>`];
}

/** An async function that returns a promise waits for it. */
function ready(method: Method, thread: Thread, node: ts.Expression, value: Value): Returned {
  const settled = value.kind === "promise" ? awaitPromise(thread, value) : value;
  if (settled.kind === "code" || settled.kind === "tuple" || settled.kind === "broken")
    return settled;
  markAwaited(settled);
  method.context.report(sayGlue.promiseAsValue({ at: spanOf(node), what: `\`${shown(node)}\`` }));
  return BROKEN;
}

interface Refusal {
  readonly what: string;
  readonly help: string;
}

/** Statements of the language that this version does not compile. The one place that lists them. */
function notYet(node: ts.Statement): Refusal | undefined {
  const inside = "write the decision inside of an action, or choose between values with `?:`";
  if (ts.isIfStatement(node)) return { what: "`if`", help: inside };
  if (ts.isSwitchStatement(node)) return { what: "`switch`", help: inside };
  if (ts.isForOfStatement(node)) {
    return { what: "`for … of`", help: "write the actions out, or loop inside of one action" };
  }
  if (ts.isTryStatement(node)) {
    return { what: "`try`", help: "let it fail: what ran is undone; or catch inside of an action" };
  }
  if (ts.isThrowStatement(node)) {
    return { what: "`throw`", help: "throw inside of an action, or in a function that is called" };
  }
  return undefined;
}

/** Statements that are no part of the language. */
function refused(node: ts.Statement): Refusal {
  if (ts.isIterationStatement(node, false)) {
    return { what: "this loop", help: "loop inside of one action" };
  }
  if (ts.isFunctionDeclaration(node)) {
    const help =
      "write it as a const with an arrow function, or at the top of the module and export it";
    return { what: "a function declaration", help };
  }
  if (ts.isClassDeclaration(node) || ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node)) {
    return { what: "this declaration", help: "move it to the top of the module, and export it" };
  }
  if (ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    return { what: "a type declaration", help: "move it to the top of the module, and export it" };
  }
  if (ts.isLabeledStatement(node)) return { what: "a label", help: "remove it" };
  return { what: `\`${node.getFirstToken()?.getText() ?? shown(node)}\``, help: "remove it" };
}
