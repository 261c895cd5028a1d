/**
 * Looks through an expression that runs as it is written (glue or compute) for what must not be in
 * it: changes of recorded data, comparisons by identity, promises, `this` as a whole, and so on.
 */
import * as say from "../../diagnostics/catalogue/glue.js";
import { reassigned } from "../../diagnostics/catalogue/variables.js";
import { MUTATING_FUNCTIONS, MUTATORS } from "./builtins.js";
import { bare, shown, spanOf, untyped } from "../context.js";
import { thisMember } from "./code.js";
import { isWithin, type Holes, type Method } from "../methods/method.js";
import { isDeclaredError } from "../classes/read-errors.js";
import { isPromise, mayBeObject } from "../types/types.js";
import ts from "../typescript.cjs";

/** Reports everything in the expression that is refused; false: there was something. */
export function checkPlain(method: Method, root: ts.Node, holes: Holes): boolean {
  const check = new Refusals(method, root, holes);
  check.visit(root);
  return check.sound;
}

class Refusals {
  sound = true;

  constructor(
    private readonly method: Method,
    private readonly root: ts.Node,
    private readonly holes: Holes,
  ) {}

  visit(node: ts.Node): void {
    if (this.holes.has(node)) return;
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    if (this.refuse(node)) {
      this.sound = false;
      return;
    }
    ts.forEachChild(node, (child) => this.visit(child));
  }

  /** Reports what is wrong with the node itself. */
  private refuse(node: ts.Node): boolean {
    const { context } = this.method;
    const at = spanOf(node);
    if (node.kind === ts.SyntaxKind.ThisKeyword) return this.refuseThis(node);
    if (node.kind === ts.SyntaxKind.SuperKeyword) {
      context.report(say.thisValue({ at, what: "`super`" }));
      return true;
    }
    if (ts.isPrivateIdentifier(node)) {
      context.report(say.thisValue({ at, what: `the private member \`${node.text}\`` }));
      return true;
    }
    if (ts.isFunctionLike(node)) return this.refuseFunction(node);
    if (ts.isIdentifier(node)) return this.refuseName(node);
    if (ts.isBinaryExpression(node)) return this.refuseBinary(node);
    if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      const changes =
        node.operator === ts.SyntaxKind.PlusPlusToken ||
        node.operator === ts.SyntaxKind.MinusMinusToken;
      return changes && this.refuseChange(node.operand, `\`${shown(node)}\``);
    }
    if (ts.isForInStatement(node) || ts.isForOfStatement(node)) {
      const { initializer } = node;
      return (
        !ts.isVariableDeclarationList(initializer) && this.refuseChange(initializer, "the loop")
      );
    }
    if (ts.isDeleteExpression(node)) return this.refuseChange(node.expression, "`delete`");
    if (ts.isCallExpression(node)) return this.refuseCall(node);
    const kind = unsupported(node);
    if (kind === undefined) return false;
    context.report(say.expressionRefused({ at, ...kind }));
    return true;
  }

  private refuseThis(node: ts.Node): boolean {
    if (thisMember(node.parent) !== undefined) return false;
    const computed = ts.isElementAccessExpression(node.parent);
    const hidden = ts.isPropertyAccessExpression(node.parent);
    if (hidden) return false;
    const what = computed ? "`this[…]` with a computed name" : "`this` as a whole";
    this.method.context.report(say.thisValue({ at: spanOf(node), what }));
    return true;
  }

  private refuseFunction(node: ts.SignatureDeclaration): boolean {
    const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
    const async = modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.AsyncKeyword);
    if (!async && !this.callsMarked(node)) return false;
    this.method.context.report(
      say.localFunction({
        ...{ at: spanOf(node), name: "this function inside of the method" },
        given: this.givenTo(node),
      }),
    );
    return true;
  }

  /** The method of a list that a function is given to. */
  private givenTo({ parent }: ts.Node): string | undefined {
    if (!ts.isCallExpression(parent)) return undefined;
    const callee = bare(parent.expression);
    if (!ts.isPropertyAccessExpression(callee) || !this.isLibMethod(callee)) return undefined;
    return callee.name.text;
  }

  /** Whether an action or a saga is called somewhere in a function. */
  private callsMarked(node: ts.Node): boolean {
    const name = ts.isCallExpression(node) ? thisMember(bare(node.expression)) : undefined;
    if (name !== undefined && this.method.info.marked.has(name)) return true;
    return ts.forEachChild(node, (child) => this.callsMarked(child)) ?? false;
  }

  private refuseName(node: ts.Identifier): boolean {
    const isGlobalName = node.text === "arguments" || node.text === "eval";
    if (!isGlobalName || this.method.local(node) !== undefined) return false;
    if (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) return false;
    const help =
      node.text === "eval"
        ? "write the code itself"
        : "use the parameter of the method by its name";
    this.method.context.report(
      say.expressionRefused({ at: spanOf(node), what: `\`${node.text}\``, help }),
    );
    return true;
  }

  private refuseBinary(node: ts.BinaryExpression): boolean {
    const operator = node.operatorToken.kind;
    if (operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment) {
      return this.refuseChange(node.left, "this assignment");
    }
    if (
      operator === ts.SyntaxKind.InstanceOfKeyword &&
      !this.isLib(node.right) &&
      !isDeclaredError(this.method, node.right)
    ) {
      const what = "`instanceof` with a class that is not built in";
      const help =
        `declare an error on the action that throws it, with @action({ errors: [${shown(node.right)}] }); ` +
        "of other values, look at a property that tells, such as `name`, `code` or `kind`";
      this.method.context.report(say.expressionRefused({ at: spanOf(node), what, help }));
      return true;
    }
    const compares =
      operator === ts.SyntaxKind.EqualsEqualsEqualsToken ||
      operator === ts.SyntaxKind.ExclamationEqualsEqualsToken ||
      operator === ts.SyntaxKind.EqualsEqualsToken ||
      operator === ts.SyntaxKind.ExclamationEqualsToken;
    if (!compares || !this.isObject(node.left) || !this.isObject(node.right)) return false;
    const what = `\`${node.operatorToken.getText()}\``;
    this.method.context.report(say.identity({ at: spanOf(node), what }));
    return true;
  }

  private isLib(node: ts.Expression): boolean {
    const source = this.method.checker.getSymbolAtLocation(node)?.declarations?.[0];
    return (
      source !== undefined &&
      this.method.context.program.isSourceFileDefaultLibrary(source.getSourceFile())
    );
  }

  private isObject(node: ts.Expression): boolean {
    return mayBeObject(this.method.typeOf(node));
  }

  /** Reports a change of a variable of the method, or of what one holds. */
  private refuseChange(target: ts.Expression, what: string, inside = false): boolean {
    const place = untyped(target);
    // What is written as an argument is new, and nobody else has it.
    const targets = inside ? undefined : targetsOf(place);
    if (targets !== undefined) return targets.some((each) => this.refuseChange(each, what));
    const owner = rootOf(place);
    const whole = place === owner && !inside;
    if (owner?.kind === ts.SyntaxKind.ThisKeyword) {
      const isMethod = ts.isCallExpression(place.parent) && place.parent.expression === place;
      const changed = isMethod && ts.isPropertyAccessExpression(place) ? place.expression : place;
      const name = shown(changed);
      this.method.context.report(say.mutation({ at: spanOf(target), what, name, own: true }));
      return true;
    }
    if (owner === undefined || !ts.isIdentifier(owner)) return false;
    const { checker } = this.method;
    const symbol = ts.isShorthandPropertyAssignment(owner.parent)
      ? checker.getShorthandAssignmentValueSymbol(owner.parent)
      : checker.getSymbolAtLocation(owner);
    const declared = symbol?.declarations?.[0];
    const added = /^`(push|unshift)`$/.test(what);
    const facts = { at: spanOf(target), what, name: owner.text, added };
    if (declared === undefined) return false;
    if (isWithin(declared, this.root)) {
      if (whole || this.isFresh(declared)) return false;
      this.method.context.report(say.mutation(facts));
      return true;
    }
    const outside = !isWithin(declared, this.method.declaration);
    if (outside && !whole) return false;
    const counts =
      ts.findAncestor(target, (each) => ts.isIterationStatement(each, false)) !== undefined;
    this.method.context.report(whole ? reassigned({ ...facts, counts }) : say.mutation(facts));
    return true;
  }

  /** Whether a variable inside of the expression holds something that was made there. */
  private isFresh(declared: ts.Declaration): boolean {
    if (ts.isParameter(declared)) {
      const made = declared.parent;
      const call = made.parent;
      const folded =
        ts.isCallExpression(call) &&
        ts.isPropertyAccessExpression(call.expression) &&
        /^reduce(Right)?$/.test(call.expression.name.text);
      return folded && made.parameters[0] === declared;
    }
    if (!ts.isVariableDeclaration(declared) || declared.initializer === undefined) return false;
    const value = untyped(declared.initializer);
    return (
      ts.isArrayLiteralExpression(value) ||
      ts.isObjectLiteralExpression(value) ||
      ts.isNewExpression(value) ||
      ts.isCallExpression(value)
    );
  }

  private refuseCall(node: ts.CallExpression): boolean {
    const callee = bare(node.expression);
    const { checker, context } = this.method;
    const returned = checker.getResolvedSignature(node)?.getReturnType();
    if (returned !== undefined && isPromise(this.method.context, returned)) {
      const what = `\`${shown(node.expression)}\``;
      context.report(say.awaitUnknown({ at: spanOf(node), what, hint: undefined }));
      return true;
    }
    if (!ts.isPropertyAccessExpression(callee)) return false;
    const name = callee.name.text;
    const first = node.arguments[0];
    const owner = callee.expression.getText();
    if ((owner === "Object" || owner === "Reflect") && MUTATING_FUNCTIONS.has(name) && first) {
      return this.refuseChange(first, `\`${owner}.${name}\``, true);
    }
    if (MUTATORS.has(name) && this.isLibMethod(callee)) {
      return this.refuseChange(callee, `\`${name}\``);
    }
    const looks =
      /^(includes|indexOf|lastIndexOf|get|has)$/.test(name) ||
      (owner === "Object" && name === "is");
    if (looks && first !== undefined && this.isObject(first) && this.isLibMethod(callee)) {
      context.report(say.identity({ at: spanOf(node), what: `\`${name}\`` }));
      return true;
    }
    return false;
  }

  private isLibMethod(callee: ts.PropertyAccessExpression): boolean {
    const symbol = this.method.checker.getSymbolAtLocation(callee.name);
    const source = symbol?.declarations?.[0]?.getSourceFile();
    return source !== undefined && this.method.context.program.isSourceFileDefaultLibrary(source);
  }
}

/** What `[a, b.c] = …` and `({ a, b: c } = …)` assign to; undefined: one place only. */
function targetsOf(node: ts.Expression): ts.Expression[] | undefined {
  const written = ts.isArrayLiteralExpression(node)
    ? node.elements.map((each) => (ts.isSpreadElement(each) ? each.expression : each))
    : ts.isObjectLiteralExpression(node)
      ? node.properties.map((each) =>
          ts.isPropertyAssignment(each)
            ? each.initializer
            : ts.isSpreadAssignment(each)
              ? each.expression
              : ts.isShorthandPropertyAssignment(each)
                ? each.name
                : undefined,
        )
      : undefined;
  return written
    ?.filter((each) => each !== undefined)
    .map((each) =>
      ts.isBinaryExpression(each) && each.operatorToken.kind === ts.SyntaxKind.EqualsToken
        ? each.left
        : each,
    );
}

/** The variable that a chain of members starts with. */
function rootOf(node: ts.Expression): ts.Expression | undefined {
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
    return rootOf(untyped(node.expression));
  }
  return node;
}

/** Kinds of expression that have no meaning in a compiled method. */
function unsupported(node: ts.Node): { readonly what: string; readonly help: string } | undefined {
  if (ts.isYieldExpression(node)) return { what: "`yield`", help: "write a list instead" };
  if (ts.isClassExpression(node) || ts.isClassDeclaration(node)) {
    return { what: "a class", help: "declare it at the top level of the module, and export it" };
  }
  if (ts.isMetaProperty(node)) {
    return { what: `\`${node.getText()}\``, help: "move what needs it into an action" };
  }
  if (ts.isJsxElement(node) || ts.isJsxSelfClosingElement(node) || ts.isJsxFragment(node)) {
    return { what: "JSX", help: "make it in an action" };
  }
  if (node.kind === ts.SyntaxKind.ImportKeyword) {
    return { what: "`import()`", help: "import at the top of the module, or load it in an action" };
  }
  if (ts.isAwaitExpression(node)) {
    return { what: "`await` at this place", help: "await into a variable before" };
  }
  if (ts.isTypeAssertionExpression(node)) {
    return { what: "`<T>value`", help: "write `value as T`" };
  }
  return undefined;
}
