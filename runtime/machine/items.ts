/**
 * The list of a map or loop as its `expanded` has it, item by item: each is text of its own, since
 * a list of ten thousand must not be read as often. How a list is made text is in `codec.ts`.
 */
import type { SagaEvent } from "../events.js";
import { misplaced } from "./misplaced.js";

export interface Items {
  /** JSON texts. */
  readonly items: readonly (string | undefined)[];
  readonly keys: readonly string[] | undefined;
}

/** Takes apart `[…]`, `{ "0": …, "length": n }`, or `{ "keys": […], "items": either }`. */
export function splitItems(event: Extract<SagaEvent, { readonly type: "expanded" }>): Items {
  let value: unknown;
  try {
    value = JSON.parse(event.value);
  } catch {
    throw misplaced(event, "its value is no JSON");
  }
  if (Array.isArray(value)) return { items: texts(value), keys: undefined };
  if (typeof value === "object" && value !== null) {
    const { keys, items, length } = value as Record<string, unknown>;
    if (Array.isArray(keys) && typeof items === "object" && items !== null) {
      return { items: texts(items as ArrayLike<unknown>), keys: keys.map(String) };
    }
    if (typeof length === "number") {
      return { items: texts(value as unknown as ArrayLike<unknown>), keys: undefined };
    }
  }
  throw misplaced(event, "its value is no list");
}

function texts(items: ArrayLike<unknown>): (string | undefined)[] {
  return Array.from(items, (item) => (item === undefined ? undefined : JSON.stringify(item)));
}
