/**
 * Reads `try { … } catch { … }`: a scope, with a graph for what is tried and one for what is done
 * when that fails.
 */
import * as say from "../../diagnostics/catalogue/method.js";
import { setInTry } from "../../diagnostics/catalogue/variables.js";
import type { Span } from "../../model.js";
import { choose, chooseBinding, enter, type Ending } from "./arms.js";
import { spanOf } from "../context.js";
import type { Condition, Draft } from "./graph.js";
import { leaveContainer, type Way } from "./leave.js";
import { checkPending, lowerStatements } from "./lower-body.js";
import { isWithin, type Method } from "./method.js";
import { bind } from "./patterns.js";
import type { Exit, Path, Returned, Thread } from "./thread.js";
import ts from "../typescript.cjs";
import {
  BROKEN,
  toCode,
  UNDEFINED,
  variableValue,
  type Binding,
  type CodeValue,
} from "./values.js";

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
  const unsure = unsureAfter(tried, node.tryBlock);
  enter(method, handling, handling.path);
  bindError(method, handling, draft, catchClause);
  const around = new Map(method.unsure);
  for (const symbol of unsure) method.unsure.set(symbol, { at: spanOf(node), told: false });
  lowerStatements(method, handling, [catchClause.block]);
  forgetOwn(handling, catchClause.block);
  reportUnsure(method, handling, unsure);
  method.unsure = around;
  leaveGraph(method, tried);
  leaveGraph(method, handling);
  enter(method, thread, thread.path);
  thread.pass(draft, method.waits > before);
  const set = new Map(thread.here.lets);
  for (const symbol of [...tried.exposed, ...handling.exposed]) thread.exposed.add(symbol);
  joinLets(method, thread, draft, tried.path, handling.path);
  const goesOn = tried.path !== undefined || handling.path !== undefined;
  const exits = { tried: tried.exits, handled: handling.exits };
  leaveContainer(method, thread, draft, waysOut(method, draft, set, exits));
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
function unsureAfter({ exposed }: Thread, block: ts.Block): Set<ts.Symbol> {
  const isOuter = ({ valueDeclaration }: ts.Symbol): boolean =>
    valueDeclaration !== undefined && !isWithin(valueDeclaration, block);
  return new Set([...exposed].filter(isOuter));
}

/** Whoever goes on behind a handler would find them as the `try` has left them. */
function reportUnsure(
  method: Method,
  { exits, path }: Thread,
  variables: ReadonlySet<ts.Symbol>,
): void {
  const left = exits.filter(({ kind }) => kind === "break" || kind === "continue");
  for (const symbol of variables) {
    // One of what is left is not seen any more.
    const isSeen = ({ target }: Exit): boolean =>
      !target || !symbol.valueDeclaration || !isWithin(symbol.valueDeclaration, target);
    const paths = [...left.filter(isSeen).map((each) => each.path), ...(path ? [path] : [])];
    const open = paths.filter(({ lets }) => !lets.has(symbol));
    const unsure = method.unsure.get(symbol);
    if (open.length === 0 || unsure === undefined) continue;
    const { at, told } = unsure;
    if (!told) method.context.report(setInTry({ at, name: symbol.name, read: undefined }));
    for (const { lets } of open) lets.set(symbol, BROKEN);
  }
}

function joinLets(
  method: Method,
  thread: Thread,
  draft: Draft,
  tried: Path | undefined,
  handled: Path | undefined,
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
    if (own?.kind === "broken" || other?.kind === "broken") {
      lets.set(symbol, BROKEN);
      continue;
    }
    const alternatives = [
      { when: caught, value: method.valueOfLet(symbol, other) },
      { when: [], value: method.valueOfLet(symbol, own) },
    ];
    lets.set(symbol, chooseBinding(method, alternatives, symbol, setAt([own, other])));
  }
}

/** The first place where one of some is set. */
function setAt(bindings: readonly (Binding | undefined)[]): Span | undefined {
  const [first] = bindings.flatMap((each) => (each?.kind === "variable" && each.at) || []);
  return first;
}

/** The ways in which the scope is left, each with what it returns. */
function waysOut(
  method: Method,
  draft: Draft,
  before: Path["lets"],
  { tried, handled }: { readonly tried: readonly Exit[]; readonly handled: readonly Exit[] },
): Way[] {
  const ways: Way[] = [];
  for (const kind of ["return", "break", "continue"] as const) {
    const own = tried.filter((exit) => exit.kind === kind);
    const others = handled.filter((exit) => exit.kind === kind);
    const [first] = [...own, ...others];
    if (first === undefined) continue;
    const caught = { decision: draft, arm: "caught" };
    const endings = [
      ...others.map(({ path, value }) => ({ when: [caught, ...path.when], value, path })),
      ...own.map(({ path, value }) => ({ when: path.when, value, path })),
    ];
    const lets = kind === "return" ? undefined : letsOf(method, before, endings);
    ways.push({
      ...{ kind, target: first.target, value: valueOf(method, endings) },
      ...(lets && { lets }),
    });
  }
  return ways;
}

/** What is set where the scope is left in one of some ways. `before`: what was set when it began. */
function letsOf(
  method: Method,
  before: Path["lets"],
  endings: readonly { readonly when: readonly Condition[]; readonly path: Path }[],
): Map<ts.Symbol, Binding> {
  const lets = new Map(before);
  for (const symbol of new Set(endings.flatMap(({ path }) => [...path.lets.keys()]))) {
    if (before.has(symbol)) continue;
    const bindings = endings.map(({ path }) => path.lets.get(symbol));
    const [first, second] = bindings;
    if (bindings.some((each) => each?.kind === "broken")) lets.set(symbol, BROKEN);
    else if (bindings.length === 1 && first !== undefined && second === undefined) {
      lets.set(symbol, first);
    } else {
      const alternatives = endings.map(({ when }, index) => ({
        when,
        value: method.valueOfLet(symbol, bindings[index]),
      }));
      lets.set(symbol, chooseBinding(method, alternatives, symbol, setAt(bindings)));
    }
  }
  return lets;
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
