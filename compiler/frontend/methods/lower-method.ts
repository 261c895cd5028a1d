/** Reads one saga method of one class, the sagas that it embeds included. */
import * as sayGlue from "../../diagnostics/catalogue/glue.js";
import * as say from "../../diagnostics/catalogue/method.js";
import * as sayProject from "../../diagnostics/catalogue/project.js";
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import type { SagaModel } from "../../model.js";
import { spanOf, type Context } from "../context.js";
import { finish } from "./finish.js";
import { Thread } from "./thread.js";
import { addOutputs, lowerBody } from "./lower-body.js";
import { Method } from "./method.js";
import { bind } from "./patterns.js";
import type { ClassInfo, ClassReader, SagaMethod } from "../classes/read-class.js";
import { checkErrorNames, declaredErrors } from "../classes/read-errors.js";
import { paramsOf } from "../types/stored.js";
import { awaited, isVoid } from "../types/types.js";
import ts from "../typescript.cjs";
import { variableValue } from "./values.js";

/** Reads sagas; each saga of each class once, however often it is embedded. */
export class SagaReader {
  private readonly done = new Map<string, SagaModel | undefined>();
  private readonly open: { readonly key: string; readonly name: string }[] = [];
  private readonly ids = new Map<ts.Node, number>();

  constructor(
    private readonly context: Context,
    private readonly classes: ClassReader,
  ) {}

  /** Undefined: it has errors, which have been reported. */
  read(info: ClassInfo, name: string, at: ts.Node): SagaModel | undefined {
    const key = `${this.id(info.declaration)}.${name}`;
    const start = this.open.findIndex((each) => each.key === key);
    const full = `${info.name}.${name}`;
    if (start >= 0) {
      const path = [...this.open.slice(start).map((each) => each.name), full];
      this.context.report(say.recursion({ at: spanOf(at), path }));
      return undefined;
    }
    if (this.done.has(key)) return this.done.get(key);
    this.open.push({ key, name: full });
    const saga = info.sagas.get(name);
    const model = saga && this.readSafely(info, saga);
    this.open.pop();
    this.done.set(key, model);
    return model;
  }

  private id(node: ts.Node): number {
    const known = this.ids.get(node) ?? this.ids.size;
    this.ids.set(node, known);
    return known;
  }

  /** A fault of our own concerns one saga, and says so; the others are compiled. */
  private readSafely(info: ClassInfo, saga: SagaMethod): SagaModel | undefined {
    let failed = false;
    const report = (diagnostic: Diagnostic): void => {
      if (diagnostic.severity === "error") failed = true;
      this.context.report(diagnostic);
    };
    try {
      const model = this.readNew({ ...this.context, report }, info, saga);
      return failed || !info.sound ? undefined : model;
    } catch (error) {
      const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const what = `the saga ${info.name}.${saga.method}`;
      report(sayProject.internal({ at: spanOf(saga.declaration.name), what, trace }));
      return undefined;
    }
  }

  private readNew(context: Context, info: ClassInfo, saga: SagaMethod): SagaModel | undefined {
    const { declaration } = saga;
    if (declaration.body === undefined) return undefined;
    const embed: Method["embed"] = (other, name, at) => this.read(other, name, at);
    const method = new Method(context, this.classes, info, declaration, embed);
    const thread = Thread.root(declaration);
    bindParams(method, thread);
    const returns = lowerBody(method, thread, declaration.body);
    if (!method.sound || returns.some(({ value }) => value?.kind === "broken")) return undefined;
    if (!isVoidMethod(method)) addOutputs(thread.frame, returns, spanOf(declaration));
    const errors = declaredErrors(method);
    checkErrorNames(method, errors);
    const name = saga.name ?? `${info.name}.${saga.method}`;
    return {
      name,
      exportName: (saga.name ?? saga.method).split(".").at(-1) ?? saga.method,
      className: info.name,
      method: saga.method,
      span: spanOf(declaration.name),
      file: info.declaration.getSourceFile().fileName,
      exportedAs: info.exportedAs,
      errors,
      hasParams: declaration.parameters.length > 0,
      params: paramsOf(saga.types),
      result: saga.types.output,
      ...finish(method, thread.frame),
    };
  }
}

/** The parameter, and what its pattern takes out of it. */
function bindParams(method: Method, thread: Thread): void {
  const parameter = method.declaration.parameters[0];
  if (parameter === undefined) return;
  if (parameter.initializer !== undefined) {
    const what = "a default for the params";
    const help = "make its properties optional, and give each its default in the method with `??`";
    method.context.report(
      sayGlue.expressionRefused({ at: spanOf(parameter.initializer), what, help }),
    );
  }
  const variable = method.addVariable("params", false, { kind: "params" });
  const value = variableValue(variable.id, undefined);
  bind(method, thread, parameter.name, { value, type: undefined });
}

function isVoidMethod({ context, checker, declaration }: Method): boolean {
  const signature = checker.getSignatureFromDeclaration(declaration);
  const output = signature && awaited(context, signature.getReturnType());
  return output !== undefined && isVoid(output);
}
