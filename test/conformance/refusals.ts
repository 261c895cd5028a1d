/**
 * What steno refuses when a graph is built or created, or meets at run time as a name that is not
 * there, is refused here by the compiler: which of its diagnostics stands for what.
 */
import type { Result } from "../oracle/compile.js";
import type { Difference } from "./compare.js";
import type { Outcome } from "./dag.js";

export interface Refusal {
  /** Steno's words. */
  readonly text: string;
  /** Whether a diagnostic stands for it. */
  stands(diagnostic: { readonly code: string; readonly message: string }): boolean;
}

const KINDS: readonly { readonly pattern: RegExp; readonly stands: Stands }[] = [
  // Where no single node ends the graph, the method has nothing that it could return.
  { pattern: /^building saga ".*": saga must end with exactly one node$/s, stands: noReturn },
  { pattern: /^building saga ".*": attempted to append 0 nodes in parallel$/s, stands: noReturn },
  {
    pattern: /^building saga ".*": name was used multiple times in the same Dag: (".*")$/s,
    stands: (name) => (code, message) =>
      code === "typescript" &&
      message === `Cannot redeclare block-scoped variable '${identifier(name)}'.`,
  },
  {
    pattern:
      /^building saga ".*": subsaga node ".*" has parameters that come from node (".*"), but it does not depend on any such node$/s,
    stands: notThere,
  },
  {
    pattern: /^validating saga ".*": action for node ".*" not registered: (".*")$/s,
    stands: (name) => (code, message) =>
      code === "typescript" &&
      message === `Property 'do_${identifier(name)}' does not exist on type 'Case'.`,
  },
  { pattern: /^no ancestor called (".*") @ /s, stands: notThere },
];

type Stands = (name: string) => (code: string, message: string) => boolean;

function noReturn(): ReturnType<Stands> {
  return (code, message) => code === "typescript" && /must return a value/.test(message);
}

/** A name that is not declared, or not yet set. */
function notThere(name: string): ReturnType<Stands> {
  const here = identifier(name);
  return (code, message) =>
    (code === "typescript" && message === `Cannot find name '${here}'.`) ||
    (code === "not-ready" && message.startsWith(`\`${here}\` `));
}

/** As `source.ts` writes it, for the names of which only one is in its graph. */
function identifier(quoted: string): string {
  const name = JSON.parse(quoted) as string;
  return name.replace(/[^A-Za-z0-9]/g, "_").replace(/^(?=\d|$)/, "_");
}

/** What the compiler has to refuse; `undefined` where the case runs. */
export function refusalOf(outcome: Outcome): Refusal | undefined {
  const { build_error, create_error, hang, panics = [] } = outcome;
  const missing =
    hang === true && panics[0]?.startsWith("no ancestor called ") ? panics[0] : undefined;
  const text = build_error ?? create_error ?? missing;
  if (text === undefined) return undefined;
  for (const { pattern, stands } of KINDS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const check = stands(match[1] ?? '""');
    return { text, stands: ({ code, message }) => check(code, message) };
  }
  return { text, stands: () => false };
}

export function refusalDifferences(
  refusal: Refusal,
  { diagnostics, generated }: Result,
): Difference[] {
  if (generated === undefined && diagnostics.some((each) => refusal.stands(each))) return [];
  const here = diagnostics.map(({ code, message }) => `${code}: ${message}`);
  return [{ aspect: "refusal", steno: [refusal.text], here }];
}
