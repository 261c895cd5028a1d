/** What `verifySaga()` found, as data, as a table, and as the error that it throws. */
import { isDeepStrictEqual } from "node:util";
import { StenoError } from "../../errors.js";
import type { LoggedEvent } from "../../events.js";
import type { Node } from "../../manifest.js";
import {
  DEATH,
  type Fault,
  forwardFaults,
  generalPath,
  hasUndo,
  NODE_FAULTS,
  type NodeFault,
  type Place,
  PROCESS,
  undoFaults,
} from "./faults.js";
import { begunIn } from "./explore.js";
import type { VerifyOptions } from "./options.js";

/** A scenario that was tried. */
export interface VerifiedScenario {
  /** What `only` takes. */
  readonly name: string;
  readonly outcome: "succeeded" | "undone" | "stuck" | undefined;
  /** What is wrong; absent if it passed. */
  readonly problem?: string;
  /** The saga log, an event a line. */
  readonly log: readonly string[];
}

/** What became of one kind of fault at one node, over all cases and items. */
export interface VerifyCoverage {
  /** Its path, in which items are `[*]`; `(process)` for the process. */
  readonly node: string;
  readonly fault: string;
  readonly state: "passed" | "failed" | "not-reached" | "excepted";
  /** How many scenarios had it. */
  readonly scenarios: number;
  /** Why it was not reached, or tried. */
  readonly reason?: string;
}

export interface VerifyReport {
  readonly saga: string;
  readonly scenarios: readonly VerifiedScenario[];
  readonly coverage: readonly VerifyCoverage[];
  /** What the given params did not lead to: nodes, arms, lengths of lists. */
  readonly notReached: readonly string[];
  /** What may be why scenarios failed, beside what each says. */
  readonly notes: readonly string[];
  /** Whether there were more scenarios than `maxScenarios`. */
  readonly cut: boolean;
  /** The table of nodes and faults, and below it what was not reached. */
  toString(): string;
}

/** Some scenario did not end well. The message has the first ones; `report` all. */
export class SagaNotVerifiedError extends StenoError {
  readonly report: VerifyReport;

  constructor(report: VerifyReport) {
    super("saga-not-verified", messageOf(report));
    this.report = report;
  }
}

/** So many are told in full: they tend to have one cause. */
const TOLD = 5;

function messageOf(report: VerifyReport): string {
  const failed = report.scenarios.filter(({ problem }) => problem !== undefined);
  const told = failed
    .slice(0, TOLD)
    .flatMap(({ name, problem, log }) => [
      "",
      `✗ ${name}`,
      `    ${problem}`,
      `  alone: verifySaga(…, { …, only: ${JSON.stringify(name)} })`,
      ...(failed.length === 1 ? ["  its saga log:", ...log.map((line) => `    ${line}`)] : []),
    ]);
  if (failed.length > TOLD) told.push("", `… and ${failed.length - TOLD} more, in \`report\``);
  return [
    `\`${report.saga}\` does not end well in ${failed.length} of ${report.scenarios.length} scenarios`,
    ...told,
    "",
    report.toString(),
  ].join("\n");
}

/** Gathers what scenarios came to. */
export class Findings {
  readonly scenarios: VerifiedScenario[] = [];
  readonly #saga: string;
  readonly #places: readonly Place[];
  readonly #except: Readonly<Record<string, string>>;
  readonly #cells = new Map<string, { passed: number; failed: number }>();
  readonly #excepted = new Set<string>();
  readonly #begun = new Set<string>();
  /** Arms by decision, lengths by list. */
  readonly #arms = new Map<string, Set<string>>();
  readonly #lengths = new Map<string, Set<number>>();
  readonly #refused = new Map<string, string>();
  readonly #events: readonly string[];
  readonly #received = new Set<string>();
  /** Objects that were given, and the first scenario that had them. */
  readonly #objects = new WeakMap<object, string>();
  readonly #shared = new Set<string>();
  /** Whether a good run changed a snapshot; `undefined` without snapshots. */
  #changes: boolean | undefined;

  constructor(
    saga: string,
    places: readonly Place[],
    {
      except = {},
      events = {},
    }: Pick<VerifyOptions<object, never, never, never>, "except" | "events">,
  ) {
    this.#saga = saga;
    this.#places = places;
    this.#except = except;
    this.#events = Object.keys(events);
  }

  /** What was seen before and after a good run. */
  noteSnapshots(before: unknown, after: unknown): void {
    if (before === undefined) return;
    this.#changes = (this.#changes ?? false) || !isDeepStrictEqual(before, after);
  }

  /** An object that a scenario was given: what it keeps goes on to another that has the same. */
  noteObject(of: "world" | "instance", object: unknown, scenario: string): void {
    if (typeof object !== "object" || object === null) return;
    const first = this.#objects.get(object);
    if (first === undefined) this.#objects.set(object, scenario);
    else if (first !== scenario) this.#shared.add(of);
  }

  /** Whether the user does not want the last of the faults to be tried. */
  excepts(faults: readonly Fault[]): boolean {
    const key = keyOf(faults.at(-1));
    if (this.#except[key] === undefined) return false;
    this.#excepted.add(key);
    return true;
  }

  /** A fault that cannot be brought about, and why. */
  refuse(faults: readonly Fault[], why: string): void {
    this.#refused.set(keyOf(faults.at(-1)), why);
  }

  add(faults: readonly Fault[], scenario: VerifiedScenario, events: readonly LoggedEvent[]): void {
    this.scenarios.push(scenario);
    const last = faults.at(-1);
    if (last !== undefined) {
      const cell = this.#cells.get(keyOf(last)) ?? { passed: 0, failed: 0 };
      cell[scenario.problem === undefined ? "passed" : "failed"] += 1;
      this.#cells.set(keyOf(last), cell);
    }
    for (const path of begunIn(events)) this.#begun.add(generalPath(path));
    for (const event of events) this.#noteLanguage(event);
  }

  report(cut: boolean): VerifyReport {
    const coverage = this.#coverage();
    const report = {
      saga: this.#saga,
      scenarios: this.scenarios,
      coverage,
      notReached: [...this.#notReached(), ...this.#notTried()],
      notes: this.#notes(),
      cut,
    };
    return { ...report, toString: () => tableOf(report) };
  }

  #noteLanguage(event: LoggedEvent): void {
    if (event.type === "event-received") this.#received.add(generalPath(event.node));
    if (event.type === "decided") {
      const path = generalPath(event.node);
      const arms = this.#arms.get(path) ?? new Set();
      this.#arms.set(path, arms.add(String(JSON.parse(event.value))));
    } else if (event.type === "expanded") {
      const path = generalPath(event.node);
      const list = JSON.parse(event.value) as unknown[] | { readonly keys: unknown[] };
      const lengths = this.#lengths.get(path) ?? new Set();
      this.#lengths.set(path, lengths.add(Array.isArray(list) ? list.length : list.keys.length));
    }
  }

  #coverage(): readonly VerifyCoverage[] {
    const found: VerifyCoverage[] = [];
    for (const { path, node } of this.#places) {
      const faults = new Set<string>([
        ...forwardFaults(node),
        ...(hasUndo(node) ? undoFaults(node) : []),
      ]);
      for (const fault of ["slow", "undo-slow", "unwound-after"]) {
        if (this.#cells.has(`${path} ${fault}`)) faults.add(fault);
      }
      for (const fault of faults) found.push(this.#cell(path, fault));
    }
    for (const fault of ["dies-before", "dies-after"]) found.push(this.#cell(PROCESS, fault));
    return found;
  }

  #cell(node: string, fault: string): VerifyCoverage {
    const key = `${node} ${fault}`;
    const { passed = 0, failed = 0 } = this.#cells.get(key) ?? {};
    const scenarios = passed + failed;
    if (scenarios > 0) return { node, fault, scenarios, state: failed > 0 ? "failed" : "passed" };
    if (this.#excepted.has(key)) {
      return { node, fault, scenarios, state: "excepted", reason: this.#except[key] ?? "" };
    }
    return { node, fault, scenarios, state: "not-reached", reason: this.#whyNot(node, fault) };
  }

  #whyNot(node: string, fault: string): string {
    const refused =
      this.#refused.get(`${node} ${fault}`) ?? this.#refused.get(`${node} unwound-after`);
    if (refused !== undefined) return refused;
    if (node !== PROCESS && !this.#begun.has(node)) return NEVER_BEGAN;
    return fault.startsWith("undo-") ? "nothing undid it" : "no scenario was left for it";
  }

  #notReached(): readonly string[] {
    const found: string[] = [];
    for (const { path, node, inside, handler } of this.#places) {
      const holder = inside.at(-1);
      const isEntered =
        holder === undefined || this.#begun.has(holder.path) || holder.node.kind === "scope";
      if (node.kind === "decision" && isEntered) {
        const arms = this.#arms.get(path) ?? new Set();
        for (const arm of node.arms.filter((each) => !arms.has(each))) {
          found.push(`\`${path}\` never took the arm \`${arm}\`: give params that take it`);
        }
      } else if (node.kind === "map" || node.kind === "loop") {
        const lengths = [...(this.#lengths.get(path) ?? [])];
        const sizes: readonly [string, boolean][] = [
          ["empty", lengths.includes(0)],
          ["of one item", lengths.includes(1)],
          ["of several items", lengths.some((length) => length > 1)],
        ];
        for (const [size, seen] of sizes) {
          if (!seen) found.push(`the list of \`${path}\` was never ${size}: give such params`);
        }
      } else if (node.kind !== "scope" && !this.#begun.has(path)) {
        const why = whyNotBegun(node, handler);
        found.push(`\`${path}\` never began${why}`);
      } else if (node.kind === "event" && !this.#received.has(path)) {
        found.push(`\`${path}\` was never sent: give \`${node.target}\` in \`events\``);
      }
    }
    for (const key of Object.keys(this.#except)) {
      if (!this.#excepted.has(key))
        found.push(`\`except\` has \`${key}\`, which was never to be tried`);
    }
    return found;
  }

  /** What the user may take to be tried, and is not. */
  #notTried(): readonly string[] {
    const found: string[] = [];
    if (this.#changes === false) {
      found.push("no good run changed the `snapshot`: it may not see what the actions do");
    }
    const names = new Set(
      this.#places.flatMap(({ node }) => (node.kind === "event" ? [node.target] : [])),
    );
    const starts = this.#places.filter(({ node }) => node.kind === "spawn");
    // Those that it starts may wait for events, too.
    for (const name of starts.length > 0 ? [] : this.#events.filter((each) => !names.has(each))) {
      found.push(`\`events\` has \`${name}\`, which the saga never waits for`);
    }
    for (const { path, node } of starts) {
      if (!this.#begun.has(path) || node.kind !== "spawn") continue;
      const what = `runs of its own, in which nothing was made to go wrong: verify it, too`;
      found.push(`\`${path}\` starts \`${node.target}\`, ${what}`);
    }
    return found;
  }

  #notes(): readonly string[] {
    if (this.scenarios.every(({ problem }) => problem === undefined)) return [];
    return Array.from(
      this.#shared,
      (of) =>
        `\`${of}\` gave the same object to several scenarios: what one leaves in it, the next ones find`,
    );
  }
}

/** What would have had to be, as far as the manifest says. */
function whyNotBegun({ when = [] }: Node, handler: boolean): string {
  const arms = when.map(
    ({ decision, arm, not }) => `\`${decision}\` ${not ? "not " : ""}\`${arm}\``,
  );
  if (arms.length > 0) return `: it needs ${arms.join(", ")}`;
  return handler ? ", since nothing in its `try` failed so that it would" : "";
}

function keyOf(fault: Fault | undefined): string {
  if (fault === undefined) return "";
  return `${generalPath(fault.node)} ${fault.what.replace(DEATH, "dies-$1")}`;
}

const NEVER_BEGAN = "it never began";

const MARKS = { passed: "ok", failed: "FAILED", "not-reached": "-", excepted: "except" } as const;

/** Columns for faults that occur, rows for nodes. Numbers are scenarios. */
function tableOf(report: Omit<VerifyReport, "toString">): string {
  const { coverage, notReached, notes, saga, scenarios, cut } = report;
  const columns = [
    ...(Object.keys(NODE_FAULTS) as NodeFault[]),
    "dies-before",
    "dies-after",
  ].filter((fault) => coverage.some((cell) => cell.fault === fault));
  const nodes = [...new Set(coverage.map(({ node }) => node))];
  const rows = nodes.map((node) => [
    node,
    ...columns.map((fault) => {
      const cell = coverage.find((each) => each.node === node && each.fault === fault);
      if (cell === undefined) return "";
      return cell.scenarios > 1 ? `${MARKS[cell.state]} ${cell.scenarios}` : MARKS[cell.state];
    }),
  ]);
  const lines = [["node", ...columns], ...rows];
  const widths = ["node", ...columns].map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  const failed = scenarios.filter(({ problem }) => problem !== undefined).length;
  const reasons = new Map<string, string[]>();
  for (const { node, fault, reason } of coverage) {
    // What never began is told once, below.
    if (reason === undefined || reason === NEVER_BEGAN) continue;
    const key = `${node}: ${reason}`;
    reasons.set(key, [...(reasons.get(key) ?? []), fault]);
  }
  return [
    `${saga}: ${scenarios.length} scenarios, ${failed} failed${cut ? "; CUT at `maxScenarios`: there are more" : ""}`,
    ...lines.map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
    ...Array.from(reasons, ([reason, faults]) => `- ${reason} (${faults.join(", ")})`),
    ...[...notReached, ...notes].map((each) => `- ${each}`),
  ].join("\n");
}
