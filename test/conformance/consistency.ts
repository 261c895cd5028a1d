/**
 * What a line says twice must agree: its log with the order that its graph implies, and the texts
 * that steno printed with the states and the log that they print. So a line that was altered in a
 * part that is compared nowhere else is found all the same.
 */
import type { Difference } from "./compare.js";
import { type Dag, flatten, type FlatNode, type Line, nodesOf, type Outcome } from "./dag.js";
import type { Json } from "./json.js";
import { printJson } from "./json.js";
import { ORDER, stenoEvent } from "./translate.js";

/** Contradictions in a line, as a difference from itself. */
export function selfDifferences(line: Line, base: Line): Difference[] {
  const dag = base.input.saga;
  const outcomes = [
    line.outcome,
    ...(line.fixed_outcome === undefined ? [] : [line.fixed_outcome]),
  ];
  const found = [
    ...wrongFix(line),
    ...outcomes.flatMap((outcome) => [
      ...wrongDebug(outcome),
      ...(dag === undefined || outcome.build_error !== undefined
        ? []
        : [
            ...wrongLog(outcome, flatten(dag), line.base === undefined),
            ...wrongTimes(outcome, flatten(dag)),
            ...wrongPretty(outcome, flatten(dag)),
            ...wrongStatus(outcome, dag),
            ...wrongUpdates(outcome),
          ]),
    ]),
  ];
  return found.length === 0 ? [] : [{ aspect: "record", steno: found, here: [] }];
}

/** The stock outcome stands beside a fixed one only where it shows the fault that was fixed. */
function wrongFix({ outcome, fix_reason, fixed_outcome }: Line): string[] {
  const shows: Readonly<Record<string, boolean>> = {
    never_started_parent: / load status is "NeverStarted", /.test(outcome.resume_error ?? ""),
    panic: (outcome.panics ?? []).length > 0,
    subsaga_scope: true,
  };
  if ((fix_reason === undefined) !== (fixed_outcome === undefined)) return ["half a correction"];
  if (fix_reason === undefined || shows[fix_reason] === true) return [];
  return [`the stock outcome does not show the fault ${fix_reason}`];
}

function wrongDebug({ build_error, build_error_debug }: Outcome): string[] {
  if (build_error === undefined) return [];
  const kinds: readonly [RegExp, string][] = [
    [/attempted to append 0 nodes in parallel$/, "kind: EmptyStage }"],
    [/saga must end with exactly one node$/, "kind: BadOutputNode }"],
    [/name was used multiple times in the same Dag: "/, "kind: DuplicateName("],
    [/ has parameters that come from node "/, "kind: BadSubsagaParams("],
  ];
  const kind = kinds.find(([pattern]) => pattern.test(build_error))?.[1];
  return kind !== undefined && build_error_debug?.includes(kind) === true
    ? []
    : [`${build_error} is not ${build_error_debug}`];
}

function wrongLog({ log = [] }: Outcome, flat: readonly FlatNode[], isWhole: boolean): string[] {
  const found: string[] = [];
  const ids = new Map(flat.map(({ path }, id) => [path, id]));
  const first = new Map<string, number>();
  let failed = Infinity;
  for (const [place, entry] of log.entries()) {
    const { type, value = null } = stenoEvent(entry.node, entry.event);
    const name = `${entry.node} ${type}`;
    const isNull = type !== "succeeded" || value === null || !/\$(start|end)$/.test(entry.node);
    if (!ORDER.includes(type) || !isNull) found.push(`${name} is no event`);
    if (ids.get(entry.node) !== entry.id) found.push(`${name} is of node ${entry.id}`);
    if (entry.t < (log[place - 1]?.t ?? 0)) found.push(`${name} goes back in time`);
    if (first.has(name)) found.push(`${name} twice`);
    first.set(name, place);
    if (type === "failed") failed = Math.min(failed, place);
  }
  const after = (later: string, earlier: string, needed: boolean): void => {
    const at = first.get(later);
    const before = first.get(earlier);
    if (at === undefined || (before === undefined ? !needed : before < at)) return;
    found.push(`${later} before ${earlier}`);
  };
  for (const { path, before } of flat) {
    after(`${path} succeeded`, `${path} started`, isWhole);
    after(`${path} failed`, `${path} started`, isWhole);
    after(`${path} undo_started`, `${path} succeeded`, isWhole);
    after(`${path} undo_finished`, `${path} undo_started`, isWhole);
    after(`${path} undo_failed`, `${path} undo_started`, isWhole);
    for (const parent of before) {
      after(`${path} started`, `${parent} succeeded`, isWhole);
      const undone = first.has(`${path} succeeded`);
      after(`${parent} undo_started`, `${path} undo_finished`, isWhole && undone);
    }
    const undo = first.get(`${path} undo_started`);
    if (isWhole && undo !== undefined && undo < failed)
      found.push(`${path} is undone before a failure`);
  }
  return found;
}

/** What takes no time happens when something else does that takes some. */
function wrongTimes({ log = [] }: Outcome, flat: readonly FlatNode[]): string[] {
  const actions = new Set(flat.filter(({ kind }) => kind === "action").map(({ path }) => path));
  const times = new Set([0, ...log.filter(({ node }) => actions.has(node)).map(({ t }) => t)]);
  return log
    .filter(({ t }) => !times.has(t))
    .map(({ t, node }) => `at ${t} nothing happens that could move ${node}`);
}

function wrongPretty({ log = [], log_pretty }: Outcome, flat: readonly FlatNode[]): string[] {
  if (log_pretty === undefined) return [];
  const lines = log.map(({ id, event }, place) => {
    const { type } = stenoEvent(undefined, event);
    return `${pad(place + 1)} N${pad(id)} ${type.replace("_", " ").replace(" ", "_")}`;
  });
  const unwinds = log.some(({ event }) => /failed|undo/.test(stenoEvent(undefined, event).type));
  const text =
    `SAGA LOG:\nsaga id:   ${SAGA_ID}\ndirection: ${unwinds ? "unwinding" : "forward"}\n` +
    `events (${log.length} total):\n\n${lines.map((line) => `${line}\n`).join("")}`;
  return text === log_pretty || flat.length === 0 ? [] : ["log_pretty is not the log"];
}

const SAGA_ID = "00000000-0000-4000-8000-000000000001";

function pad(value: number): string {
  return String(value).padStart(3, "0");
}

function wrongUpdates({ log = [], cached_states = [] }: Outcome): string[] {
  const states = cached_states.map(({ state }) => state).join(" ");
  if (!["", "done", "unwinding", "unwinding done"].includes(states)) return [`updates: ${states}`];
  return cached_states.flatMap(({ t, state, after_events: count }) => {
    const before = log[count - 1]?.t ?? 0;
    const after = log[count]?.t ?? Infinity;
    const fits = count <= log.length && before <= t && t <= after;
    return fits ? [] : [`${state} at ${t} is not after ${count} events`];
  });
}

/** The tree that steno prints, from the states. */
function wrongStatus({ states, status_text }: Outcome, dag: Dag): string[] {
  if (status_text === undefined || states === undefined) return [];
  const lines = [`+ saga execution: ${SAGA_ID}`, line(0, states["$start"], "(start node)")];
  printDag(lines, dag, states, "", 0);
  lines.push(line(0, states["$end"], "(end node)"));
  return `${lines.join("\n")}\n` === status_text ? [] : ["status_text is not what the states say"];
}

function line(level: number, state: string | undefined, label: string): string {
  return `${" ".repeat(8 * level)}+-- ${state}: ${label}`;
}

function printDag(
  lines: string[],
  dag: Dag,
  states: { readonly [path: string]: string },
  prefix: string,
  outer: number,
): void {
  for (const stage of dag.stages) {
    const nodes = nodesOf(stage);
    const level = nodes.length > 1 ? outer + 1 : outer;
    if (nodes.length > 1) lines.push(`${" ".repeat(8 * outer)}+-- (parallel actions):`);
    for (const node of nodes) {
      const path = prefix + node.name;
      const produces = ` (produces ${quote(node.name)})`;
      const state = states[path];
      if (node.kind === "subsaga") {
        const begins = `(subsaga start: ${quote(node.dag.name)})`;
        lines.push(line(level, states[`${path}/$start`], begins));
        printDag(lines, node.dag, states, `${path}/`, level + 1);
        lines.push(line(level, state, `(subsaga end)${produces}`));
      } else if (node.kind === "constant") {
        lines.push(line(level, state, `(constant = ${printJson(node.value as Json)})${produces}`));
      } else {
        lines.push(line(level, state, `${node.label ?? `label-${node.name}`}${produces}`));
      }
    }
  }
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
};

/** As Rust's `{:?}` prints a text. */
function quote(text: string): string {
  const escaped = text.replace(/["\\]|\p{C}|\p{Mn}|(?! )\p{Z}/gu, (char) => {
    return SHORT[char] ?? `\\u{${char.codePointAt(0)?.toString(16)}}`;
  });
  return `"${escaped}"`;
}
