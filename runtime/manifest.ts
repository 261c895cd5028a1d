/**
 * The static saga manifest: what the compiler emits and the runtime executes, as plain data.
 * It is the only thing that the two share. It holds no functions (those are in `definition.ts`)
 * and it says nothing about how a run proceeds (that is `machine.ts`).
 */
import * as z from "zod/mini";
import { StenoError } from "./errors.js";

/** The version of the manifest's format. A runtime refuses a manifest of another version. */
export const MANIFEST_VERSION = 1;

/**
 * One arm of a decision, as a condition on a node: the node runs only if the arm was taken. The
 * decision is a node of the same graph: of kind `decision`, or one with an outcome. A loop has the
 * arms `return` and `break`; a scope has `caught`, and what its graphs exit to.
 */
export interface Condition {
  readonly decision: string;
  readonly arm: string;
  /** Only if the arm was not taken: also when the decision itself was skipped. */
  readonly not?: true;
}

/** A node directly before another. With `when`, the wait itself is conditional. */
export type After = string | { readonly node: string; readonly when: readonly Condition[] };

/** How often a body is attempted, and how long the pause before each further attempt is. */
export interface RetryPolicy {
  /** Attempts in all, the first included; or it is repeated until it succeeds. */
  readonly attempts: number | "forever";
  /** Pause before the second attempt, in milliseconds. */
  readonly delayMs: number;
  /** What each further pause is multiplied by. */
  readonly factor: number;
  /** No pause is longer than this, in milliseconds. */
  readonly maxDelayMs: number;
  /** Whether each pause is shortened by a random part of up to a half, so that runs spread out. */
  readonly jitter: boolean;
}

/** A place in a source file, 1-based. Positions are in `inspect` and in bundles only. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface NodeBase {
  /** Unique in the method that declares it: `payment`, `hotel-2`, `if:paid`. */
  readonly name: string;
  /** The nodes directly before this one, transitively reduced. */
  readonly after: readonly After[];
  /** All of these arms must have been taken, else the node is skipped. */
  readonly when?: readonly Condition[];
  readonly position?: Position;
}

/** A call of an `@action` method. */
export interface ActionNode extends NodeBase {
  readonly kind: "action";
  /** The method that is the action. */
  readonly action: string;
  /** The method that undoes it, or `"none"`: the user said that there is nothing to undo. */
  readonly undo: string;
  /** `"started"`: the undo also covers an action that failed half-way or is in doubt. */
  readonly undoWhen?: "started";
  /** Once it has succeeded the run only goes forward: nothing that follows it may fail for good. */
  readonly pivot?: true;
  /** Instead of failing for good it waits for an operator. */
  readonly onFailure?: "pause";
  /** The classes of errors that it declares, by name. */
  readonly errors?: readonly string[];
  /** Absent: one attempt. */
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  /** Absent: {@link DEFAULT_UNDO_RETRY}. */
  readonly undoRetry?: RetryPolicy;
  readonly undoTimeoutMs?: number;
}

/** A synchronous expression that is evaluated once and whose value is recorded. */
export interface ComputeNode extends NodeBase {
  readonly kind: "compute";
}

/** A saga inside a saga: its nodes are undone with those of its parent. */
export interface SubsagaNode extends NodeBase {
  readonly kind: "subsaga";
  /** The name of the saga that is embedded. */
  readonly saga: string;
  readonly graph: Graph;
}

/** A condition, evaluated once; its arm is recorded. */
export interface DecisionNode extends NodeBase {
  readonly kind: "decision";
  readonly arms: readonly string[];
}

/** A graph for each item of a run-time list, side by side (`map`) or one after another (`loop`). */
export interface IterationNode extends NodeBase {
  readonly kind: "map" | "loop";
  readonly graph: Graph;
  /** `map` only: at most this many items at a time. */
  readonly concurrency?: number;
  /** Whether items are named by a key of their own and not by their index. */
  readonly keyed?: boolean;
}

/**
 * `try { … } catch { … }`. The paths of what is in either begin with the scope's own: `try/reserve`.
 */
export interface ScopeNode extends NodeBase {
  readonly kind: "scope";
  readonly graph: Graph;
  /** Absent: a failure is caught, and nothing is done about it. */
  readonly handler?: Graph;
}

/** A durable timer, an external event that is awaited, a run started beside this one, a `throw`. */
export interface PlainNode extends NodeBase {
  readonly kind: "sleep" | "event" | "spawn" | "fail";
  /** `event`: the event's name. `spawn`: the saga that is started. */
  readonly target?: string;
  /** `event`: how long it is waited for; then the node fails with code `event-timeout`. */
  readonly timeoutMs?: number;
  /** `spawn`: the node ends when the run that it started rests, and has its result. */
  readonly wait?: true;
}

export type Node =
  ActionNode | ComputeNode | SubsagaNode | DecisionNode | IterationNode | ScopeNode | PlainNode;

export type NodeKind = Node["kind"];

/**
 * Where a graph inside a loop or a scope leaves to before its end. `return` becomes the outcome of
 * the node that holds the graph; of a scope, `break` and `continue` too.
 */
export interface Exit {
  readonly to: "break" | "continue" | "return";
  readonly when: readonly Condition[];
}

/** Nodes in source order; every name in an `after` is declared before it is used. */
export interface Graph {
  readonly nodes: readonly Node[];
  /** Looked at when all nodes are complete: the first whose conditions hold is taken. */
  readonly exits?: readonly Exit[];
}

export interface Manifest extends Graph {
  readonly steno: typeof MANIFEST_VERSION;
  /** `Class.method`, unless `@saga({ name })` says otherwise. */
  readonly name: string;
  /** `sha256-…`: changes when the meaning does (names, kinds, order, wiring, bindings), only then. */
  readonly hash: string;
  readonly position?: Position;
}

/** What an undo gets when its `@undo` says nothing: undoing must not fail on a short outage. */
export const DEFAULT_UNDO_RETRY: RetryPolicy = {
  attempts: 5,
  delayMs: 200,
  factor: 2,
  maxDelayMs: 30_000,
  jitter: true,
};

/** What `retry: { attempts: n }` on an action means for the pauses. */
export const DEFAULT_RETRY_PAUSES = {
  delayMs: 200,
  factor: 2,
  maxDelayMs: 30_000,
  jitter: true,
} as const satisfies Omit<RetryPolicy, "attempts">;

const name = z.string().check(z.regex(/^[^/[\]]+$/, "a name without / [ ]"));
const conditions = z.array(
  z.object({ decision: z.string(), arm: z.string(), not: z.optional(z.literal(true)) }),
);
const count = z.int().check(z.nonnegative());
const position = z.optional(z.object({ file: z.string(), line: count, column: count }));
const retry = z.optional(
  z.object({
    attempts: z.union([z.int().check(z.minimum(1)), z.literal("forever")]),
    delayMs: z.number().check(z.nonnegative()),
    factor: z.number().check(z.nonnegative()),
    maxDelayMs: z.number().check(z.nonnegative()),
    jitter: z.boolean(),
  }),
);
const base = {
  name,
  after: z.array(z.union([z.string(), z.object({ node: z.string(), when: conditions })])),
  when: z.optional(conditions),
  position,
};
/** Graphs inside are checked one by one by the caller, since nesting may be deeper than the stack. */
const inner = z.object({
  nodes: z.array(z.unknown()),
  exits: z.optional(
    z.array(z.object({ to: z.enum(["break", "continue", "return"]), when: conditions })),
  ),
});
type Inner = z.infer<typeof inner>;
const node = z.discriminatedUnion("kind", [
  z.object({
    ...base,
    kind: z.literal("action"),
    action: z.string(),
    undo: z.string(),
    undoWhen: z.optional(z.literal("started")),
    pivot: z.optional(z.literal(true)),
    onFailure: z.optional(z.literal("pause")),
    errors: z.optional(z.array(z.string())),
    retry,
    timeoutMs: z.optional(z.number().check(z.positive())),
    undoRetry: retry,
    undoTimeoutMs: z.optional(z.number().check(z.positive())),
  }),
  z.object({ ...base, kind: z.literal("compute") }),
  z.object({ ...base, kind: z.literal("subsaga"), saga: z.string(), graph: inner }),
  z.object({ ...base, kind: z.literal("decision"), arms: z.array(z.string()) }),
  z.object({
    ...base,
    kind: z.enum(["map", "loop"]),
    graph: inner,
    concurrency: z.optional(z.int().check(z.minimum(1))),
    keyed: z.optional(z.boolean()),
  }),
  z.object({ ...base, kind: z.literal("scope"), graph: inner, handler: z.optional(inner) }),
  z.object({
    ...base,
    kind: z.enum(["sleep", "event", "spawn", "fail"]),
    target: z.optional(z.string()),
    timeoutMs: z.optional(z.number().check(z.positive())),
    wait: z.optional(z.literal(true)),
  }),
]);
type Found = z.infer<typeof node>;
const head = z.object({
  steno: z.literal(MANIFEST_VERSION),
  name: z.string().check(z.minLength(1)),
  hash: z.string().check(z.regex(/^sha256-/, "a hash that begins with sha256-")),
  position,
  nodes: z.array(z.unknown()),
});

/**
 * Checks that something is a manifest of this version.
 * @throws StenoError `manifest-version` or `manifest-invalid`, saying where.
 */
export function parseManifest(value: unknown): Manifest {
  const version = (value as { readonly steno?: unknown } | null | undefined)?.steno;
  if (typeof version === "number" && version !== MANIFEST_VERSION) {
    throw new StenoError(
      "manifest-version",
      `the manifest has version ${version}, and this steno-runtime runs version ` +
        `${MANIFEST_VERSION}: compile it with the steno-compiler of the same version`,
    );
  }
  const manifest = check(head, value, "the manifest");
  const open: Open[] = [{ graph: manifest, where: "", depth: 0, taken: new Set(["params"]) }];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    checkGraph(each, manifest.name, open);
  }
  return value as Manifest;
}

/** No graph is in more of others: what goes through them calls itself, and would run out of stack. */
const DEEPEST = 500;

interface Open {
  readonly graph: Inner;
  /** What the paths of its nodes begin with. */
  readonly where: string;
  /** In so many others. */
  readonly depth: number;
  /** The names in the method so far: unique in all of it, since bindings read them all. */
  readonly taken: Set<string>;
}

function checkGraph({ graph, where, depth, taken }: Open, saga: string, open: Open[]): void {
  if (depth > DEEPEST) {
    const start = `${where.slice(0, 40)}…`;
    throw invalid(`\`${start}\` holds graphs in one another, more than ${DEEPEST} of them`);
  }
  const known = new Map<string, Found["kind"]>();
  for (const [index, each] of graph.nodes.entries()) {
    const found = check(node, each, `node ${index} of ${where || saga}`);
    const path = `${where}${found.name}`;
    for (const after of found.after) {
      const before = typeof after === "string" ? after : after.node;
      if (!known.has(before)) {
        throw invalid(`\`${path}\` is after \`${before}\`, which no node before it is called`);
      }
      if (typeof after !== "string") checkConditions(after.when, known, path);
    }
    checkConditions(found.when ?? [], known, path);
    if (taken.has(found.name)) throw invalid(`the name \`${path}\` is taken`);
    known.set(found.name, found.kind);
    taken.add(found.name);
    if ((found.kind === "event" || found.kind === "spawn") && found.target === undefined) {
      throw invalid(`\`${path}\` has no \`target\``);
    }
    if (!("graph" in found)) continue;
    const inside = found.kind === "subsaga" ? new Set(["params"]) : taken;
    open.push({ graph: found.graph, where: `${path}/`, depth: depth + 1, taken: inside });
    if ("handler" in found && found.handler !== undefined) {
      open.push({ graph: found.handler, where: `${path}/`, depth: depth + 1, taken: inside });
    }
  }
  for (const { when } of graph.exits ?? []) checkConditions(when, known, where || saga);
}

function checkConditions(
  when: z.infer<typeof conditions>,
  known: ReadonlyMap<string, Found["kind"]>,
  path: string,
): void {
  for (const { decision } of when) {
    const kind = known.get(decision);
    if (kind === "decision" || kind === "loop" || kind === "scope") continue;
    throw invalid(
      `\`${path}\` depends on \`${decision}\`, which no decision, loop or scope before it is called`,
    );
  }
}

function check<T>(schema: z.ZodMiniType<T>, value: unknown, what: string): T {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join(".");
  throw invalid(
    `${what}${path ? ` has no valid \`${path}\`` : " is not valid"}: ${issue?.message}`,
  );
}

function invalid(what: string): StenoError {
  return new StenoError("manifest-invalid", `${what}: compile the source again`);
}
