/**
 * The body of one function while it is written: its lines, the variables that are in scope, the
 * promises that somebody must still wait for. What can be written is in the tables of
 * `expressions.ts` and `statements.ts`.
 */
import type { Choices } from "./choices.js";

/** The types of values that programs have. */
export type Type = "num" | "text" | "item" | "list" | "flag";

export const TYPES: readonly Type[] = ["num", "text", "item", "list", "flag"];

export const TYPE_TEXT: Readonly<Record<Type | "void", string>> = {
  num: "number",
  text: "string",
  item: "Item",
  list: "number[]",
  flag: "boolean",
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
  awaited: boolean;
}

/** A saga that others may embed; it takes `Params`. */
export interface SubSaga {
  /** How it is called: `this.inner1`, `this.other.deep`. */
  readonly callee: string;
  readonly result: Type;
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
}

/** Names that could be mistaken for others in a generated module, or in the machine. */
const ODD_NAMES = [
  ...["self", "values", "constructor", "main", "num", "note", "defineSaga", "Output", "toString"],
  ...["mainGraph", "MainValues", "nodes", "item", "output", "Kit", "world", "hasOwnProperty"],
];

export class Body {
  readonly lines: string[] = [];
  readonly variables: Variable[];
  readonly held: Held[] = [];
  readonly ownNames: string[] = [];
  /** Promises of the bodies around this one, which may be awaited here too. */
  readonly outerHeld: readonly Held[];

  constructor(
    readonly around: Surroundings,
    readonly depth: number,
    outer: Body | undefined,
  ) {
    this.variables = [...(outer?.variables ?? [])];
    this.outerHeld = outer === undefined ? [] : [...outer.outerHeld, ...outer.held];
  }

  get choices(): Choices {
    return this.around.choices;
  }

  add(line: string): void {
    this.lines.push(line);
  }

  /** The code of a key that no other place has. */
  key(): string {
    const { keys, prefix } = this.around;
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

  hold(type: Held["type"], name = this.name()): string {
    this.held.push({ name, type, awaited: false });
    return name;
  }

  /** The last variables first: what follows should use what was there just before. */
  variablesOf(type: Type): Variable[] {
    return this.variables.filter((variable) => variable.type === type).reverse();
  }

  heldOf(fits: (held: Held) => boolean): Held[] {
    return [...this.held, ...this.outerHeld].filter(fits);
  }
}
