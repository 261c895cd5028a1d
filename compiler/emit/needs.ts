/**
 * What a piece of code needs in front of it: glue statements, and values that depend on a path. It
 * knows what is needed on every path, and what on some; where things stand is for `slice.ts`.
 */
import type {
  Alternative,
  Code,
  GlueStatement,
  Guard,
  Pattern,
  SagaModel,
  Variable,
  VariableId,
} from "../model.js";
import { narrow, type Facts, type Narrowed } from "./conditions.js";

/** A variable whose value depends on the path that was taken. */
export type Choice = Variable & { readonly holds: { readonly kind: "choice" } };

/** What has to stand in front of a code. */
export type Need = GlueStatement | Choice;

/** What the codes of a saga need, wherever they stand. It is asked again and again, and so kept. */
export class Situation {
  private readonly flat = new Map<readonly Alternative[], readonly Alternative[]>();
  private readonly needs = new Map<Code, readonly Need[]>();
  private readonly decided = new Map<Need, ReadonlySet<string>>();

  constructor(
    readonly saga: SagaModel,
    /** Absent: nothing is left out, though it cannot be taken; nor is what only TypeScript needs repeated. */
    readonly isDecision: ((node: string) => boolean) | undefined,
  ) {}

  /** Where one of several values is itself one of several, all are put into one list. */
  flattened(alternatives: readonly Alternative[]): readonly Alternative[] {
    const known = this.flat.get(alternatives);
    if (known !== undefined) return known;
    const made = alternatives.flatMap((each) => {
      const [only, ...others] = each.code?.parts ?? [];
      if (typeof only !== "object" || !("variable" in only) || others.length > 0) return [each];
      const variable = this.saga.variables.get(only.variable);
      if (variable === undefined || !isChoice(variable) || each.code?.guards?.length) return [each];
      const inner = this.flattened(variable.holds.alternatives);
      return inner.map(({ when, code }, index) => ({
        when: index === inner.length - 1 ? each.when : [...each.when, ...when],
        code,
      }));
    });
    this.flat.set(alternatives, made);
    return made;
  }

  direct(codes: readonly Code[]): Need[] {
    return codes.flatMap((code) => {
      let found = this.needs.get(code);
      if (found === undefined) {
        const tests = this.guards(code).map(({ test }) => test);
        found = [code, ...tests].flatMap(({ parts }) =>
          parts.flatMap((part) =>
            typeof part !== "string" && "variable" in part ? this.needOf(part.variable) : [],
          ),
        );
        this.needs.set(code, found);
      }
      return found;
    });
  }

  /** The conditions that TypeScript needs in front of a code, each behind those that it needs itself. */
  guards(code: Code): Guard[] {
    if (this.isDecision === undefined) return [];
    return (code.guards ?? []).flatMap((guard) => [...this.guards(guard.test), guard]);
  }

  /** The nodes whose arms tell which value something has, or what it is made of. */
  decisionsOf(need: Need): ReadonlySet<string> {
    const known = this.decided.get(need);
    if (known !== undefined) return known;
    const isGlue = "init" in need;
    const flat = isGlue ? [] : this.flattened(need.holds.alternatives);
    const codes = isGlue
      ? codesOfStatement(need)
      : [...codesOfType(need), ...flat.flatMap(({ code }) => code ?? [])];
    const own = flat.flatMap(({ when }) => when.map(({ decision }) => decision));
    const found = new Set(own);
    for (const next of new Set(this.direct(codes))) {
      for (const decision of this.decisionsOf(next)) found.add(decision);
    }
    this.decided.set(need, found);
    return found;
  }

  private needOf(id: VariableId): Need[] {
    const variable = this.saga.variables.get(id);
    if (variable === undefined) throw new Error(`${this.saga.name} has no variable ${id}`);
    if (variable.holds.kind === "glue") return [variable.holds.statement];
    return isChoice(variable) ? [variable] : [];
  }
}

/** The needs of codes at a place where some conditions hold. */
export class Needs {
  /** By choice: what each of its alternatives needs. */
  private readonly common = new Map<Choice, ReadonlySet<Need>>();
  private readonly reached = new Map<Need, ReadonlySet<Need>>();
  private readonly more: readonly string[];

  constructor(
    private readonly situation: Situation,
    private readonly facts: Facts = [],
    /** Those of a place around, where fewer conditions hold: the first of these. */
    private readonly around?: Needs,
  ) {
    this.more = facts.slice(around?.facts.length ?? 0).map(({ decision }) => decision);
  }

  /** Where what holds here, and not around, tells nothing of something, it is as it is around. */
  private placeFor(need: Need): Needs {
    const { around, more } = this;
    if (around === undefined) return this;
    const decisions = more.length === 0 ? undefined : this.situation.decisionsOf(need);
    if (decisions !== undefined && more.some((each) => decisions.has(each))) return this;
    return around.placeFor(need);
  }

  alternatives(alternatives: readonly Alternative[]): readonly Narrowed[] {
    const { isDecision } = this.situation;
    const flat = this.situation.flattened(alternatives);
    if (isDecision !== undefined) return narrow(flat, this.facts, isDecision);
    return flat.map((each) => ({ ...each, facts: this.facts }));
  }

  /** What is needed whichever path was taken. */
  sure(codes: readonly Code[]): Set<Need> {
    const { situation } = this;
    const found = new Set<Need>();
    const open = situation.direct(codes);
    for (let need = open.pop(); need !== undefined; need = open.pop()) {
      if (found.has(need)) continue;
      found.add(need);
      if ("init" in need) open.push(...situation.direct(codesOfStatement(need)));
      else open.push(...situation.direct(codesOfType(need)), ...this.ofEach(need));
    }
    return found;
  }

  /** What each of several values needs. */
  shared(narrowed: readonly Narrowed[]): Set<Need> {
    const [first, ...others] = narrowed.map(({ code }) => this.sure(code ? [code] : []));
    const all = [...(first ?? [])].filter((need) => others.every((other) => other.has(need)));
    return new Set(all);
  }

  /** Everything that a need can read, on any path. */
  reach(from: Need): ReadonlySet<Need> {
    const place = this.placeFor(from);
    if (place !== this) return place.reach(from);
    const known = this.reached.get(from);
    if (known !== undefined) return known;
    const found = new Set<Need>();
    const open = this.next(from);
    for (let need = open.pop(); need !== undefined; need = open.pop()) {
      if (found.has(need)) continue;
      found.add(need);
      open.push(...this.next(need));
    }
    this.reached.set(from, found);
    return found;
  }

  /** What a need can read directly, on any path. */
  next(need: Need): Need[] {
    const { situation } = this;
    if ("init" in need) return situation.direct(codesOfStatement(need));
    const narrowed = this.alternatives(need.holds.alternatives);
    const codes = narrowed.flatMap(({ code }) => code ?? []);
    return situation.direct([...codesOfType(need), ...codes]);
  }

  private ofEach(choice: Choice): ReadonlySet<Need> {
    const place = this.placeFor(choice);
    if (place !== this) return place.ofEach(choice);
    const known = this.common.get(choice);
    if (known !== undefined) return known;
    const made = this.shared(this.alternatives(choice.holds.alternatives));
    this.common.set(choice, made);
    return made;
  }
}

function isChoice(variable: Variable): variable is Choice {
  return variable.holds.kind === "choice";
}

/** The type that a choice is declared with. */
function codesOfType({ holds }: Choice): Code[] {
  return holds.type === undefined ? [] : [holds.type];
}

/** All codes of a glue statement, whichever of its variables are needed. */
export function codesOfStatement({ pattern, type, init }: GlueStatement): Code[] {
  return [...(type === undefined ? [] : [type]), init, ...fallbacksOf(pattern)];
}

/** The default values in a pattern: of the parts that bind something of what is used, or of all. */
export function fallbacksOf(pattern: Pattern, used?: ReadonlySet<VariableId>): Code[] {
  if (pattern.kind === "variable") return [];
  const parts = pattern.kind === "object" ? pattern.properties : pattern.elements;
  return parts.flatMap((part) => {
    if (part === undefined || (used !== undefined && !binds(part.target, used))) return [];
    return [...(part.fallback ? [part.fallback] : []), ...fallbacksOf(part.target, used)];
  });
}

/** Whether a pattern binds something that is used. */
export function binds(pattern: Pattern, used: ReadonlySet<VariableId>): boolean {
  if (pattern.kind === "variable") return used.has(pattern.variable);
  if (pattern.rest !== undefined && used.has(pattern.rest)) return true;
  const parts = pattern.kind === "object" ? pattern.properties : pattern.elements;
  return parts.some((part) => part !== undefined && binds(part.target, used));
}
