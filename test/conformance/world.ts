/** The bodies of a case: what they are given, how long they take, and how they end, under a virtual clock. */
import type { VirtualClock } from "../../runtime/testing/index.js";
import type { BodyEdge, Dag, DagNode, Delayed } from "./dag.js";
import { nodesOf } from "./dag.js";
import { hash, printJson, type Json } from "./json.js";
import type * as kit from "./kit.js";

type ActionNode = Extract<DagNode, { readonly kind: "action" }>;

/** An action failed as the case says. */
export class ActionFailed extends Error {
  readonly source_error: Json;

  constructor(error: Json) {
    super("action failed");
    this.source_error = error;
  }
}

/** An undo failed as the case says, in which of its calls. */
export class UndoFailed extends Error {
  readonly call: number;

  constructor(error: Json, call: number) {
    super(typeof error === "string" ? error : printJson(error));
    this.call = call;
  }
}

export class CaseWorld implements kit.World {
  readonly bodies: BodyEdge[] = [];
  readonly #clock: VirtualClock;
  readonly #actions = new Map<string, ActionNode>();
  readonly #entered = new Map<string, number>();

  constructor(dag: Dag, clock: VirtualClock) {
    this.#clock = clock;
    this.#collect(dag, "");
  }

  async act(path: string, params: kit.Json, inputs: kit.Json[]): Promise<kit.Json> {
    const { lookups = [], do: body = {} } = this.#action(path);
    const given = name(lookups, inputs);
    const attempt = await this.#run(path, "do", body, params, given);
    if (body.panic === true) throw new TypeError(`the body of ${path} panics`);
    if (fails(body, attempt)) throw new ActionFailed(body.fail?.error ?? null);
    return { node: path, attempt, h: hash(`${path}|${printJson(params)}|${printJson(given)}`) };
  }

  async undo(path: string, output: kit.Json, params: kit.Json, inputs: kit.Json[]): Promise<void> {
    const { lookups = [], undo: body = {}, name: own } = this.#action(path);
    const given = name([...lookups, own], [...inputs, output]);
    const attempt = await this.#run(path, "undo", body, params, given);
    if (fails(body, attempt)) throw new UndoFailed(body.fail?.error ?? null, attempt);
  }

  async #run(
    node: string,
    phase: "do" | "undo",
    body: Delayed,
    params: Json,
    inputs: { readonly [name: string]: Json },
  ): Promise<number> {
    const key = `${phase} ${node}`;
    const attempt = (this.#entered.get(key) ?? 0) + 1;
    this.#entered.set(key, attempt);
    const begun = { t: this.#clock.now(), node, phase, attempt };
    this.bodies.push({ ...begun, edge: "begin", params, inputs });
    const due = this.#clock.now() + (body.delay ?? 0);
    await new Promise<void>((resolve) => this.#clock.setTimer(due, resolve));
    const ok = body.panic !== true && !fails(body, attempt);
    this.bodies.push({ ...begun, t: this.#clock.now(), edge: "end", ok });
    return attempt;
  }

  #action(path: string): ActionNode {
    const found = this.#actions.get(path);
    if (found === undefined) throw new Error(`a body of ${path} was called, which is no action`);
    return found;
  }

  #collect({ stages }: Dag, prefix: string): void {
    for (const node of stages.flatMap(nodesOf)) {
      if (node.kind === "action") this.#actions.set(prefix + node.name, node);
      if (node.kind === "subsaga") this.#collect(node.dag, `${prefix}${node.name}/`);
    }
  }
}

function fails({ fail }: Delayed, attempt: number): boolean {
  return fail !== undefined && (fail.on === undefined || fail.on.includes(attempt));
}

/** Positional arguments under the names that steno looks them up by. */
function name(
  names: readonly string[],
  values: readonly Json[],
): { readonly [name: string]: Json } {
  return Object.fromEntries(names.map((each, index) => [each, values[index] as Json]));
}
