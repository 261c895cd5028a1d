/**
 * A random program as source text: a class with a saga `main`, and sagas that it embeds. The same
 * numbers give the same program.
 */
import { awaitRest, fill } from "./statements.js";
import { Body, type SubSaga, TYPE_TEXT, TYPES, type Surroundings, type Type } from "./body.js";
import { Choices } from "./choices.js";
import { expression } from "./expressions.js";

const FIELDS = ["tag", "n", "s", "on", "nums", "at"];

const head = `import { each, event, saga, sleep, start } from "steno-runtime";
import { Kit, label, twice, type Item, type Shape, type Stamp } from "./kit.js";

export type Value = number | string | boolean | number[] | Item | Shape | Date | Stamp;
export interface Params { tag: string; n: number; s: string; on: boolean; nums: number[]; at: Date }
`;

/** So that a program that uses none of its imports is still one without errors. */
const tail =
  "export const used = [label, twice, sleep, each, event, start, {} as Item, {} as Shape, {} as Stamp];\n";

/** The program of a list of numbers. */
export function programOf(numbers: readonly number[]): string {
  const choices = new Choices(numbers);
  const own: SubSaga[] = [];
  const others: SubSaga[] = [];
  const otherText = choices.oneIn(4) ? otherClass(choices, others) : "";
  const sagas: string[] = [];
  const count = choices.below(5) - 2;
  for (let index = 0; index < count; index++) {
    const result = choices.pick(TYPES);
    sagas.push(sagaOf(choices, `inner${index}`, { subsagas: [...own, ...others], result }, 3));
    own.push({ callee: `this.inner${index}`, result });
  }
  const fields = otherText === "" ? [] : ["readonly other = new Other(this.world);"];
  const event = (type: Type): string => {
    // What comes with it follows from the name.
    const name = `${type}Event${fields.length}`;
    fields.push(`readonly ${name} = event<${TYPE_TEXT[type]}>();`);
    return name;
  };
  const main = sagaOf(choices, "main", { subsagas: [...own, ...others], event }, 14);
  return `${head}${otherText}
export class Program extends Kit {
${[...fields, ...sagas, main].join("\n")}
}
${tail}`;
}

function otherClass(choices: Choices, others: SubSaga[]): string {
  const result = choices.pick(TYPES);
  const text = sagaOf(choices, "deep", { subsagas: [], result }, 3);
  others.push({ callee: "this.other.deep", result });
  return `export class Other extends Kit {\n${text}\n}\n`;
}

function sagaOf(
  choices: Choices,
  name: string,
  {
    subsagas,
    result,
    event,
  }: Pick<Surroundings, "subsagas"> &
    Partial<Pick<Surroundings, "event">> & { readonly result?: Type },
  most: number,
): string {
  const apart = choices.oneIn(3);
  const list = FIELDS.join(", ");
  const around: Surroundings = {
    choices,
    subsagas,
    param: apart
      ? (field) => (field === "" ? `{ ${list} }` : field)
      : (field) => (field === "" ? "params" : `params.${field}`),
    prefix: result === undefined ? "" : apart ? "${tag}" : "${params.tag}",
    keys: { next: 0 },
    event,
    usedNames: new Set(apart ? FIELDS : ["params"]),
  };
  // A saga that returns what it has cannot return that early, where it does not have it yet.
  const ends = result === undefined ? choices.oneIn(2) : choices.oneIn(3);
  const early = (from: Body): string =>
    result === undefined ? someOf(from) : valueOf(from, result).text;
  const body = new Body(around, undefined, { function: ends ? early : "to its end" });
  fill(body, most);
  awaitRest(body);
  const returned =
    result !== undefined
      ? valueOf(body, result)
      : ends
        ? { text: someOf(body), type: "Value[]" }
        : anything(body);
  const given = apart ? `{ ${list} }: Params` : "params: Params";
  return `  @saga async ${name}(${given}): Promise<${returned.type}> {
${body.lines.join("\n")}
return ${returned.text};
}
`;
}

interface Returned {
  readonly text: string;
  readonly type: string;
}

function valueOf(body: Body, type: Type): Returned {
  return { text: expression(body, type), type: TYPE_TEXT[type] };
}

function someOf(body: Body): string {
  const kept = body.variables.filter(() => !body.choices.oneIn(3)).slice(-4);
  return `[${kept.map(({ name }) => name).join(", ")}]`;
}

/** What the outermost saga returns: some of what it has. */
function anything(body: Body): Returned {
  const kept = body.variables.filter(() => !body.choices.oneIn(3)).slice(-4);
  // Anything but nothing is of type `{}`, so that it cannot be stored.
  if (body.choices.oneIn(2) && kept.length > 0) {
    const types = kept.map(({ name, type }) => `${name}: ${TYPE_TEXT[type]}`);
    const names = kept.map(({ name }) => name);
    return { text: `{ ${names.join(", ")} }`, type: `{ ${types.join("; ")} }` };
  }
  const types = kept.map(({ type }) => TYPE_TEXT[type]);
  return { text: `[${kept.map(({ name }) => name).join(", ")}]`, type: `[${types.join(", ")}]` };
}
