/**
 * Reads `try { … } catch { … }`: a scope, with a graph for what is tried and one for what is done
 * when that fails.
 */
import * as say from "../diagnostics/catalogue/method.js";
import { setInTry } from "../diagnostics/catalogue/variables.js";
import { bindingValue, choose, chooseBinding, enter, type Ending } from "./arms.js";
import { spanOf } from "./context.js";
import type { Draft } from "./graph.js";
import { leaveContainer, type Way } from "./leave.js";
import { checkPending, lowerStatements } from "./lower-body.js";
import { isWithin, type Method } from "./method.js";
import { bind } from "./patterns.js";
import type { Exit, Path, Returned, Thread } from "./thread.js";
import ts from "./typescript.cjs";
import { BROKEN, toCode, UNDEFINED, variableValue, type CodeValue } from "./values.js";

export function lowerTry(method: Method, thread: Thread, node: ts.TryStatement): void {
  if (node.finallyBlock !== undefined) {
    const what = "`finally`";
    const help = "write what it does after the `try`, and in the `catch` before what leaves it";
    method.context.report(say.statementRefused({ at: spanOf(node.finallyBlock), what, help }));
  }
  const { catchClause } = node;
  if (catchClause === undefined) return lowerStatements(method, thread, [node.tryBlock]);
  const tried = thread.inside(thread.body);
  const handling = thread.inside(thread.body);
  const content = { kind: "scope", graph: tried.frame, handler: handling.frame } as const;
  const draft = method.addDraft(thread, content, node, "try");
  const { waits: before } = method;
  enter(method, tried, tried.path);
  lowerStatements(method, tried, [node.tryBlock]);
  forgetOwn(tried, node.tryBlock);
  const unsure = unsureAfter(method, thread, tried);
  enter(method, handling, handling.path);
  bindError(method, handling, draft, catchClause);
  for (const symbol of unsure) method.unsure.add(symbol);
  lowerStatements(method, handling, [catchClause.block]);
  for (const symbol of unsure) method.unsure.delete(symbol);
  forgetOwn(handling, catchClause.block);
  leaveGraph(method, tried);
  leaveGraph(method, handling);
  enter(method, thread, thread.path);
  thread.pass(draft, method.waits > before);
  joinLets(method, thread, draft, tried.path, handling.path, unsure, node);
  const goesOn = tried.path !== undefined || handling.path !== undefined;
  leaveContainer(method, thread, draft, waysOut(method, draft, tried.exits, handling.exits));
  if (!goesOn) enter(method, thread, undefined);
}

function bindError(
  method: Method,
  thread: Thread,
  draft: Draft,
  { variableDeclaration }: ts.CatchClause,
): void {
  if (variableDeclaration === undefined) return;
  const { id } = method.addVariable("error", false, { kind: "error", draft });
  const value = variableValue(id, undefined, false);
  bind(method, thread, variableDeclaration.name, { value, type: undefined });
}

/** What is left open where a graph ends, and where it exits to. */
function leaveGraph(method: Method, { frame, exits, path: end }: Thread): void {
  for (const { kind, path } of exits) {
    if (kind !== "throw") {
      checkPending(method, path, new Set());
      frame.exits.push({ to: kind, when: path.when });
    }
  }
  if (end !== undefined) checkPending(method, end, new Set());
}

/** Variables of a block itself are none of whoever comes after it. */
function forgetOwn({ path, exits }: Thread, block: ts.Block): void {
  for (const { lets } of [...(path ? [path] : []), ...exits.map((each) => each.path)]) {
    for (const symbol of lets.keys()) {
      const declared = symbol.valueDeclaration;
      if (declared !== undefined && isWithin(declared, block)) lets.delete(symbol);
    }
  }
}

/** Variables that are set in the `try`, with something after that which may still fail. */
function unsureAfter(method: Method, outer: Thread, tried: Thread): Set<ts.Symbol> {
  const unsure = new Set<ts.Symbol>();
  const paths = [...tried.exits.map(({ path }) => path), ...(tried.path ? [tried.path] : [])];
  for (const symbol of paths.flatMap(({ lets }) => [...lets.keys()])) {
    if (outer.here.lets.has(symbol)) continue;
    if (method.setAt.get(symbol) !== method.progress) unsure.add(symbol);
  }
  return unsure;
}

function joinLets(
  method: Method,
  thread: Thread,
  draft: Draft,
  tried: Path | undefined,
  handled: Path | undefined,
  unsure: ReadonlySet<ts.Symbol>,
  node: ts.TryStatement,
): void {
  const { lets } = thread.here;
  const caught = [{ decision: draft, arm: "caught" }];
  const symbols = new Set([...(tried?.lets.keys() ?? []), ...(handled?.lets.keys() ?? [])]);
  for (const symbol of symbols) {
    if (lets.has(symbol)) continue;
    const own = tried?.lets.get(symbol);
    const other = handled?.lets.get(symbol);
    if (tried === undefined || handled === undefined) {
      const binding = own ?? other;
      if (binding !== undefined) lets.set(symbol, binding);
      continue;
    }
    if (other === undefined && unsure.has(symbol)) {
      method.context.report(setInTry({ at: spanOf(node), name: symbol.name }));
      lets.set(symbol, BROKEN);
      continue;
    }
    const alternatives = [
      { when: caught, value: bindingValue(other) },
      { when: [], value: bindingValue(own) },
    ];
    const type = method.letTypes.get(symbol);
    lets.set(symbol, chooseBinding(method, alternatives, symbol.name, type));
  }
}

/** The ways in which the scope is left, each with what it returns. */
function waysOut(
  method: Method,
  draft: Draft,
  tried: readonly Exit[],
  handled: readonly Exit[],
): Way[] {
  const ways: Way[] = [];
  for (const kind of ["return", "break", "continue"] as const) {
    const own = tried.filter((exit) => exit.kind === kind);
    const others = handled.filter((exit) => exit.kind === kind);
    const [first] = [...own, ...others];
    if (first === undefined) continue;
    const caught = { decision: draft, arm: "caught" };
    const endings = [
      ...others.map(({ path, value }) => ({ when: [caught, ...path.when], value })),
      ...own.map(({ path, value }) => ({ when: path.when, value })),
    ];
    ways.push({ kind, target: first.target, value: valueOf(method, endings) });
  }
  return ways;
}

function valueOf(method: Method, endings: readonly Ending<Returned>[]): Returned {
  const values: Ending<CodeValue>[] = [];
  for (const { when, value } of endings) {
    if (value?.kind === "broken") return value;
    values.push({ when, value: value === undefined ? UNDEFINED : toCode(value, true) });
  }
  if (endings.every(({ value }) => value === undefined)) return undefined;
  return choose(method, values, undefined);
}
