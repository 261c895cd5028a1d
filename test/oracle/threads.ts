/**
 * The reference, first half: what a saga method does, read from its text as JavaScript would. Where
 * several things go on at once there are several threads; each knows what it has waited for, so
 * that what is started is known to be after that. What running means is in `reference.ts`.
 */
import { ts } from "ts-morph";
import {
  bind,
  type Env,
  evaluate,
  evaluateWith,
  outermost,
  partsOf,
  type Script,
  STAYS,
  Unreadable,
} from "./script.js";

/** What is started and can be waited for: its value, and what is known to have ended by then. */
export class Handle<Call> {
  constructor(readonly end: Promise<{ readonly value: unknown; readonly past: Set<Call> }>) {}
}

/** The innermost `try` around a piece of a program, or the run. */
export interface Scope {
  readonly outer: Scope | undefined;
}

/** What running means. */
export interface Semantics<Call, S extends Scope> {
  /** Starts an action, or has it started as soon as that may be. */
  call(method: string, inputs: readonly unknown[], past: ReadonlySet<Call>, scope: S): Handle<Call>;
  /** Starts to wait. */
  sleep(duration: string, past: ReadonlySet<Call>, scope: S): Handle<Call>;
  tick(key: string, value: number): number;
  /** Something synchronous threw. Never returns. */
  fail(error: Error, scope: S): Promise<never>;
  /** Resolves when a thread may go on, which may be never. */
  mayGoOn(scope: S): Promise<void>;
  /** Opens a `try`; `caught` resolves when it has failed, and all of it is undone. */
  open(outer: S): { readonly scope: S; readonly caught: Promise<Error> };
  callsIn(scope: S): Iterable<Call>;
  /** The program has something that is not read here. */
  giveUp(error: Error): Promise<never>;
  readonly actions: ReadonlySet<string>;
}

/** How a statement ended, if not at its end. */
interface Left {
  readonly by: "break" | "continue" | "return";
  readonly value?: unknown;
}

interface Self {
  readonly class$: string;
}

interface At<Call, S> {
  readonly self: Self;
  readonly scope: S;
  readonly thread: { past: Set<Call> };
}

export class Threads<Call, S extends Scope> {
  readonly #selves = new Map<string, Self>();

  constructor(
    private readonly script: Script,
    private readonly semantics: Semantics<Call, S>,
  ) {}

  /** Runs the saga `main` to its end. */
  async main(params: unknown, scope: S): Promise<unknown> {
    return (await this.saga("Program", "main", [params], new Set(), scope).end).value;
  }

  private saga(
    inClass: string,
    name: string,
    inputs: readonly unknown[],
    past: ReadonlySet<Call>,
    scope: S,
  ): Handle<Call> {
    const method = this.script.get(inClass)?.sagas.get(name) as ts.MethodDeclaration;
    const at = { self: this.self(inClass), scope, thread: { past: new Set(past) } };
    const env = outermost();
    method.parameters.forEach((each, index) => bind(each.name, inputs[index], env, at.self));
    return this.beside(at, (inner) => this.block(method.body as ts.Block, env, inner));
  }

  private self(name: string): Self {
    const { semantics } = this;
    let self = this.#selves.get(name);
    if (self === undefined) {
      const tick = (key: string, value: number): number => semantics.tick(key, value);
      const fields = [...(this.script.get(name)?.fields ?? [])];
      const env = outermost();
      // `new Friend(…)` is the object that is kept for the class, by what a constructor may return.
      for (const each of this.script.keys()) env[each] = this.constructorOf(each);
      const held = Object.fromEntries(fields.map(([field, of]) => [field, evaluate(of, env, {})]));
      self = { class$: name, offset: 3, tick, ...held } as Self;
      this.#selves.set(name, self);
    }
    return self;
  }

  private constructorOf(name: string): () => Self {
    const self = (): Self => this.self(name);
    return function () {
      return self();
    };
  }

  /** A thread beside this one. */
  private beside(
    { self, scope, thread }: At<Call, S>,
    run: (at: At<Call, S>) => Promise<Left | undefined>,
  ): Handle<Call> {
    const at = { self, scope, thread: { past: new Set(thread.past) } };
    const end = run(at).then((left) => ({ value: left?.value, past: at.thread.past }));
    return new Handle(end.catch((error: Error) => this.semantics.giveUp(error)));
  }

  private async join(handle: unknown, { scope, thread }: At<Call, S>): Promise<unknown> {
    if (!(handle instanceof Handle)) return handle;
    const { value, past } = await (handle as Handle<Call>).end;
    for (const each of past) thread.past.add(each);
    await this.semantics.mayGoOn(scope);
    return value;
  }

  // --- statements

  private async block(block: ts.Block, around: Env, at: At<Call, S>): Promise<Left | undefined> {
    return this.all(block.statements, Object.create(around) as Env, at);
  }

  private async all(
    statements: readonly ts.Statement[],
    env: Env,
    at: At<Call, S>,
  ): Promise<Left | undefined> {
    for (const each of statements) {
      const left = await this.statement(each, env, at);
      if (left !== undefined) return left;
    }
    return undefined;
  }

  private async statement(
    node: ts.Statement,
    env: Env,
    at: At<Call, S>,
  ): Promise<Left | undefined> {
    if (ts.isBlock(node)) return this.block(node, env, at);
    if (ts.isIfStatement(node)) {
      const taken = (await this.value(node.expression, env, at))
        ? node.thenStatement
        : node.elseStatement;
      return taken && this.statement(taken, env, at);
    }
    if (ts.isForOfStatement(node)) return this.loop(node, env, at);
    if (ts.isSwitchStatement(node)) return this.choose(node, env, at);
    if (ts.isTryStatement(node)) return this.attempt(node, env, at);
    if (ts.isBreakStatement(node)) return { by: "break" };
    if (ts.isContinueStatement(node)) return { by: "continue" };
    if (ts.isReturnStatement(node)) {
      const value = node.expression && (await this.value(node.expression, env, at));
      // What an async function returns is waited for.
      return { by: "return", value: await this.join(value, at) };
    }
    if (ts.isThrowStatement(node)) {
      const error = await this.value(node.expression, env, at);
      return this.semantics.fail(error as Error, at.scope);
    }
    if (ts.isVariableStatement(node)) {
      for (const { name, initializer } of node.declarationList.declarations) {
        const value = initializer && (await this.value(initializer, env, at));
        bind(name, value, env, at.self);
      }
    } else if (ts.isExpressionStatement(node)) {
      await this.value(node.expression, env, at);
    } else if (!ts.isEmptyStatement(node)) throw new Error(`cannot read ${node.getText()}`);
    return undefined;
  }

  private async loop(
    node: ts.ForOfStatement,
    around: Env,
    at: At<Call, S>,
  ): Promise<Left | undefined> {
    const list = (await this.value(node.expression, around, at)) as Iterable<unknown>;
    const [declared] = (node.initializer as ts.VariableDeclarationList).declarations;
    for (const item of [...list]) {
      const env = Object.create(around) as Env;
      if (declared) bind(declared.name, item, env, at.self);
      const left = await this.statement(node.statement, env, at);
      if (left?.by === "return") return left;
      if (left?.by === "break") break;
    }
    return undefined;
  }

  private async choose(
    node: ts.SwitchStatement,
    around: Env,
    at: At<Call, S>,
  ): Promise<Left | undefined> {
    const value = await this.value(node.expression, around, at);
    const { clauses } = node.caseBlock;
    let taken = -1;
    for (const [place, clause] of clauses.entries()) {
      if (!ts.isCaseClause(clause)) continue;
      if ((await this.value(clause.expression, around, at)) === value) {
        taken = place;
        break;
      }
    }
    if (taken < 0) taken = clauses.findIndex(ts.isDefaultClause);
    if (taken < 0) return undefined;
    const env = Object.create(around) as Env;
    for (const clause of clauses.slice(taken)) {
      const left = await this.all(clause.statements, env, at);
      if (left !== undefined) return left.by === "break" ? undefined : left;
    }
    return undefined;
  }

  private async attempt(
    node: ts.TryStatement,
    env: Env,
    at: At<Call, S>,
  ): Promise<Left | undefined> {
    const { scope, caught } = this.semantics.open(at.scope);
    const done = this.block(node.tryBlock, env, { ...at, scope }).then((left) => ({ left }));
    const outcome = await Promise.race([done, caught]);
    await this.semantics.mayGoOn(at.scope);
    if (!(outcome instanceof Error)) return outcome.left;
    for (const each of this.semantics.callsIn(scope)) at.thread.past.add(each);
    const handler = node.catchClause as ts.CatchClause;
    const inner = Object.create(env) as Env;
    if (handler.variableDeclaration) {
      bind(handler.variableDeclaration.name, outcome, inner, at.self);
    }
    return this.block(handler.block, inner, at);
  }

  // --- expressions

  private async value(node: ts.Expression, env: Env, at: At<Call, S>): Promise<unknown> {
    if (!this.waits(node)) return this.sync(() => evaluate(node, env, at.self), at);
    if (ts.isParenthesizedExpression(node)) return this.value(node.expression, env, at);
    if (ts.isAwaitExpression(node)) {
      return this.join(await this.value(node.expression, env, at), at);
    }
    if (ts.isConditionalExpression(node)) {
      const taken = await this.value(node.condition, env, at);
      return this.value(taken ? node.whenTrue : node.whenFalse, env, at);
    }
    if (ts.isBinaryExpression(node)) {
      const { left, right, operatorToken } = node;
      if (operatorToken.kind === ts.SyntaxKind.EqualsToken)
        return this.assign(left, right, env, at);
      const stays = STAYS.get(operatorToken.kind);
      if (stays !== undefined) {
        const value = await this.value(left, env, at);
        return stays(value) ? value : this.value(right, env, at);
      }
    }
    if (ts.isCallExpression(node)) {
      if (this.isMissing(node.expression, env, at)) return undefined;
      const found = await this.started(node, env, at);
      if (found !== undefined) return found;
    }
    return this.inParts(node, env, at);
  }

  private async sync(run: () => unknown, at: At<Call, S>): Promise<unknown> {
    try {
      return run();
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      return this.semantics.fail(error as Error, at.scope);
    }
  }

  private async assign(
    left: ts.Expression,
    right: ts.Expression,
    env: Env,
    at: At<Call, S>,
  ): Promise<unknown> {
    const name = left.getText();
    const value = await this.value(right, env, at);
    let owner = env;
    while (!Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner) as Env;
    owner[name] = value;
    return value;
  }

  /** Something with parts that wait: the parts first, in their order. */
  private async inParts(node: ts.Expression, env: Env, at: At<Call, S>): Promise<unknown> {
    const parts = new Map<ts.Node, unknown>();
    for (const part of partsOf(node)) parts.set(part, await this.value(part, env, at));
    return this.sync(() => evaluateWith(node, parts, env, at.self), at);
  }

  /** A call that starts something; undefined: a call like others. */
  private async started(
    node: ts.CallExpression,
    env: Env,
    at: At<Call, S>,
  ): Promise<Handle<Call> | unknown[] | undefined> {
    const { expression: callee } = node;
    const { thread, scope } = at;
    const [first] = node.arguments;
    if (ts.isParenthesizedExpression(callee) && ts.isArrowFunction(callee.expression)) {
      const { body } = callee.expression;
      return this.beside(at, (inner) => this.body(body, env, inner));
    }
    if (!ts.isPropertyAccessExpression(callee)) {
      if (callee.getText() !== "sleep" || first === undefined) return undefined;
      const duration = (await this.value(first, env, at)) as string;
      return this.semantics.sleep(duration, thread.past, scope);
    }
    const name = callee.name.text;
    if (callee.getText() === "Promise.all" && first !== undefined) {
      const found = (await this.value(first, env, at)) as unknown[];
      return this.beside(at, async (inner) => {
        // A hole in the list is a value too.
        const joined = Array.from(found, async (each) => {
          const its = { ...inner, thread: { past: new Set(thread.past) } };
          const value = await this.join(each, its);
          return [value, its.thread.past] as const;
        });
        const ended = await Promise.all(joined);
        for (const [, past] of ended) for (const each of past) inner.thread.past.add(each);
        return { by: "return", value: ended.map(([value]) => value) };
      });
    }
    if (name === "map" && first !== undefined && ts.isArrowFunction(first)) {
      const list = (await this.value(callee.expression, env, at)) as unknown[];
      return list.map((item, index) => this.item(first, [item, index], env, at));
    }
    if (!this.starts(callee)) return undefined;
    const inputs: unknown[] = [];
    for (const each of node.arguments) {
      if (!ts.isSpreadElement(each)) inputs.push(await this.value(each, env, at));
      else inputs.push(...((await this.value(each.expression, env, at)) as unknown[]));
    }
    if (this.semantics.actions.has(name)) {
      return this.semantics.call(name, inputs, thread.past, scope);
    }
    const owner = evaluate(callee.expression, env, at.self) as Self;
    return this.saga(owner.class$, name, inputs, thread.past, scope);
  }

  private item(
    { parameters, body }: ts.ArrowFunction,
    values: readonly unknown[],
    around: Env,
    at: At<Call, S>,
  ): Handle<Call> {
    const env = Object.create(around) as Env;
    parameters.forEach((each, place) => bind(each.name, values[place], env, at.self));
    return this.beside(at, (inner) => this.body(body, env, inner));
  }

  private async body(body: ts.ConciseBody, env: Env, at: At<Call, S>): Promise<Left | undefined> {
    if (ts.isBlock(body)) return this.block(body, env, at);
    return { by: "return", value: await this.join(await this.value(body, env, at), at) };
  }

  /** Whether a callee is an action or a saga. */
  private starts(callee: ts.Expression): boolean {
    if (!ts.isPropertyAccessExpression(callee)) return false;
    if (!/^this(\??\.\w+)+$/.test(callee.getText())) return false;
    const { text } = callee.name;
    if (this.semantics.actions.has(text)) return true;
    return [...this.script.values()].some(({ sagas }) => sagas.has(text));
  }

  /** `this.friend?.saga(…)` without a friend: what it would be given is not evaluated. */
  private isMissing(callee: ts.Expression, env: Env, at: At<Call, S>): boolean {
    if (!callee.getText().includes("?.") || !this.starts(callee)) return false;
    const { expression } = callee as ts.PropertyAccessExpression;
    return (evaluate(expression, env, at.self) ?? undefined) === undefined;
  }

  /** Whether an expression awaits or starts something. */
  private waits(node: ts.Node): boolean {
    let found = this.#waits.get(node);
    if (found === undefined) {
      found =
        ts.isAwaitExpression(node) ||
        (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) ||
        (ts.isCallExpression(node) &&
          (this.starts(node.expression) ||
            ["sleep", "Promise.all"].includes(node.expression.getText()))) ||
        // An async block may have nothing to wait for.
        (ts.isArrowFunction(node) && node.modifiers !== undefined) ||
        ts.forEachChild(node, (child) => this.waits(child) || undefined) === true;
      this.#waits.set(node, found);
    }
    return found;
  }

  readonly #waits = new WeakMap<ts.Node, boolean>();
}
