/**
 * Plays scenes, text files that play a run against the machine: a graph, then commands, each followed by
 * what came of it. It keeps nothing: `scenes.test.ts` compares the texts, others what is stored of them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { SagaEvent } from "../../runtime/events.js";
import { foldLog } from "../../runtime/reading/history.js";
import { hitOf, nextSteps } from "../../runtime/machine/breakpoints.js";
import type { Effect } from "../../runtime/machine/effects.js";
import { doubtOf, failureOf } from "../../runtime/machine/holding.js";
import { makePlan, type Plan } from "../../runtime/machine/plan.js";
import { retryAt, retryDoubtAt, retryUndoAt } from "../../runtime/machine/verdict.js";
import { type Manifest, parseManifest } from "../../runtime/manifest.js";
import { pathOf, placeOf, type RunState, statusOf } from "../../runtime/state.js";
import { type Choice, describeState, flatState, Host } from "./host.js";
import { parseGraph } from "./parse-graph.js";

export const folder = join(import.meta.dirname, "scenes");
export const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const chance = { now: 0, random: () => 0 };

/** What came of a command. */
export interface Step {
  /** The process ended before it. */
  readonly crashed: boolean;
  readonly log: readonly SagaEvent[];
  readonly plan: Plan;
  readonly manifest: Manifest;
  readonly state: RunState;
}

export const sceneOf = (name: string): string => readFileSync(join(folder, name), "utf8");

/** Gives the scene with what comes of it, as a text; `heard` is told after each command. */
export function play(text: string, heard: (step: Step) => void = () => {}): string {
  const [graph = "", ...rest] = text.split(/^---\n/m);
  const title = graph.split("\n").filter((line) => line.startsWith("#"));
  const lines = graph.split("\n").filter((line) => !line.startsWith("#"));
  const { choose, ...parsed } = parseGraph(lines);
  const manifest = parseManifest(parsed.manifest);
  const plan = makePlan(manifest);
  let host = new Host(plan, choose);
  const out = [...title, ...lines.filter((line) => line.trim() !== ""), "---"];
  const report = (crashed = false): void => {
    for (const effect of host.acts.filter(({ kind }) => kind !== "timer")) out.push(show(effect));
    host.acts = host.acts.filter(({ kind }) => kind === "timer");
    const states = [...describeState(host.state)].map(([node, state]) => `${node} ${state}`);
    const hit = hitOf(host.state.paused ?? "");
    if (hit !== undefined) out.push(`  breakpoint ${hit.at} ${hit.node}`);
    out.push(`  = ${statusOf(host.state)}: ${states.join(", ")}`);
    heard({ crashed, log: [...host.log], plan, manifest, state: host.state });
    // What is in memory is what a recovery would make of the log.
    expect(flatState(foldLog(plan, host.log))).toEqual(flatState(host.state));
  };
  report();
  const commands = rest
    .join("")
    .split("\n")
    .filter((line) => line.startsWith("> "));
  for (const command of commands) {
    out.push("", command);
    const [verb = "", node = "", detail = ""] = command.slice(2).split(" ");
    if (verb === "crash") {
      host = new Host(plan, choose, host.log);
      host.tell({ type: "recovered", at: 0 });
    } else if (verb === "fire") {
      const timer = host.acts.find((each) => pathOf(each.frame, each.index) === node);
      if (timer === undefined) throw new Error(`no timer for ${node}`);
      host.acts.splice(host.acts.indexOf(timer), 1);
      host.fire(timer);
    } else {
      const event = eventOf(host, verb, node, detail);
      out.push(`  event ${event.type}${"dueAt" in event ? ` due ${event.dueAt}` : ""}`);
      if (event.type === "stepped") out.push(`  step ${event.node || "the run"}`);
      host.tell(event);
    }
    report(verb === "crash");
  }
  checkPrefixes(plan, choose, host.log);
  return `${out.join("\n")}\n`;
}

/** From every prefix of its log a run can be recovered, and what is asked for then can be done. */
function checkPrefixes(plan: Plan, choose: Choice, log: readonly SagaEvent[]): void {
  for (let length = 1; length < log.length; length++) {
    const again = new Host(plan, choose, log.slice(0, length));
    if (again.state.finished !== undefined) continue;
    again.tell({ type: "recovered", at: 0 });
    expect(flatState(foldLog(plan, again.log))).toEqual(flatState(again.state));
    const { paused, stuck, finished } = again.state;
    const waits = [...describeState(again.state).values()].includes("waiting");
    if (paused === undefined && stuck === 0 && finished === undefined && !waits) {
      expect(again.acts.length).toBeGreaterThan(0);
    }
  }
}

function pathAt({ frame, index }: Effect): string {
  return index < 0 ? "" : pathOf(frame, index);
}

function show({ kind, frame, index }: Effect): string {
  return `  ${kind}${index < 0 ? "" : ` ${pathOf(frame, index)}`}`;
}

function eventOf(host: Host, verb: string, node: string, detail: string): SagaEvent {
  const at = 0;
  const value = JSON.stringify({ message: detail || verb });
  if (verb === "pause") return { type: "paused", at, value: '"paused"' };
  if (verb === "resume") return { type: "resumed", at };
  if (verb === "step") {
    const next = nextSteps(host.state, 0).map((each) => pathAt(each));
    return { type: "stepped", at, node: node || (next[0] ?? "nothing") };
  }
  if (verb === "break" || verb === "clear") {
    const type = verb === "break" ? "breakpoint-set" : "breakpoint-cleared";
    return { type, at, node, value: JSON.stringify(detail || "before") };
  }
  if (verb === "send") return { type: "event-received", at, node, value: JSON.stringify(detail) };
  if (verb === "unwind") return { type: "unwind-requested", at, value };
  if (verb === "retry") return { type: "retry-requested", at, node, value };
  if (verb === "output") {
    const output = detail === "" ? "" : `,"output":${JSON.stringify(detail)}`;
    return { type: "output-settled", at, node, value: `{"reason":"asked"${output}}` };
  }
  if (verb === "settle") return { type: "undo-settled", at, node, value };
  const { frame, index } = placeOf(host.state, node);
  const attempt = frame.attempt[index] as number;
  const base = { at, node, attempt };
  const undoing = { ...base, attempt: frame.unwinding?.attempt[index] ?? 0 };
  switch (verb) {
    case "spawned":
      return { at, node, type: "spawned", value: '"child"' };
    case "ok":
      return { ...base, type: "succeeded", value: '"out"' };
    case "fail": {
      const dueAt = retryAt(frame, index, chance);
      if (dueAt === undefined) return failureOf(host.state, frame, index, { ...base, value });
      return { ...base, type: "attempt-failed", value, dueAt };
    }
    case "timeout": {
      const dueAt = retryDoubtAt(frame, index, chance);
      const ended = { ...base, value: '"timeout"' };
      if (dueAt === undefined) return doubtOf(host.state, frame, index, ended);
      return { ...ended, type: "in-doubt", dueAt };
    }
    case "aborted":
      return { ...base, type: "in-doubt", value: '"aborted"' };
    case "lost":
      return { ...base, type: "lost" };
    case "undo-lost":
      return { ...undoing, type: "lost" };
    case "undone":
      return { ...undoing, type: "undone" };
    case "undo-fail": {
      const dueAt = retryUndoAt(frame, index, chance);
      if (dueAt === undefined) return { ...undoing, type: "undo-failed", value };
      return { ...undoing, type: "undo-attempt-failed", value, dueAt };
    }
    default:
      throw new Error(`a scene has no command ${verb}`);
  }
}
