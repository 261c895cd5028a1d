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

export interface Situation {
  readonly saga: SagaModel;
  /** Absent: nothing is left out, though it cannot be taken. */
  readonly isDecision: ((node: string) => boolean) | undefined;
  /** Whether conditions that only TypeScript needs are repeated. */
  readonly guards: boolean;
}

/** The needs of codes at a place where some conditions hold. */
export class Needs {
  /** By choice: what each of its alternatives needs. */
  private readonly common = new Map<Choice, ReadonlySet<Need>>();

  constructor(
    private readonly situation: Situation,
    private readonly facts: Facts,
  ) {}

  alternatives(alternatives: readonly Alternative[]): readonly Narrowed[] {
    const { isDecision } = this.situation;
    const flat = this.flattened(alternatives);
    if (isDecision !== undefined) return narrow(flat, this.facts, isDecision);
    return flat.map((each) => ({ ...each, facts: this.facts }));
  }

  /** Where one of several values is itself one of several, all are put into one list. */
  private flattened(alternatives: readonly Alternative[]): readonly Alternative[] {
    return alternatives.flatMap((each) => {
      const [only, ...others] = each.code?.parts ?? [];
      if (typeof only !== "object" || !("variable" in only) || others.length > 0) return [each];
      const variable = this.situation.saga.variables.get(only.variable);
      if (variable === undefined || !isChoice(variable) || each.code?.guards?.length) return [each];
      const inner = this.flattened(variable.holds.alternatives);
      return inner.map(({ when, code }, index) => ({
        when: index === inner.length - 1 ? each.when : [...each.when, ...when],
        code,
      }));
    });
  }

  /** What is needed whichever path was taken. */
  sure(codes: readonly Code[]): Set<Need> {
    const found = new Set<Need>();
    const open = this.direct(codes);
    for (let need = open.pop(); need !== undefined; need = open.pop()) {
      if (found.has(need)) continue;
      found.add(need);
      if ("init" in need) open.push(...this.direct(codesOfStatement(need)));
      else open.push(...this.direct(codesOfType(need)), ...this.ofEach(need));
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
  reach(from: Need): Set<Need> {
    const found = new Set<Need>();
    const open = this.next(from);
    for (let need = open.pop(); need !== undefined; need = open.pop()) {
      if (found.has(need)) continue;
      found.add(need);
      open.push(...this.next(need));
    }
    return found;
  }

  /** What a need can read directly, on any path. */
  next(need: Need): Need[] {
    if ("init" in need) return this.direct(codesOfStatement(need));
    const narrowed = this.alternatives(need.holds.alternatives);
    const codes = narrowed.flatMap(({ code }) => code ?? []);
    return this.direct([...codesOfType(need), ...codes]);
  }

  /** The conditions that TypeScript needs in front of a code, each behind those that it needs itself. */
  guards(code: Code): Guard[] {
    if (!this.situation.guards) return [];
    return (code.guards ?? []).flatMap((guard) => [...this.guards(guard.test), guard]);
  }

  private direct(codes: readonly Code[]): Need[] {
    return codes.flatMap((code) => {
      const tests = this.guards(code).map(({ test }) => test);
      return [code, ...tests].flatMap(({ parts }) =>
        parts.flatMap((part) =>
          typeof part !== "string" && "variable" in part ? this.needOf(part.variable) : [],
        ),
      );
    });
  }

  private needOf(id: VariableId): Need[] {
    const { saga } = this.situation;
    const variable = saga.variables.get(id);
    if (variable === undefined) throw new Error(`${saga.name} has no variable ${id}`);
    if (variable.holds.kind === "glue") return [variable.holds.statement];
    return isChoice(variable) ? [variable] : [];
  }

  private ofEach(choice: Choice): ReadonlySet<Need> {
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
