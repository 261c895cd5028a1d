/**
 * Puts in order what must stand in front of a piece of code, such that nothing is evaluated on a path
 * on which the method does not evaluate it. It decides nothing about names or text.
 */
import type {
  Alternative,
  Code,
  ConditionModel,
  GlueStatement,
  Guard,
  SagaModel,
  VariableId,
} from "../model.js";
import type { Facts } from "./conditions.js";
import {
  binds,
  codesOfStatement,
  fallbacksOf,
  Needs,
  Situation,
  type Choice,
  type Need,
} from "./needs.js";

/** Codes with what stands in front of them. */
export interface Block {
  /** In the order in which they must stand. */
  readonly steps: readonly Step[];
  /** What TypeScript has to be told in front of the codes. */
  readonly guards: readonly Guard[];
  /** What the block gives; empty if it ends in branches, or gives `undefined`. */
  readonly codes: readonly Code[];
  /** The first whose conditions hold; the last is taken if no other is. Mostly there are none. */
  readonly branches: readonly Branch[];
  /** The variables that its text names, branches included. */
  readonly used: ReadonlySet<VariableId>;
}

export type Step =
  | {
      readonly kind: "glue";
      readonly statement: GlueStatement;
      readonly guards: readonly Guard[];
    }
  | { readonly kind: "choice"; readonly variable: Choice; readonly block: Block };

export interface Branch {
  readonly when: readonly ConditionModel[];
  readonly block: Block;
}

/** What is asked for: some codes, or one of several. */
export type Wanted =
  { readonly codes: readonly Code[] } | { readonly alternatives: readonly Alternative[] };

/** Slices the codes of one saga. */
export class Slicer {
  private readonly situation: Situation;
  private readonly needs: Needs;

  /** Without `isDecision` what cannot be taken stays, and guards do not. */
  constructor(
    readonly saga: SagaModel,
    isDecision?: (node: string) => boolean,
  ) {
    this.situation = new Situation(saga, isDecision);
    this.needs = new Needs(this.situation);
  }

  /** `facts`: what holds where the codes are read. */
  slice(wanted: Wanted, facts: Facts = []): Block {
    return makeBlock(this.situation, wanted, facts, this.needs, new Set());
  }
}

function makeBlock(
  situation: Situation,
  wanted: Wanted,
  facts: Facts,
  around: Needs,
  available: ReadonlySet<Need>,
): Block {
  const needs = new Needs(situation, facts, around);
  const narrowed = "codes" in wanted ? [] : needs.alternatives(wanted.alternatives);
  const [first] = narrowed;
  const isOne = narrowed.length === 1 && first?.when.length === 0;
  const codes = "codes" in wanted ? wanted.codes : isOne && first?.code ? [first.code] : [];
  const found = isOne || "codes" in wanted ? needs.sure(codes) : needs.shared(narrowed);
  const here = new Set([...found].filter((need) => !available.has(need)));
  const ordered = inOrder(here, needs);
  const inside = new Set([...available, ...here]);
  const steps = ordered.map((need): Step => {
    if ("init" in need) {
      const guards = codesOfStatement(need).flatMap((code) => situation.guards(code));
      return { kind: "glue", statement: need, guards };
    }
    const { alternatives } = need.holds;
    return {
      kind: "choice",
      variable: need,
      block: makeBlock(situation, { alternatives }, facts, needs, inside),
    };
  });
  const branches = (isOne ? [] : narrowed).map(({ when, code, facts: holding }) => ({
    when,
    block: makeBlock(situation, { codes: code ? [code] : [] }, holding, needs, inside),
  }));
  const guards = codes.flatMap((code) => situation.guards(code));
  return withoutUnused({ steps, guards, codes, branches });
}

/**
 * Each after those it reads, else in source order. That alone would not do: what is in an async
 * block stands after the name that its result is bound to.
 */
function inOrder(wanted: ReadonlySet<Need>, needs: Needs): Need[] {
  const placed = new Set<Need>();
  const place = (need: Need): void => {
    placed.add(need);
    // A choice repeats nothing that stands in its block: all it can reach there comes before it.
    const before = "init" in need ? needs.next(need) : needs.reach(need);
    for (const other of before) if (wanted.has(other) && !placed.has(other)) place(other);
    ordered.push(need);
  };
  const ordered: Need[] = [];
  for (const need of [...wanted].sort((a, b) => startOf(a) - startOf(b))) {
    if (!placed.has(need)) place(need);
  }
  return ordered;
}

function startOf(need: Need): number {
  if ("init" in need) return need.init.span.start;
  return need.holds.alternatives.findLast(({ code }) => code)?.code?.span.start ?? 0;
}

/** Leaves out what only unused parts of patterns would need, and says which variables are named. */
function withoutUnused(block: Omit<Block, "used">): Block {
  const used = new Set<VariableId>();
  const read = ({ parts }: Code): void => {
    for (const part of parts) {
      if (typeof part !== "string" && "variable" in part) used.add(part.variable);
    }
  };
  const readAll = (guards: readonly Guard[], codes: readonly Code[]): void => {
    for (const { test } of guards) read(test);
    for (const code of codes) read(code);
  };
  readAll(block.guards, block.codes);
  for (const branch of block.branches) for (const id of branch.block.used) used.add(id);
  const steps: Step[] = [];
  for (const step of block.steps.toReversed()) {
    if (step.kind === "choice") {
      const { variable } = step;
      if (!used.has(variable.id)) continue;
      if (variable.holds.type !== undefined) read(variable.holds.type);
      for (const id of step.block.used) used.add(id);
    } else {
      const { pattern, type, init } = step.statement;
      if (!binds(pattern, used)) continue;
      readAll(step.guards, [...(type === undefined ? [] : [type]), init]);
      // A default value may read what the pattern binds before it.
      for (let before = -1; before !== used.size;) {
        before = used.size;
        for (const code of fallbacksOf(pattern, used)) read(code);
      }
    }
    steps.push(step);
  }
  return { ...block, steps: steps.reverse(), used };
}

/** Every block in a block, itself first. */
export function blocksIn(block: Block): Block[] {
  const found: Block[] = [];
  const visit = (each: Block): void => {
    found.push(each);
    for (const step of each.steps) if (step.kind === "choice") visit(step.block);
    for (const branch of each.branches) visit(branch.block);
  };
  visit(block);
  return found;
}

/** Every code whose text is printed. */
export function codesIn(block: Block): Code[] {
  const tests = (guards: readonly Guard[]): Code[] => guards.map(({ test }) => test);
  return blocksIn(block).flatMap(({ steps, guards, codes, used }) => [
    ...steps.flatMap((step) => {
      if (step.kind === "choice") return step.variable.holds.type ?? [];
      const { pattern, type, init } = step.statement;
      const own = [...(type === undefined ? [] : [type]), init, ...fallbacksOf(pattern, used)];
      return [...tests(step.guards), ...own];
    }),
    ...tests(guards),
    ...codes,
  ]);
}
