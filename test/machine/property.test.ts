/**
 * The machine on random graphs with random faults: the state is the fold of the log, undos come in
 * the right order, a run ends all done or all undone, and from every prefix of the log too.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { foldLog } from "../../runtime/reading/history.js";
import { doubtOf, failureOf, passedPivot } from "../../runtime/machine/holding.js";
import { hitOf, nextSteps } from "../../runtime/machine/breakpoints.js";
import type { Effect } from "../../runtime/machine/effects.js";
import { isWanted } from "../../runtime/machine/outstanding.js";
import { outstandingOf, waitOf } from "../../runtime/machine/waiting.js";
import { makePlan } from "../../runtime/machine/plan.js";
import { type Manifest, type Node, parseManifest } from "../../runtime/manifest.js";
import { isHeld, nodeOf, pathOf, PHASE, placeOf, type RunState } from "../../runtime/state.js";
import { checkEnd, checkLog } from "./check-run.js";
import { describeState, flatState, Host } from "./host.js";
import { chooseByPath, chooseFrom, type Choose, randomGraph } from "./random-graph.js";

/** Lets a run go on until it rests; each end of a body is chosen. `look` sees each moment before it. */
function finish(
  host: Host,
  choose: Choose,
  faults: boolean,
  look: (host: Host) => void = () => undefined,
): void {
  // Failed attempts are repeated for ever here, so what ends does so soon, or not at all.
  let left = 100_000;
  while (host.state.finished === undefined) {
    if (left-- === 0)
      throw new Error(
        "the run does not end: " +
          JSON.stringify(host.log.slice(-12)) +
          [...describeState(host.state)]
            .filter(([, v]) => !/done|abandoned|skipped|undone/.test(v))
            .join(" "),
      );
    look(host);
    const { acts } = host;
    if (faults && choose(8) === 0) operate(host, choose);
    const [effect] = acts.splice(choose(acts.length || 1), 1);
    if (effect !== undefined) act(host, effect, choose, faults);
    else if (host.state.finished === undefined) help(host, choose);
    if (host.state.finished === undefined && faults && choose(40) === 0) {
      host.tell({ type: "event-received", at: 0, node: "e0", value: '"early"' });
    }
  }
}

function act(host: Host, effect: Host["acts"][number], choose: Choose, faults: boolean): void {
  const { kind, frame, index } = effect;
  if (kind === "timer") host.fire(effect);
  if (kind === "rest" && host.state.finished === undefined) free(host, choose);
  if (kind !== "call" && kind !== "call-undo" && kind !== "watch") return;
  const node = pathOf(frame, index);
  const undo = kind === "call-undo";
  const attempt = (undo ? frame.unwinding?.attempt : frame.attempt)?.[index] as number;
  const fate = faults ? choose(12) : 11;
  const base = { at: 0, node, attempt };
  if (nodeOf(frame, index).kind === "spawn") {
    if (kind === "watch" && frame.phase[index] !== PHASE.waiting) return;
    if (fate === 0) host.tell(failureOf(host.state, frame, index, { ...base, value: "{}" }));
    else if (kind === "call") host.tell({ ...base, type: "spawned", value: '"child"' });
    else host.tell({ ...base, type: "succeeded" });
  } else if (undo) {
    if (fate === 0) host.tell({ ...base, type: "undo-attempt-failed", value: "{}", dueAt: 5 });
    else if (fate === 1) host.tell({ ...base, type: "undo-failed", value: "{}" });
    else if (fate === 4) lose(host, base);
    else host.tell({ ...base, type: "undone" });
  } else if (fate === 0) host.tell(failureOf(host.state, frame, index, { ...base, value: "{}" }));
  else if (fate === 1) host.tell({ ...base, type: "attempt-failed", value: "{}", dueAt: 5 });
  else if (fate === 2) host.tell({ ...base, type: "in-doubt", value: '"timeout"', dueAt: 5 });
  else if (fate === 3) host.tell(doubtOf(host.state, frame, index, { ...base, value: '"late"' }));
  else if (fate === 4) lose(host, base);
  else host.tell({ ...base, type: "succeeded" });
}

/** The attempt ends with its process, and others of the run go on. */
function lose(
  host: Host,
  base: { readonly at: number; readonly node: string; readonly attempt: number },
): void {
  host.tell({ ...base, type: "lost" });
  steps.lost += 1;
}

/** What an operator may do at any moment: nothing of it may lose a body, or call one twice. */
function operate(host: Host, choose: Choose): void {
  const { state } = host;
  const nodes = [...describeState(state).keys()];
  const node = nodes[choose(nodes.length)] as string;
  const value = choose(2) === 0 ? '"before"' : '"after"';
  const command = choose(8);
  if (state.finished !== undefined) return;
  if (state.paused !== undefined && choose(3) > 0) stepOne(host, choose);
  else if (command < 2) host.tell({ type: "breakpoint-set", at: 0, node, value });
  else if (command === 2) host.tell({ type: "breakpoint-cleared", at: 0, node, value });
  else if (command === 3) host.tell({ type: "paused", at: 0, value: '"paused"' });
  else if (command === 4 && mayUnwind(state) && choose(12) === 0) {
    host.tell({ type: "unwind-requested", at: 0, value: "{}" });
  }
}

function mayUnwind(state: RunState): boolean {
  return !state.unwinding && passedPivot(state, state.root) === undefined;
}

/** One thing of a paused run: at most one body is called, and it stays paused. */
function stepOne(host: Host, choose: Choose): void {
  const next = nextSteps(host.state, 100);
  const chosen = next[choose(next.length || 1)];
  if (chosen === undefined) return;
  const { frame, index } = chosen;
  const { length } = host.log;
  host.tell({ type: "stepped", at: 0, node: index < 0 ? "" : pathOf(frame, index) });
  const begun = host.log.slice(length).filter(({ type }) => /started$/.test(type));
  expect(begun.length).toBeLessThanOrEqual(1);
  expect(host.state.paused).toBeDefined();
  steps.taken += 1;
}

const steps = { taken: 0, hits: 0, lost: 0 };

/** Nothing moves: an operator frees what is stuck, or an event comes that is waited for. */
function help(host: Host, choose: Choose): void {
  const { state, log } = host;
  const before = log.length;
  if (state.paused !== undefined) {
    if (hitOf(state.paused) !== undefined) steps.hits += 1;
    host.tell({ type: "resumed", at: 0 });
    return;
  }
  if (state.stuck > 0) free(host, choose);
  for (const frame of state.stuck > 0 ? [] : [...state.frames]) {
    frame.phase.forEach((phase, index) => {
      const node = nodeOf(frame, index) as Node;
      if (log.length > before || phase !== PHASE.waiting || node.kind !== "event") return;
      host.tell({ type: "event-received", at: 0, node: node.target ?? "", value: "1" });
    });
  }
  if (log.length === before) throw new Error(`nothing to do: ${[...describeState(state)]}`);
}

/** What an operator does about a stuck run: tries everything again, or says what became of it. */
function free(host: Host, choose: Choose): void {
  const { state } = host;
  if (state.heldResult !== undefined) throw new Error("a result that can be made is not held");
  for (const [node, phase] of describeState(state)) {
    if (!["undo-failed", "stuck-in-doubt", "failure-held"].includes(phase)) continue;
    const place = placeOf(state, node);
    const { frame, index } = place;
    // A `throw` fails as often as it is tried.
    const told = nodeOf(frame, index).kind === "fail" ? 2 + choose(2) : choose(4);
    const mayFail = frame.unwinding !== undefined || !passedPivot(state, frame.scope, place);
    const at = { at: 0, node } as const;
    if (told === 2 && phase !== "undo-failed" && nodeOf(frame, index).kind !== "decision") {
      host.tell({ ...at, type: "output-settled", value: '{"reason":"it has"}' });
    } else if (told > 0 && mayFail) host.tell({ ...at, type: "undo-settled", value: '""' });
    else host.tell({ ...at, type: "retry-requested", value: '""' });
    // What else was there may be so no more.
    return;
  }
}

const has = (host: Host, state: string): boolean =>
  [...describeState(host.state).values()].includes(state);

test("random graphs with random faults end all done or all undone, from every prefix too", () => {
  const seen = {
    succeeded: 0,
    undone: 0,
    prefixes: 0,
    caught: 0,
    skipped: 0,
    items: 0,
    held: 0,
    passed: 0,
  };
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const choose = chooseFrom(seed);
      const graph = randomGraph(choose);
      const manifest: Manifest = { steno: 1, name: "t", hash: "sha256-t", ...graph };
      const plan = makePlan(parseManifest(manifest));
      const decide = chooseByPath(choose(1000));
      const host = new Host(plan, decide);
      finish(host, choose, choose(3) > 0);
      checkEnd(host.state);
      checkLog(host.state, host.log);
      expect(flatState(foldLog(plan, host.log))).toEqual(flatState(host.state));
      seen[host.state.finished as "undone"] += 1;
      if (host.state.finished === "succeeded" && has(host, "undone")) seen.caught += 1;
      if (host.log.some(({ type }) => type === "failure-held")) seen.held += 1;
      if (passedPivot(host.state, host.state.root) !== undefined) seen.passed += 1;
      if (has(host, "skipped")) seen.skipped += 1;
      if ([...describeState(host.state).keys()].some((path) => path.includes("["))) seen.items += 1;
      // Every prefix of a short log, and some of a long one.
      const stride = Math.max(1, Math.floor(host.log.length / 40));
      for (let length = 1; length < host.log.length; length += stride) {
        const again = new Host(plan, decide, host.log.slice(0, length));
        again.tell({ type: "recovered", at: 0 });
        finish(again, choose, choose(2) === 0);
        checkEnd(again.state);
        checkLog(again.state, again.log);
        expect(flatState(foldLog(plan, again.log))).toEqual(flatState(again.state));
        seen.prefixes += 1;
      }
    }),
    {
      endOnFailure: true,
      numRuns: Number(process.env["MACHINE_RUNS"] ?? 400),
      // The same graphs each time: long runs take another seed.
      seed: Number(process.env["MACHINE_SEED"] ?? 1),
    },
  );
  // It looked at something.
  for (const count of Object.values({ ...seen, ...steps })) expect(count).toBeGreaterThan(5);
  expect(seen.prefixes).toBeGreaterThan(1000);
}, 600_000);

test("whenever a run only waits, its log gives back its state and all that is outstanding", () => {
  let waits = 0;
  let timed = 0;
  let held = 0;
  const named = ({ kind, frame, index, dueAt }: Effect): string =>
    `${kind} ${pathOf(frame, index)}${frame.plan.holder === undefined ? "" : frame.ordinal} ${dueAt}`;
  /** What was asked for and is still of interest; a run may be asked for the same twice. */
  const asked = (host: Host): string[] => {
    const wanted = host.acts.filter((effect) => {
      const { kind, frame, index, dueAt } = effect;
      if (kind === "watch") return frame.phase[index] === PHASE.waiting && !isHeld(host.state);
      if (kind !== "timer" || !isWanted(host.state, effect)) return false;
      return dueAt > 0 && frame.trouble?.dueAt[index] === dueAt;
    });
    return [...new Set(wanted.map(named))].sort();
  };
  for (let seed = 1; seed <= Number(process.env["MACHINE_RUNS"] ?? 300); seed++) {
    const choose = chooseFrom(seed);
    const manifest: Manifest = {
      steno: 1,
      name: "t",
      hash: "sha256-t",
      ...randomGraph(choose),
    };
    const plan = makePlan(parseManifest(manifest));
    const host = new Host(plan, chooseByPath(choose(1000)));
    finish(host, choose, true, (at) => {
      const wait = waitOf(at.state);
      if (wait === undefined || at.log.length > 500) return;
      waits += 1;
      if (wait.dueAt !== undefined) timed += 1;
      if (at.state.stuck > 0) held += 1;
      const again = foldLog(plan, at.log);
      expect(flatState(again)).toEqual(flatState(at.state));
      expect(waitOf(again)).toEqual(wait);
      expect([...new Set(outstandingOf(again).map(named))].sort()).toEqual(asked(at));
    });
  }
  for (const count of [waits, timed, held]) expect(count).toBeGreaterThan(40);
}, 600_000);
