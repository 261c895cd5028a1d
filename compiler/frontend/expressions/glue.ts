/**
 * Decides what is glue: an expression that cannot throw on values of its static type and only reads
 * or allocates. Whatever is not shown to be that is a compute node, so a "no" is always correct.
 */
import { BUILTINS, CONSTANTS } from "./builtins.js";
import { bare, resolve } from "../context.js";
import { isConstant, isLiteral } from "./literals.js";
import { isWithin, type Holes, type Method } from "../methods/method.js";
import { isDeclaredError } from "../classes/read-errors.js";
import { every, isAny, isSafePrimitive, mayBeNullish, mayBeObject } from "../types/types.js";
import ts from "../typescript.cjs";

/** Whether an expression is glue. */
export function isGlue(method: Method, node: ts.Expression, holes: Holes): boolean {
  return new Glue(method, holes).is(node);
}

/** Whether a value can be relied on to be what its type says. */
export function isTrusted(method: Method, node: ts.Expression, holes: Holes): boolean {
  return new Glue(method, holes).trusted(node);
}

class Glue {
  constructor(
    private readonly method: Method,
    private readonly holes: Holes,
  ) {}

  is(node: ts.Node): boolean {
    if (this.holes.has(node)) return true;
    if (isLiteral(node)) return true;
    if (ts.isIdentifier(node)) return this.identifier(node);
    if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node))
      return this.is(node.expression);
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) return this.is(node.expression);
    if (ts.isTemplateExpression(node)) {
      return node.templateSpans.every(({ expression }) => this.primitive(expression));
    }
    if (ts.isPropertyAccessExpression(node)) return this.property(node);
    if (ts.isElementAccessExpression(node)) return this.element(node);
    if (ts.isBinaryExpression(node)) return this.binary(node);
    if (ts.isPrefixUnaryExpression(node)) return this.unary(node);
    if (ts.isTypeOfExpression(node) || ts.isVoidExpression(node)) return this.is(node.expression);
    if (ts.isConditionalExpression(node)) {
      return this.is(node.condition) && this.is(node.whenTrue) && this.is(node.whenFalse);
    }
    if (ts.isArrayLiteralExpression(node))
      return node.elements.every((each) => this.arrayElement(each));
    if (ts.isObjectLiteralExpression(node)) {
      return node.properties.every((each) => this.objectProperty(each));
    }
    if (ts.isArrowFunction(node)) return this.closure(node);
    if (ts.isCallExpression(node)) return this.call(node);
    return false;
  }

  trusted(written: ts.Node): boolean {
    const hole = this.holes.get(written);
    if (hole !== undefined) return hole.trusted;
    const node = written as ts.Expression;
    if (isAny(this.method.typeOf(node))) return false;
    if (ts.isParenthesizedExpression(node)) return this.trusted(node.expression);
    if (ts.isSatisfiesExpression(node)) return this.trusted(node.expression);
    if (ts.isAsExpression(node)) return this.trusted(node.expression) && this.isUpcast(node);
    if (ts.isNonNullExpression(node)) {
      return this.trusted(node.expression) && !mayBeNullish(this.method.typeOf(node.expression));
    }
    if (ts.isElementAccessExpression(node)) {
      return this.trusted(node.expression) && this.elementIsTyped(node);
    }
    if (ts.isPropertyAccessExpression(node))
      return this.trusted(node.expression) && !this.isIndexed(node);
    if (ts.isConditionalExpression(node)) {
      return this.trusted(node.whenTrue) && this.trusted(node.whenFalse);
    }
    if (ts.isBinaryExpression(node)) return this.trusted(node.left) && this.trusted(node.right);
    if (ts.isArrayLiteralExpression(node)) {
      return node.elements.every((each) =>
        this.trusted(ts.isSpreadElement(each) ? each.expression : each),
      );
    }
    if (ts.isObjectLiteralExpression(node)) {
      return node.properties.every((each) =>
        ts.isPropertyAssignment(each)
          ? this.trusted(each.initializer)
          : ts.isSpreadAssignment(each)
            ? this.trusted(each.expression)
            : ts.isShorthandPropertyAssignment(each) && this.trusted(each.name),
      );
    }
    if (ts.isIdentifier(node)) {
      const local = this.method.local(node);
      const binding = local && this.method.binding(local);
      return binding === undefined || (binding.kind === "variable" && binding.trusted);
    }
    if (ts.isCallExpression(node)) return this.callIsTrusted(node);
    return true;
  }

  /** A built-in that hands on what it was given is as trusted as that. */
  private callIsTrusted(node: ts.CallExpression): boolean {
    const callee = bare(node.expression);
    const receiver = ts.isPropertyAccessExpression(callee) ? this.trusted(callee.expression) : true;
    return (
      receiver &&
      node.arguments.every((argument) => {
        const callback = bare(argument);
        if (!ts.isArrowFunction(callback)) return this.trusted(argument);
        return ts.isBlock(callback.body) || this.trusted(callback.body);
      })
    );
  }

  private isUpcast(node: ts.AsExpression): boolean {
    if (ts.isConstTypeReference(node.type)) return true;
    const { checker } = this.method;
    const [from, to] = [this.method.typeOf(node.expression), this.method.typeOf(node)];
    return checker.isTypeAssignableTo(from, to);
  }

  private elementIsTyped(node: ts.ElementAccessExpression): boolean {
    if (this.method.context.program.getCompilerOptions().noUncheckedIndexedAccess === true)
      return true;
    const { checker } = this.method;
    return (
      checker.isTupleType(this.method.typeOf(node.expression)) &&
      ts.isNumericLiteral(node.argumentExpression)
    );
  }

  /** Whether a property comes out of an index signature, without `| undefined` being said. */
  private isIndexed(node: ts.PropertyAccessExpression): boolean {
    if (this.method.context.program.getCompilerOptions().noUncheckedIndexedAccess === true)
      return false;
    return this.method.checker.getSymbolAtLocation(node.name) === undefined;
  }

  private identifier(node: ts.Identifier): boolean {
    const { checker } = this.method;
    const shorthand = ts.isShorthandPropertyAssignment(node.parent);
    const symbol = shorthand
      ? checker.getShorthandAssignmentValueSymbol(node.parent)
      : checker.getSymbolAtLocation(node);
    const declared = symbol?.declarations?.[0];
    if (symbol === undefined || declared === undefined) return CONSTANTS.has(node.text);
    if (isWithin(declared, this.method.declaration)) return true;
    if (this.isLib(symbol)) return CONSTANTS.has(node.text);
    return isConstant(resolve(checker, symbol));
  }

  private property(node: ts.PropertyAccessExpression): boolean {
    const symbol = this.method.checker.getSymbolAtLocation(node.name);
    if (symbol && isConstant(resolve(this.method.checker, symbol))) return true;
    if (this.isLibMember(node, ["length"]))
      return this.is(node.expression) && this.trusted(node.expression);
    // What is `any` is what nothing is known of, such as a property that there is not.
    return this.isReadable(node) && this.isData(node) && !isAny(this.method.typeOf(node));
  }

  private element(node: ts.ElementAccessExpression): boolean {
    const { checker } = this.method;
    const object = this.method.typeOf(node.expression);
    const listed =
      checker.isArrayType(object) || checker.isTupleType(object) || !this.isLibType(object);
    return listed && this.isReadable(node) && this.primitive(node.argumentExpression);
  }

  /** Whether reading a member of the object cannot throw. */
  private isReadable(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): boolean {
    const object = node.expression;
    if (!this.is(object) || !this.trusted(object)) return false;
    const type = this.method.typeOf(object);
    if (isAny(type)) return false;
    // In the rest of a chain TypeScript itself holds that only the start may be undefined.
    return node.questionDotToken !== undefined || ts.isOptionalChain(object) || !mayBeNullish(type);
  }

  /** Whether a property is no getter and no method. */
  private isData(node: ts.PropertyAccessExpression): boolean {
    const symbol = this.method.checker.getSymbolAtLocation(node.name);
    if (symbol === undefined) return true;
    return (
      (symbol.flags &
        (ts.SymbolFlags.Accessor | ts.SymbolFlags.Method | ts.SymbolFlags.Function)) ===
        0 && !this.isLib(symbol)
    );
  }

  private isLibMember(node: ts.PropertyAccessExpression, names: readonly string[]): boolean {
    const symbol = this.method.checker.getSymbolAtLocation(node.name);
    return names.includes(node.name.text) && symbol !== undefined && this.isLib(symbol);
  }

  private isLib(symbol: ts.Symbol): boolean {
    const declarations = symbol.declarations ?? [];
    const { program } = this.method.context;
    return (
      declarations.length > 0 &&
      declarations.every((each) => program.isSourceFileDefaultLibrary(each.getSourceFile()))
    );
  }

  private isLibType(type: ts.Type): boolean {
    const symbol = type.getSymbol();
    return symbol !== undefined && this.isLib(symbol);
  }

  /** Glue whose value is certainly a string, a number, a boolean, null or undefined. */
  private primitive(node: ts.Expression): boolean {
    return this.is(node) && this.trusted(node) && isSafePrimitive(this.method.typeOf(node));
  }

  private binary(node: ts.BinaryExpression): boolean {
    switch (node.operatorToken.kind) {
      case ts.SyntaxKind.AmpersandAmpersandToken:
      case ts.SyntaxKind.BarBarToken:
      case ts.SyntaxKind.QuestionQuestionToken:
      case ts.SyntaxKind.EqualsEqualsEqualsToken:
      case ts.SyntaxKind.ExclamationEqualsEqualsToken:
        return this.is(node.left) && this.is(node.right);
      case ts.SyntaxKind.EqualsEqualsToken:
      case ts.SyntaxKind.ExclamationEqualsToken:
        return this.looseEquality(node);
      case ts.SyntaxKind.InKeyword:
        return this.primitive(node.left) && this.isObject(node.right);
      case ts.SyntaxKind.InstanceOfKeyword:
        return (
          this.is(node.left) &&
          ts.isIdentifier(node.right) &&
          (this.isLibObject(node.right) || isDeclaredError(this.method, node.right))
        );
      case ts.SyntaxKind.PlusToken:
      case ts.SyntaxKind.MinusToken:
      case ts.SyntaxKind.AsteriskToken:
      case ts.SyntaxKind.SlashToken:
      case ts.SyntaxKind.PercentToken:
      case ts.SyntaxKind.AsteriskAsteriskToken:
      case ts.SyntaxKind.LessThanToken:
      case ts.SyntaxKind.LessThanEqualsToken:
      case ts.SyntaxKind.GreaterThanToken:
      case ts.SyntaxKind.GreaterThanEqualsToken:
      case ts.SyntaxKind.AmpersandToken:
      case ts.SyntaxKind.BarToken:
      case ts.SyntaxKind.CaretToken:
      case ts.SyntaxKind.LessThanLessThanToken:
      case ts.SyntaxKind.GreaterThanGreaterThanToken:
      case ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken:
        return this.primitive(node.left) && this.primitive(node.right);
      default:
        return false;
    }
  }

  /** Glue whose value is certainly an object. */
  private isObject(node: ts.Expression): boolean {
    const object = (type: ts.Type): boolean => (type.flags & ts.TypeFlags.Object) !== 0;
    return this.is(node) && this.trusted(node) && every(this.method.typeOf(node), object);
  }

  /** `x == null` looks only whether something is there; else objects would be converted. */
  private looseEquality(node: ts.BinaryExpression): boolean {
    const isNull = (side: ts.Expression): boolean => {
      const type = this.method.typeOf(side);
      return (type.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined)) !== 0;
    };
    if (isNull(node.left) || isNull(node.right)) return this.is(node.left) && this.is(node.right);
    return this.primitive(node.left) && this.primitive(node.right);
  }

  private unary(node: ts.PrefixUnaryExpression): boolean {
    switch (node.operator) {
      case ts.SyntaxKind.ExclamationToken:
        return this.is(node.operand);
      case ts.SyntaxKind.PlusToken:
      case ts.SyntaxKind.MinusToken:
      case ts.SyntaxKind.TildeToken:
        return this.primitive(node.operand);
      default:
        return false;
    }
  }

  private arrayElement(node: ts.Expression): boolean {
    if (!ts.isSpreadElement(node)) return ts.isOmittedExpression(node) || this.is(node);
    return this.isList(node.expression);
  }

  /** Glue whose value is certainly an array. */
  private isList(node: ts.Expression): boolean {
    const type = this.method.typeOf(node);
    const { checker } = this.method;
    return (
      this.is(node) &&
      this.trusted(node) &&
      (checker.isArrayType(type) || checker.isTupleType(type))
    );
  }

  private objectProperty(node: ts.ObjectLiteralElementLike): boolean {
    if (ts.isSpreadAssignment(node)) {
      // Null and undefined spread to nothing; getters are out, since data has none.
      return this.is(node.expression) && this.trusted(node.expression);
    }
    if (ts.isShorthandPropertyAssignment(node)) return this.is(node.name);
    if (!ts.isPropertyAssignment(node)) return false;
    if (ts.isComputedPropertyName(node.name) && !this.primitive(node.name.expression)) return false;
    return this.is(node.initializer);
  }

  /** A function as a value is only allocated; it may hold on to locals, but not to `this`. */
  private closure(node: ts.ArrowFunction): boolean {
    const touchesThis = (inner: ts.Node): boolean =>
      inner.kind === ts.SyntaxKind.ThisKeyword || (ts.forEachChild(inner, touchesThis) ?? false);
    return !touchesThis(node);
  }

  private call(node: ts.CallExpression): boolean {
    if (node.questionDotToken !== undefined) return false;
    const takes = this.builtin(bare(node.expression));
    if (takes === undefined) return false;
    if (takes === "none") return node.arguments.length === 0;
    return node.arguments.every((argument, index) => {
      if (ts.isSpreadElement(argument)) {
        return takes === "any" && this.isList(argument.expression);
      }
      if (takes === "primitive") return this.primitive(argument);
      if (takes === "callback" && index === 0) return this.callback(bare(argument));
      return this.is(argument);
    });
  }

  private builtin(callee: ts.Expression): ReturnType<typeof BUILTINS.get> {
    const symbol = this.method.checker.getSymbolAtLocation(callee);
    if (symbol === undefined || !this.isLib(symbol)) return undefined;
    if (ts.isIdentifier(callee)) return BUILTINS.get(`global.${callee.text}`);
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    const owner = symbol.declarations?.[0]?.parent;
    if (owner === undefined || !ts.isInterfaceDeclaration(owner)) return undefined;
    const takes = BUILTINS.get(`${owner.name.text}.${callee.name.text}`);
    if (takes === undefined) return undefined;
    const { expression } = callee;
    if (ts.isIdentifier(expression) && this.isLibObject(expression)) return takes;
    return this.isReadable(callee) ? takes : undefined;
  }

  /** `Math`, `Number`, `Object`: the library's own, by symbol. */
  private isLibObject(node: ts.Identifier): boolean {
    const symbol = this.method.checker.getSymbolAtLocation(node);
    return symbol !== undefined && this.isLib(symbol);
  }

  /** A function written on the spot, whose body is one glue expression. */
  private callback(node: ts.Expression): boolean {
    if (!ts.isArrowFunction(node) || ts.isBlock(node.body)) return false;
    const plain = node.parameters.every(
      (parameter) =>
        parameter.dotDotDotToken === undefined &&
        (ts.isIdentifier(parameter.name) || this.flatPattern(parameter.name)),
    );
    return plain && node.modifiers === undefined && this.is(node.body);
  }

  /** `{ id, name }` of an object that is there. */
  private flatPattern(pattern: ts.BindingPattern): boolean {
    return (
      ts.isObjectBindingPattern(pattern) &&
      !isAny(this.method.typeOf(pattern)) &&
      !mayBeNullish(this.method.typeOf(pattern)) &&
      mayBeObject(this.method.typeOf(pattern)) &&
      pattern.elements.every(
        (each) =>
          ts.isIdentifier(each.name) &&
          each.initializer === undefined &&
          (each.propertyName === undefined || ts.isIdentifier(each.propertyName)),
      )
    );
  }
}
