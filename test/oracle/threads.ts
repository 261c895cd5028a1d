/**
 * What a saga method does, read from its text as JavaScript would: its statements. Where several
 * things go on at once there are several threads; each knows what it has waited for, so that what is
 * started is known to be after that. What running means is in `reference.ts`.
 */
import { ts } from "ts-morph";
import { type At, Expressions, type Left, type Scope } from "./expressions.js";
import { bind, type Env } from "./script.js";

export class Threads<Call, S extends Scope> extends Expressions<Call, S> {
  /** Runs a saga to its end. */
  async run(inClass: string, saga: string, params: unknown, scope: S): Promise<unknown> {
    return (await this.saga(inClass, saga, [params], new Set(), scope).end).value;
  }

  protected async block(block: ts.Block, around: Env, at: At<Call, S>): Promise<Left | undefined> {
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
}
