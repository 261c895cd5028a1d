/** Whether a scenario came to a good end: what is the same for all sagas, and what the user says. */
import { isDeepStrictEqual } from "node:util";
import { shown, wrongCall } from "./call.js";
import { DEATH, type Fault, generalPath, isHarmless, nameOf, PROCESS } from "./faults.js";
import type { Seen, Subject } from "./scenario.js";

/** What scenarios of a case are compared with. */
export interface Reference {
  /** The world before the run, as its `snapshot`. */
  readonly before: unknown;
  /** The good run, and the world after it. */
  readonly good: Seen;
  readonly after: unknown;
}

/** What a scenario of a case is, beside what was seen of it. */
export interface Judged {
  /** As `only` takes it. */
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly params: unknown;
  /** Absent for the good run itself. */
  readonly reference: Reference | undefined;
}

/** What is wrong with the end of a scenario; `undefined` if nothing is. */
export async function wrongWith<World>(
  subject: Subject<World>,
  { name, faults, params, reference }: Judged,
  seen: Seen<World>,
): Promise<string | undefined> {
  const { onStuck = "retry", invariant, snapshot } = subject.options;
  if (seen.outcome === "stuck" && onStuck !== "leave") {
    return `it stays stuck, whatever an operator tries: ${said(seen.error)}`;
  }
  const strayed =
    brokenHandler(subject, faults, seen) ??
    (reference && strayedFrom(subject, reference, faults, seen));
  if (strayed !== undefined) return strayed;
  const { outcome, world, result, error } = seen;
  if (invariant !== undefined) {
    let held: unknown;
    try {
      held = await invariant({ outcome, world, params, result, error, scenario: name });
    } catch (thrown) {
      return `it ${ended(seen)}, and the invariant does not hold: ${said(thrown)}`;
    }
    if (held === false) return `it ${ended(seen)}, and the invariant does not hold`;
    if (held !== undefined && held !== true) {
      throw wrongCall(`\`invariant\` gave ${shown(held)}: it throws, or gives whether all is well`);
    }
  }
  if (snapshot === undefined || reference === undefined || outcome === "stuck") return undefined;
  const { before, after, good } = reference;
  const isAsGood = outcome === good.outcome && faults.every(isHarmless);
  if (outcome === "succeeded" && !isAsGood) return undefined;
  const expected = outcome === "undone" ? before : after;
  const found = await snapshotOf(subject.options, world, seen.nonces);
  if (isDeepStrictEqual(found, expected)) return undefined;
  const as = outcome === "undone" ? "before the run" : "after the good run";
  return `it ${ended(seen)}, and the world is not as ${as}: ${differenceOf(expected, found)}`;
}

/** What only delays or repeats has to come to the same end. */
function strayedFrom<World>(
  { places }: Subject<World>,
  { good }: Reference,
  faults: readonly Fault[],
  seen: Seen,
): string | undefined {
  if (seen.outcome === good.outcome || seen.outcome === "stuck") return undefined;
  if (good.outcome !== "succeeded" || !faults.every(isHarmless)) return undefined;
  // What is in doubt ends the run, where its undo covers that or it has none.
  const doubtful = [...places.values()].some(
    ({ node }) => node.kind === "action" && (node.undoWhen === "started" || node.undo === "none"),
  );
  const doubt = faults.some(
    ({ node, what }) => what.startsWith("loses-") || (node === PROCESS && DEATH.test(what)),
  );
  if (doubt && doubtful) return undefined;
  return `${nameOf(faults)} must not make the run fail, and it did: ${said(seen.error)}`;
}

/**
 * A `catch` is there to go on, or to `throw` by itself: it is wrong if an action in it fails that
 * nobody made to fail, though all is undone then.
 */
function brokenHandler<World>(
  { places }: Subject<World>,
  faults: readonly Fault[],
  { events }: Seen,
): string | undefined {
  for (const event of events) {
    if (event.type !== "failed" || faults.some(({ node }) => node === event.node)) continue;
    const place = places.get(generalPath(event.node));
    const isHandler = place?.handler === true || place?.inside.some(({ handler }) => handler);
    if (!isHandler || (place?.node.kind !== "action" && place?.node.kind !== "compute")) continue;
    const { message = event.value } = JSON.parse(event.value) as { readonly message?: string };
    return `\`${event.node}\`, in a \`catch\`, fails though nothing makes it: ${message}`;
  }
  return undefined;
}

function ended({ outcome, error }: Seen): string {
  return outcome === "succeeded" ? "has succeeded" : `is ${outcome} (${said(error)})`;
}

/** The first line of an error, and not what an assertion library draws below it. */
function said(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(0, 12)
    .join("\n    ");
}

/** A world's snapshot as data, in which idempotency keys are the same for each run; `undefined` without. */
export async function snapshotOf<World>(
  { snapshot }: Pick<Subject<World>["options"], "snapshot">,
  world: World,
  nonces: readonly string[],
): Promise<unknown> {
  if (snapshot === undefined) return undefined;
  const given = await snapshot(world);
  let text = jsonOf(given);
  // Then each would be like the other.
  if (text === undefined) {
    throw wrongCall(`\`snapshot\` gave ${shown(given)}: it gives what matters of a world as data`);
  }
  for (const [index, nonce] of nonces.entries()) text = text.replaceAll(nonce, `key${index}`);
  return JSON.parse(text) as unknown;
}

function jsonOf(given: unknown): string | undefined {
  try {
    return JSON.stringify(given, (_key, value: unknown) => {
      if (value instanceof Map) return { map: [...value] };
      if (value instanceof Set) return { set: [...value] };
      return typeof value === "bigint" ? `${value}n` : value;
    }) as string | undefined;
  } catch (error) {
    throw wrongCall(`\`snapshot\` gave what is no data: ${said(error)}`);
  }
}

/** Where two snapshots differ, in words: the entries that only one has. */
function differenceOf(expected: unknown, found: unknown): string {
  const [before, now] = [entriesOf(expected), entriesOf(found)];
  const missing = without(before, now).map((entry) => `- ${entry}`);
  const added = without(now, before).map((entry) => `+ ${entry}`);
  const lines = [...missing, ...added];
  const shown = lines
    .slice(0, 12)
    .map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line));
  if (lines.length === 0) return "the order is another";
  if (lines.length > 12) shown.push(`… and ${lines.length - 12} more`);
  return ["- has to be there, + must not be:", ...shown].join("\n    ");
}

function entriesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map((each) => JSON.stringify(each));
  if (typeof value === "string") return value.split("\n").filter((line) => line !== "");
  if (typeof value !== "object" || value === null) return [JSON.stringify(value) ?? "undefined"];
  return Object.entries(value).flatMap(([key, each]) =>
    entriesOf(each).map((entry) => `${key}: ${entry}`),
  );
}

function without(entries: readonly string[], others: readonly string[]): readonly string[] {
  const rest = [...others];
  return entries.filter((entry) => {
    const at = rest.indexOf(entry);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
