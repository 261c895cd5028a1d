/**
 * The body of one function while it is written: its lines, the variables that are in scope, the
 * promises that somebody must still wait for. What can be written is in the tables of
 * `expressions.ts` and `statements.ts`.
 */
import type { Choices } from "./choices.js";

/** The types of values that programs have. */
export type Type = "num" | "text" | "item" | "list" | "flag" | "shape" | "date" | "stamp";

/** Those that JSON has are there more often. */
export const TYPES: readonly Type[] = [
  ...(["num", "text", "item", "list", "flag", "shape"] as const),
  ...(["num", "text", "item", "list", "flag", "date", "stamp"] as const),
];

/** Literals of these have a type of their own, unless it is written beside them. */
export const SHAPED: ReadonlySet<Type | "void"> = new Set(["item", "shape", "stamp"]);

export const TYPE_TEXT: Readonly<Record<Type | "void", string>> = {
  num: "number",
  text: "string",
  item: "Item",
  list: "number[]",
  flag: "boolean",
  shape: "Shape",
  date: "Date",
  stamp: "Stamp",
  void: "void",
};

export interface Variable {
  readonly name: string;
  readonly type: Type;
}

/** A promise, or a list of such from `Promise.all`. */
export interface Held {
  readonly name: string;
  /** Of what it resolves to; `void`: nothing that can be read. */
  readonly type: Type | "void";
  /** It is an array of promises. */
  readonly many: boolean;
  awaited: boolean;
  /** Where it was started. */
  readonly place: Place;
}

/** Numbers of what a body is in. */
interface Place {
  readonly function: number;
  /** The innermost `try`, loop or item, in or out of which no promise is taken. */
  readonly zone: number;
  readonly loop: number;
}

/** A saga that others may embed; it takes `Params`. */
export interface SubSaga {
  /** How it is called: `this.inner1`, `this.other.deep`. */
  readonly callee: string;
  readonly result: Type;
}

/** One kind of statement. */
export interface Row {
  readonly name: string;
  readonly weight: number;
  readonly make: (body: Body) => void;
}

/** What all bodies of a saga share. */
export interface Surroundings {
  readonly choices: Choices;
  readonly subsagas: readonly SubSaga[];
  /** How the params are read: `params.n`, or `n`. */
  readonly param: (name: string) => string;
  /** In front of the key of each place: empty in the outermost saga. */
  readonly prefix: string;
  readonly keys: { next: number };
  readonly usedNames: Set<string>;
  /** Declares an event of the class, and gives its name; undefined where none can be waited for. */
  readonly event: ((type: Type) => string) | undefined;
}

/** What a body is part of; absent: as the body around it. */
export interface Part {
  /** It may not run, or run again: promises awaited here are not awaited for those around it. */
  readonly maybe?: true;
  /** A `try`, a loop or an item: promises that were started outside cannot be awaited in it. */
  readonly zone?: true;
  /** What fails in it is caught. */
  readonly tried?: true;
  /** Added to the keys: the code of something that differs from one item to the next. */
  readonly key?: string;
  /** It is a function; this writes what it can be left with early, if it can. */
  readonly function?: ((body: Body) => string) | "to its end";
  /** It is what a loop repeats. */
  readonly loop?: true;
  /** In a clause of a `switch`, `break` is another one. */
  readonly clause?: true;
  /** Of a loop: the variable outside of it that may be set where the loop is left. */
  readonly found?: Variable;
  /** The variable of the error that was caught. */
  readonly error?: string;
}

/** Names that could be mistaken for others in a generated module, or in the machine. */
const ODD_NAMES = [
  ...["self", "values", "constructor", "main", "num", "note", "defineSaga", "Output", "toString"],
  ...["mainGraph", "MainValues", "nodes", "item", "output", "Kit", "world", "index", "error"],
  ...Object.getOwnPropertyNames(Object.prototype),
];

/** What is awaited of a promise, or a list of such, that is held. */
export function promised({ name, many }: Held): string {
  return many ? `Promise.all(${name})` : name;
}

export class Body {
  readonly lines: string[] = [];
  readonly variables: Variable[];
  readonly ownNames: string[] = [];
  /** All promises that have a name here, those that cannot be awaited here too. */
  readonly held: Held[];
  readonly depth: number;
  readonly keyPrefix: string;
  readonly place: Place;
  /** What can be written here only. */
  readonly result: ((body: Body) => string) | undefined;
  readonly mayBreak: boolean;
  readonly found: Variable | undefined;
  readonly error: string | undefined;
  /** Whether what fails in it may be caught here: what is said then has names that only a run knows. */
  readonly tried: boolean;
  readonly #own = new Set<Held>();

  constructor(
    readonly around: Surroundings,
    outer: Body | undefined,
    part: Part = {},
  ) {
    const { keys } = around;
    this.depth = outer === undefined ? 0 : outer.depth + 1;
    this.variables = [...(outer?.variables ?? [])];
    const held = outer?.held ?? [];
    this.held = part.maybe === true ? held.map((each) => ({ ...each })) : [...held];
    const before = outer?.keyPrefix ?? around.prefix;
    this.keyPrefix = part.key === undefined ? before : `${before}.${part.key}`;
    const { function: result } = part;
    const isNew = result !== undefined;
    const at = outer?.place ?? { function: 0, zone: 0, loop: 0 };
    this.place = {
      function: isNew ? keys.next : at.function,
      zone: part.zone === true ? keys.next : at.zone,
      loop: isNew ? 0 : part.loop === true ? keys.next : at.loop,
    };
    keys.next += 1;
    this.result = result === "to its end" ? undefined : (result ?? outer?.result);
    const breaks = part.loop === true || (!isNew && outer?.mayBreak === true);
    this.mayBreak = breaks && part.clause !== true;
    this.found = isNew || part.loop === true ? part.found : outer?.found;
    this.error = part.error ?? outer?.error;
    this.tried = part.tried === true || outer?.tried === true;
  }

  get choices(): Choices {
    return this.around.choices;
  }

  /** What must be awaited before the function, or the item of a loop, is left; undefined: it cannot be. */
  owed(what: "function" | "loop"): Held[] | undefined {
    if (what === "loop" ? this.place.loop === 0 : this.result === undefined) return undefined;
    const open = this.held.filter(
      ({ awaited, place }) => !awaited && place[what] === this.place[what],
    );
    return open.every(({ place }) => place.zone === this.place.zone) ? open : undefined;
  }

  /** Promises of its own that nobody has awaited. */
  get open(): Held[] {
    return this.held.filter((each) => this.#own.has(each) && !each.awaited);
  }

  add(line: string): void {
    this.lines.push(line);
  }

  /** The code of a key that no other place has. */
  key(): string {
    const { keys } = this.around;
    const prefix = this.keyPrefix;
    keys.next += 1;
    return prefix === "" ? `"k${keys.next}"` : `\`${prefix}/k${keys.next}\``;
  }

  /** A new name; now and then an odd one. */
  name(): string {
    const { usedNames } = this.around;
    const odd = this.choices.oneIn(8) ? this.choices.pick(ODD_NAMES) : undefined;
    for (let index = 0; ; index++) {
      const plain = `v${usedNames.size + index}`;
      const name = odd !== undefined && !usedNames.has(odd) ? odd : plain;
      if (usedNames.has(name)) continue;
      usedNames.add(name);
      this.ownNames.push(name);
      return name;
    }
  }

  /** Declares a variable that can be read from now on. */
  declare(type: Type, name = this.name()): string {
    this.variables.push({ name, type });
    return name;
  }

  hold(type: Held["type"], name = this.name(), many = false): string {
    const held: Held = { name, type, many, awaited: false, place: this.place };
    this.held.push(held);
    this.#own.add(held);
    return name;
  }

  /** Whether what is written here runs once at most: a list or another saga may repeat it. */
  get once(): boolean {
    return this.keyPrefix === "";
  }

  /** The last variables first: what follows should use what was there just before. */
  variablesOf(type: Type): Variable[] {
    return this.variables.filter((variable) => variable.type === type).reverse();
  }

  /** Promises that can be awaited here. */
  heldOf(fits: (held: Held) => boolean): Held[] {
    return this.held.filter((held) => held.place.zone === this.place.zone && fits(held));
  }
}
