/**
 * Values as text, for comparing them as a checkpoint would: properties by name, those that are
 * `undefined` left out.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(told(value)) ?? "undefined";
}

/** As JSON; what has no JSON of its own is tagged. */
function told(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { $number: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(told);
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof URL) return { $url: value.href };
  if (value instanceof Uint8Array) return { $bytes: [...value] };
  if (value instanceof Set) return { $set: [...value].map(told) };
  if (value instanceof Map) return { $map: [...value].map(told) };
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, each]) => [name, told(each)]));
}
