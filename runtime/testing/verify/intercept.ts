/**
 * Stands between the coordinator and the user's objects: sees each call of an action or undo, and
 * lets it go wrong as a scenario says. It changes no class and no module, so that mocks, debuggers
 * and coverage see the user's own.
 */
import { actionContext, type ActionContext } from "../../context.js";
import type { BoundSaga, GraphBindings, NodeBindings } from "../../definition.js";
import { StenoError } from "../../errors.js";
import type { Fault, NodeFault } from "./faults.js";

/** The run that goes wrong; others that it starts go well. */
export const RUN_ID = "verify";

type Method = (...args: unknown[]) => unknown;

/** A call that begins when its driver says so, or never, as its process has died. */
interface Held {
  readonly release: () => void;
  readonly drop: (why: Error) => void;
}

export class Interceptor {
  /** Calls of the user's methods that have not come to their end, with what they are called here. */
  readonly executing = new Map<Promise<unknown>, string>();
  /** Of an action or undo that was tried more often than any other: how often, and how that ended last. */
  most: { readonly key: string; readonly attempt: number; readonly error: unknown } | undefined;
  /** The faults that came about. */
  readonly applied = new Set<Fault>();
  readonly held: Held[] = [];
  /** Grows with each call and each end. */
  activity = 0;
  readonly #faults: readonly Fault[];
  readonly #attempts = new Map<string, number>();
  readonly #lifted = new Set<string>();
  readonly #hanging: Pick<Held, "drop">[] = [];
  readonly #wrapped = new WeakMap<object, object>();

  constructor(faults: readonly Fault[]) {
    this.#faults = faults;
  }

  /** A saga whose actions and undos are called through this. */
  wrap({ definition, instance }: BoundSaga): BoundSaga {
    const spec = { ...definition.spec, ...this.#bindings(definition.spec) };
    return { definition: { ...definition, spec }, instance: this.#object(instance) };
  }

  /** An operator has seen to the node: what failed there does not fail any more. */
  lift(node: string): void {
    this.#lifted.add(node);
  }

  /** The process has died: what hangs has nobody who waits for it. */
  releaseAll(): void {
    const died = new StenoError("injected", "the process has died");
    for (const { drop } of [...this.#hanging.splice(0), ...this.held.splice(0)]) drop(died);
  }

  #bindings<Bindings extends GraphBindings>(bindings: Bindings): Bindings {
    const nodes: Record<string, NodeBindings> = {};
    for (const [name, node] of Object.entries(bindings.nodes)) {
      const { instance, graph, handler } = node;
      nodes[name] = {
        ...node,
        ...(instance !== undefined && {
          instance: (self: never) => this.#object(instance(self)),
        }),
        ...(graph !== undefined && { graph: this.#bindings(graph) }),
        ...(handler !== undefined && { handler: this.#bindings(handler) }),
      };
    }
    return { ...bindings, nodes };
  }

  /** Methods are called on the object itself: its `#private` members are its own. */
  #object(target: object): object {
    const known = this.#wrapped.get(target);
    if (known !== undefined) return known;
    const proxy = new Proxy(target, {
      get: (_target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const method = value as Method;
        return new Proxy(method, {
          apply: (_method, _this, args: unknown[]) =>
            this.#call(() => Reflect.apply(method, target, args)),
        });
      },
    });
    this.#wrapped.set(target, proxy);
    this.#wrapped.set(proxy, proxy);
    return proxy;
  }

  #call(body: () => unknown): unknown {
    const context = contextOrNone();
    // A method that an expression of the saga calls.
    if (context === undefined) return body();
    const undo = context.idempotencyKey.split(".")[1] === "u";
    const key = `${undo ? "undo " : ""}${context.node}`;
    const call = (): Promise<unknown> => this.#execute(body, key);
    if (context.sagaId !== RUN_ID) return call();
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    if (attempt > (this.most?.attempt ?? 0)) this.most = { key, attempt, error: undefined };
    let wrapped = call;
    for (const fault of this.#faults) {
      const { node, what } = fault;
      if (node !== context.node || what.startsWith("undo-") !== undo) continue;
      this.applied.add(fault);
      if (this.#lifted.has(node)) continue;
      wrapped = this.#disturb(wrapped, what.replace(/^undo-/, "") as NodeFault, attempt, key);
    }
    return wrapped();
  }

  #execute(body: () => unknown, key: string): Promise<unknown> {
    this.activity += 1;
    const result = (async () => body())();
    const ended = result.then(
      () => undefined,
      (error: unknown) => {
        if (this.most?.key === key) this.most = { ...this.most, error };
      },
    );
    this.executing.set(ended, key);
    void ended.then(() => {
      this.activity += 1;
      this.executing.delete(ended);
    });
    return result;
  }

  #disturb(
    call: () => Promise<unknown>,
    what: NodeFault,
    attempt: number,
    key: string,
  ): () => Promise<unknown> {
    const first = attempt === 1;
    const injected = (): StenoError => new StenoError("injected", `${key}: made to fail`);
    switch (what) {
      case "fails":
        return async () => {
          // Not at once: what is beside it begins, too.
          await new Promise(setImmediate);
          throw injected();
        };
      case "half-fails":
        return async () => {
          await call();
          throw injected();
        };
      case "retries":
        return async () => {
          const value = await call();
          if (first) throw injected();
          return value;
        };
      case "repeats":
        return async () => {
          await call();
          return call();
        };
      case "loses-request":
        return first ? () => this.#hang() : call;
      case "loses-answer":
        return async () => {
          const value = await call();
          return first ? this.#hang() : value;
        };
      case "slow":
        return async () => {
          await new Promise<void>((release, drop) => this.held.push({ release, drop }));
          return call();
        };
      default:
        return call;
    }
  }

  #hang(): Promise<never> {
    return new Promise((_resolve, drop) => void this.#hanging.push({ drop }));
  }
}

function contextOrNone(): ActionContext | undefined {
  try {
    return actionContext();
  } catch {
    return undefined;
  }
}
