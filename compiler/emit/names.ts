/** Finds names for what generated code declares: valid, not reserved, and free where they stand. */

const RESERVED = new Set(
  (
    "arguments as async await break case catch class const continue debugger default delete do else enum " +
    "eval export extends false finally for function if implements import in instanceof interface " +
    "let new null of package private protected public return static super switch this throw true " +
    "try typeof undefined var void while with yield"
  ).split(" "),
);

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Whether a property of this name needs no quotes. */
export function isIdentifier(name: string): boolean {
  return IDENTIFIER.test(name);
}

/** `reserve-2` → `reserve2`, `if:paid` → `ifPaid`. */
export function camelCase(name: string): string {
  const words = name.split(/[^\p{ID_Continue}$]+/u).filter((word) => word !== "");
  const joined = words.map((word, index) => (index === 0 ? word : pascalCase(word))).join("");
  return IDENTIFIER.test(joined) ? joined : `_${joined}`;
}

/** `bookTrip` → `BookTrip`. */
export function pascalCase(name: string): string {
  const camel = /^[\p{ID_Continue}$]*$/u.test(name) ? name : camelCase(name);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}

/** A key of an object literal, type or pattern. */
export function propertyKey(name: string): string {
  return isIdentifier(name) ? name : JSON.stringify(name);
}

/** The names of one scope. */
export class Scope {
  private readonly taken: Set<string>;

  constructor(...taken: readonly Iterable<string>[]) {
    this.taken = new Set(taken.flatMap((names) => [...names]));
  }

  /** Takes the wanted name, or the first free one made from it with a number. */
  take(wanted: string): string {
    const base = camelCase(wanted);
    let name = base;
    for (let count = 2; this.taken.has(name) || RESERVED.has(name); count++) name = base + count;
    this.taken.add(name);
    return name;
  }
}
