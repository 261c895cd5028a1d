/**
 * The reference, first half: what the expressions of a saga method do, and what they start. What its
 * statements do is in `threads.ts`, which reads whole methods.
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

  /** What comes to an end when it is said to: after what was before it, and no call itself. */
  static of<Call>(
    past: ReadonlySet<Call>,
    begin: (succeed: (value?: unknown) => void) => void,
  ): Handle<Call> {
    return new Handle<Call>(
      new Promise((resolve) => begin((value) => resolve({ value, past: new Set(past) }))),
    );
  }
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
  event(name: string, within: string | undefined, past: ReadonlySet<Call>, scope: S): Handle<Call>;
  /** Starts a run of its own; `wait`: until it has ended. */
  start(
    saga: readonly [inClass: string, saga: string],
    given: { params: unknown; id: string | undefined; wait: boolean },
    past: ReadonlySet<Call>,
    scope: S,
  ): Handle<Call>;
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
export interface Left {
  readonly by: "break" | "continue" | "return";
  readonly value?: unknown;
}

export interface Self {
  readonly class$: string;
}

export interface At<Call, S> {
  readonly self: Self;
  readonly scope: S;
  readonly thread: { past: Set<Call> };
}

/** What is called to start something. */
const STARTS: ReadonlySet<string> = new Set(["sleep", "each", "start", "Promise.all"]);

function isEvent(made: ts.Expression): boolean {
  return made.getText() === "event()";
}

export abstract class Expressions<Call, S extends Scope> {
  readonly #selves = new Map<string, Self>();

  constructor(
    protected readonly script: Script,
    protected readonly semantics: Semantics<Call, S>,
  ) {}

  protected abstract block(
    block: ts.Block,
    around: Env,
    at: At<Call, S>,
  ): Promise<Left | undefined>;

  protected saga(
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
      const fields = [...(this.script.get(name)?.fields ?? [])].filter(
        ([, made]) => !isEvent(made),
      );
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

  protected async join(handle: unknown, { scope, thread }: At<Call, S>): Promise<unknown> {
    if (!(handle instanceof Handle)) return handle;
    const { value, past } = await (handle as Handle<Call>).end;
    for (const each of past) thread.past.add(each);
    await this.semantics.mayGoOn(scope);
    return value;
  }

  // --- expressions

  protected async value(node: ts.Expression, env: Env, at: At<Call, S>): Promise<unknown> {
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
    const event = this.eventOf(node, at);
    if (event !== undefined) {
      return this.semantics.event(event.name, event.within, at.thread.past, at.scope);
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
      if (first === undefined) return undefined;
      if (callee.getText() === "each") return this.each(node.arguments, env, at);
      if (callee.getText() === "start") return this.startRun(node.arguments, false, env, at);
      if (callee.getText() !== "sleep") return undefined;
      const duration = (await this.value(first, env, at)) as string;
      return this.semantics.sleep(duration, thread.past, scope);
    }
    const name = callee.name.text;
    const { expression: owned } = callee;
    if (name === "result" && ts.isCallExpression(owned) && owned.expression.getText() === "start") {
      return this.startRun(owned.arguments, true, env, at);
    }
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

  /** `each(list, { concurrency }, run)`: what an item waits for is none of the others' business. */
  private async each(
    [listed, options, run]: readonly ts.Expression[],
    env: Env,
    at: At<Call, S>,
  ): Promise<Handle<Call> | undefined> {
    if (listed === undefined || options === undefined || !run || !ts.isArrowFunction(run)) {
      return undefined;
    }
    const list = (await this.value(listed, env, at)) as unknown[];
    const { concurrency = Infinity } = evaluate(options, env, at.self) as { concurrency?: number };
    return this.beside(at, async (inner) => {
      const values: unknown[] = [];
      const pasts: Set<Call>[] = [];
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < list.length) {
          const index = next++;
          const { value, past } = await this.item(run, [list[index], index], env, inner).end;
          values[index] = value;
          pasts.push(past);
          await this.semantics.mayGoOn(at.scope);
        }
      };
      await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, work));
      for (const past of pasts) for (const each of past) inner.thread.past.add(each);
      return { by: "return", value: values };
    });
  }

  /** `start(this.saga, params, { id })` */
  private async startRun(
    [named, given, options]: readonly ts.Expression[],
    wait: boolean,
    env: Env,
    at: At<Call, S>,
  ): Promise<Handle<Call> | undefined> {
    if (named === undefined || !ts.isPropertyAccessExpression(named)) return undefined;
    const params = given && (await this.value(given, env, at));
    const { id } = (options ? await this.value(options, env, at) : {}) as { id?: string };
    const { class$ } = evaluate(named.expression, env, at.self) as Self;
    const saga = [class$, named.name.text] as const;
    return this.semantics.start(saga, { params, id, wait }, at.thread.past, at.scope);
  }

  /** `this.approval`, `this.approval.within("2m")` */
  private eventOf(
    node: ts.Node,
    { self: { class$ } }: Pick<At<Call, S>, "self">,
  ): { readonly name: string; readonly within: string | undefined } | undefined {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression, name } = node.expression;
      const [limit] = node.arguments;
      const found =
        name.text === "within" ? this.eventOf(expression, { self: { class$ } }) : undefined;
      return found && limit && { ...found, within: limit.getText().slice(1, -1) };
    }
    if (!ts.isPropertyAccessExpression(node)) return undefined;
    if (node.expression.kind !== ts.SyntaxKind.ThisKeyword) return undefined;
    const made = this.script.get(class$)?.fields.get(node.name.text);
    return made && isEvent(made) ? { name: node.name.text, within: undefined } : undefined;
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
          (this.starts(node.expression) || STARTS.has(node.expression.getText()))) ||
        [...this.script.keys()].some((class$) => this.eventOf(node, { self: { class$ } })) ||
        // An async block may have nothing to wait for.
        (ts.isArrowFunction(node) && node.modifiers !== undefined) ||
        ts.forEachChild(node, (child) => this.waits(child) || undefined) === true;
      this.#waits.set(node, found);
    }
    return found;
  }

  readonly #waits = new WeakMap<ts.Node, boolean>();
}
