/**
 * What can be wrong about a call of `verifySaga()` itself: each is told as `verify-options` before anything
 * is played, or where what a function gave is of no use. Types say most of it to those who have types.
 */
import { StenoError } from "../../errors.js";
import type { VerifyOptions } from "./options.js";

type Options = VerifyOptions<object, unknown, unknown, unknown>;

/** What each option has to be, if it is given; the only list of them at run time. */
const OPTIONS: Readonly<
  Record<keyof Options, readonly [is: (value: unknown) => boolean, what: string]>
> = {
  world: [isFunction, "a function that makes a world: `() => new Bank()`"],
  dispose: [isFunction, "a function that removes a world"],
  instance: [isFunction, "a function that makes the object: `(world) => new Transfers(world)`"],
  params: [() => true, ""],
  invariant: [isFunction, "a function that throws, or gives `false`, if something is wrong"],
  snapshot: [isFunction, "a function that gives what matters of a world as data"],
  sagas: [
    isFunction,
    "a function that gives bound sagas: `(world) => [notify.on(new Notices(world))]`",
  ],
  events: [isRecord, "an object: what is sent, by the name of the event"],
  onStuck: [
    (value) => value === "retry" || value === "leave" || isFunction(value),
    '`"retry"`, `"leave"` or a function',
  ],
  except: [
    (value) => isRecord(value) && Object.values(value).every((why) => typeof why === "string"),
    'an object of reasons: `{ "sendReceipt repeats": "two receipts do no harm" }`',
  ],
  only: [(value) => typeof value === "string", "the name of a scenario, a text"],
  maxScenarios: [(value) => typeof value === "number" && value >= 1, "a number from 1"],
  seed: [Number.isFinite, "a number"],
};

/** @throws StenoError `verify-options` */
export function checkCall(definition: unknown, options: unknown): void {
  const { manifest } = (definition ?? {}) as { readonly manifest?: { readonly nodes?: unknown } };
  if (!Array.isArray(manifest?.nodes)) {
    throw wrongCall(
      "the first argument is no saga: give what the generated module exports, such as `transfer` of `transfer.saga.js`",
    );
  }
  if (!isRecord(options)) throw wrongCall("the second argument is no object of options");
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTIONS, name)) {
      throw wrongCall(
        `there is no option \`${name}\`: there are ${Object.keys(OPTIONS).join(", ")}`,
      );
    }
    const [is, what] = OPTIONS[name as keyof Options];
    if (value !== undefined && !is(value))
      throw wrongCall(`\`${name}\` is ${shown(value)}: it is ${what}`);
  }
  if (options["instance"] === undefined)
    throw wrongCall(`give \`instance\`: it is ${OPTIONS.instance[1]}`);
  if (options["invariant"] === undefined && options["snapshot"] === undefined) {
    throw wrongCall("give `invariant`, or `snapshot`, or both: else nothing is checked");
  }
  if (Array.isArray(options["params"]) && options["params"].length === 0) {
    throw wrongCall("`params` is an empty list: give a case at least");
  }
}

/** What `instance` gave, if it can run a saga. */
export function checkInstance<T>(instance: T): T {
  if (typeof instance === "object" && instance !== null && !("then" in instance)) return instance;
  const isPromise = typeof instance === "object" && instance !== null;
  const what = isPromise ? "a promise" : shown(instance);
  const help = isPromise ? ": what has to be awaited belongs in `world`" : "";
  throw wrongCall(
    `\`instance\` gave ${what}, and not the object whose methods are the actions${help}`,
  );
}

/** What `sagas` gave, if each is bound. */
export function checkSagas<T>(sagas: readonly T[]): readonly T[] {
  const isBound = (saga: unknown): boolean =>
    isRecord(saga) && isRecord(saga["definition"]) && isRecord(saga["instance"]);
  if (Array.isArray(sagas) && sagas.every(isBound)) return sagas;
  throw wrongCall(`\`sagas\` gave what is not bound: it is ${OPTIONS.sagas[1]}`);
}

export function wrongCall(message: string): StenoError {
  return new StenoError("verify-options", message);
}

/** A value in a few words. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
