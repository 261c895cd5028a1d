/**
 * Reads what stands in the arms of a decision, each on a path of its own, and brings the paths that
 * reach the end together. Which construct has which arms is in `lower-branch.ts`.
 */
import * as say from "../../diagnostics/catalogue/method.js";
import type { Code, Span } from "../../model.js";
import { spanOf } from "../context.js";
import { same, type Condition, type Draft } from "./graph.js";
import type { Test } from "../expressions/guards.js";
import type { Method } from "./method.js";
import { clone, meet, opposite, type Exit, type Path, type Thread } from "./thread.js";
import ts from "../typescript.cjs";
import { codeFrom, UNDEFINED, variableValue, type Binding, type CodeValue } from "./values.js";

export interface Arm<T> {
  readonly name: string;
  /** What is known in it. */
  readonly tests: readonly Test[];
  readonly run: () => T;
}

/** What an arm that reaches the end gives. */
export interface Ending<T> {
  /** What holds there, beyond what held before the decision. */
  readonly when: readonly Condition[];
  readonly value: T;
}

/** `target`: the statement that a `break` in an arm leaves, which so reaches the end as well. */
export function lowerArms<T>(
  method: Method,
  thread: Thread,
  decision: Draft,
  arms: readonly Arm<T>[],
  target?: ts.Node,
): Ending<T>[] {
  const base = thread.here;
  const first = thread.exits.length;
  const paths: Path[] = [];
  const endings: Ending<T>[] = [];
  const own: { readonly condition: Condition; readonly exits: readonly Exit[] }[] = [];
  for (const { name, tests, run } of arms) {
    const condition: Condition = { decision, arm: name };
    const before = thread.exits.length;
    const when = [...base.when, condition];
    enter(method, thread, { ...clone(base), when, tests: [...base.tests, ...tests] });
    const value = run();
    const reaching: Path[] = thread.path === undefined ? [] : [thread.path];
    const exits: Exit[] = [];
    for (const exit of thread.exits.splice(before)) {
      if (target !== undefined && exit.kind === "break" && exit.target === target) {
        reaching.push(exit.path);
      } else {
        exits.push(exit);
      }
    }
    for (const exit of exits) if (reaching.length === 0) exit.not = opposite(condition);
    thread.exits.push(...exits);
    own.push({ condition, exits });
    paths.push(...reaching);
    for (const path of reaching) endings.push({ when: path.when.slice(base.when.length), value });
  }
  const exits = thread.exits.slice(first);
  const [only, other] = paths;
  if (only !== undefined && other === undefined && exits.every(leavesGraph)) {
    for (const { condition } of own) if (only.when.includes(condition)) condition.left = true;
  }
  enter(method, thread, join(method, base, paths, exits));
  return endings;
}

/** Whether nothing later in the graph runs on a path that ends so. */
function leavesGraph({ kind, target }: Exit): boolean {
  return kind !== "break" || target === undefined || !ts.isSwitchStatement(target);
}

/** Goes on on a path. */
export function enter(method: Method, thread: Thread, path: Path | undefined): void {
  thread.path = path;
  method.lets = path?.lets ?? new Map<ts.Symbol, Binding>();
}

/** Where paths come together; undefined: none does. `exits`: those that leave for further out. */
export function join(
  method: Method,
  base: Path,
  paths: readonly Path[],
  exits: readonly Exit[],
): Path | undefined {
  const [first, second] = paths;
  if (first === undefined || second === undefined) return first;
  const without: Condition[] = [];
  for (const { not, path, target } of exits) {
    if (not !== undefined) without.push({ ...not, left: true });
    else reportTangle(method, path, target);
  }
  const joined = meet(base, paths, without);
  const symbols = new Set(paths.flatMap(({ lets }) => [...lets.keys()]));
  for (const symbol of symbols) {
    const bindings = paths.map(({ lets }) => lets.get(symbol));
    joined.lets.set(symbol, joinBindings(method, base, paths, bindings, symbol));
  }
  return joined;
}

function reportTangle(method: Method, path: Path, target: ts.Node | undefined): void {
  const span = path.when.at(-1)?.decision.span;
  const at = target === undefined ? (span ?? spanOf(method.declaration.name)) : spanOf(target);
  const what = "leaving the method or a loop after a `break` that leaves only the `switch`";
  const help = "put what follows the `break` into `else`, so that the clause has one `break`";
  method.context.report(say.statementRefused({ at, what, help }));
}

function joinBindings(
  method: Method,
  base: Path,
  paths: readonly Path[],
  bindings: readonly (Binding | undefined)[],
  symbol: ts.Symbol,
): Binding {
  const [first] = bindings;
  if (first !== undefined && bindings.every((each) => each === first)) return first;
  for (const each of bindings) {
    if (each !== undefined && each.kind !== "variable") return each;
  }
  const alternatives = paths.map(({ when }, index) => ({
    when: when.slice(base.when.length),
    value: method.valueOfLet(symbol, bindings[index]),
  }));
  const at = bindings.find((each) => each?.kind === "variable")?.at;
  return chooseBinding(method, alternatives, symbol, at);
}

/** A variable that is one of several values. `at`: where it is set to one of them. */
export function chooseBinding(
  method: Method,
  alternatives: readonly Ending<CodeValue>[],
  symbol: ts.Symbol,
  at: Span | undefined,
): Binding {
  const type = method.letTypes.get(symbol);
  return { kind: "variable", at, ...chooseVariable(method, alternatives, symbol.name, true, type) };
}

function chooseVariable(
  method: Method,
  alternatives: readonly Ending<CodeValue>[],
  name: string,
  named: boolean,
  type: Code | undefined,
): { readonly id: number; readonly trusted: boolean } {
  const nowhere: Span = spanOf(method.declaration.name);
  const list = merged(alternatives).map(({ when, value }, index, all) => ({
    // The last is what is left.
    when: index === all.length - 1 ? [] : when,
    code: value === UNDEFINED ? undefined : codeFrom(value, nowhere),
  }));
  const { id } = method.addVariable(name, named, { kind: "choice", alternatives: list, type });
  return { id, trusted: alternatives.every(({ value }) => value.trusted) };
}

/** Ways that follow each other and give the same value as one, where what they share tells them. */
function merged(alternatives: readonly Ending<CodeValue>[]): Ending<CodeValue>[] {
  const result: Ending<CodeValue>[] = [];
  for (const each of alternatives) {
    const before = result.at(-1);
    const when = before?.when.filter((known, index) => {
      const own = each.when[index];
      return own !== undefined && same(known, own);
    });
    const others = alternatives.filter((other) => !sameValue(other.value, each.value));
    const tells = (condition: Condition | undefined): boolean =>
      condition !== undefined &&
      !others.some((other) => other.when.some((known) => same(known, condition)));
    if (before && when && sameValue(before.value, each.value) && tells(when.at(-1))) {
      result[result.length - 1] = { when, value: each.value };
    } else {
      result.push(each);
    }
  }
  return result;
}

function sameValue(a: CodeValue, b: CodeValue): boolean {
  const [one, more] = a.parts;
  const [other, rest] = b.parts;
  return (
    more === undefined &&
    rest === undefined &&
    typeof one === "object" &&
    typeof other === "object" &&
    "variable" in one &&
    "variable" in other &&
    one.variable === other.variable
  );
}

/** One of several values, as a value. */
export function choose(
  method: Method,
  alternatives: readonly Ending<CodeValue>[],
  type: Code | undefined,
): CodeValue {
  const [first, second] = alternatives;
  if (first === undefined) return UNDEFINED;
  if (second === undefined) return first.value;
  if (alternatives.every(({ value }) => value === UNDEFINED)) return UNDEFINED;
  const { id, trusted } = chooseVariable(method, alternatives, "value", false, type);
  const branches = alternatives.map(({ value }) => value.origins);
  const origins = new Set(branches.flatMap((each) => [...each]));
  return { ...variableValue(id, undefined, trusted), origins, branches };
}
