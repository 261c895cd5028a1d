/**
 * The table of statements of a saga method. To make programs have another one, add a row; what a
 * block of statements must leave behind is at the end.
 */
import {
  Body,
  promised,
  SHAPED,
  TYPE_TEXT,
  TYPES,
  type Held,
  type Part,
  type Row,
  type Type,
} from "./body.js";
import { argument, call, expression } from "./expressions.js";
import { shapes } from "./shapes.js";

/** How deep what holds statements goes. */
const DEPTH = 4;

export const statements: readonly Row[] = [
  {
    name: "await",
    weight: 6,
    make: (body) => {
      const type = body.choices.pick(TYPES);
      const called = call(body, type);
      body.add(`const ${body.declare(type)} = await ${called};`);
    },
  },
  {
    name: "await-unnamed",
    weight: 3,
    make: (body) =>
      body.add(`await ${call(body, body.choices.oneIn(4) ? body.choices.pick(TYPES) : "void")};`),
  },
  {
    name: "hold",
    weight: 4,
    make: (body) => {
      const type = body.choices.oneIn(4) ? "void" : body.choices.pick(TYPES);
      const called = call(body, type);
      body.add(`const ${body.hold(type)} = ${called};`);
    },
  },
  { name: "await-held", weight: 4, make: awaitHeld },
  {
    name: "value",
    weight: 3,
    make: (body) => {
      const type = body.choices.pick(TYPES);
      const value = expression(body, type, 3);
      const annotation = SHAPED.has(type) || body.choices.oneIn(3) ? `: ${TYPE_TEXT[type]}` : "";
      body.add(`const ${body.declare(type)}${annotation} = ${value};`);
    },
  },
  { name: "all", weight: 4, make: awaitAll },
  {
    name: "all-held",
    weight: 1,
    make: (body) => {
      const { text } = listOf(body);
      body.add(`const ${body.hold("void")} = ${text};`);
    },
  },
  {
    name: "block-held",
    weight: 2,
    make: (body) => {
      const type = body.choices.pick(TYPES);
      const block = asyncBlock(body, type);
      body.add(`const ${body.hold(type)} = ${block};`);
    },
  },
  {
    name: "take-apart",
    weight: 2,
    make: (body) => {
      const { choices } = body;
      const source = choices.oneIn(3) ? plainValue(body, "item") : `await ${call(body, "item")}`;
      const [first, second] = [body.declare("num"), body.declare("text")];
      const rest = choices.oneIn(2) ? `, sizes: ${body.declare("list")}` : "";
      body.add(`const { id: ${first}, name: ${second}${rest} } = ${source};`);
    },
  },
  {
    name: "take-list-apart",
    weight: 1,
    make: (body) => {
      const source = body.choices.oneIn(2)
        ? expression(body, "list")
        : `await ${call(body, "list")}`;
      const [first, rest] = [body.declare("num"), body.declare("list")];
      body.add(`const [${first} = 1, ...${rest}] = ${source};`);
    },
  },
  {
    name: "around-await",
    weight: 2,
    make: (body) => {
      const parts = [argument(body, "num"), argument(body, "num")].map((part) => `(${part})`);
      body.add(`const ${body.declare("num")} = (${parts.join(" + ")}) % 50;`);
    },
  },
  {
    name: "tick",
    weight: 1,
    make: (body) => body.add(`this.tick(${body.key()}, ${expression(body, "num")});`),
  },
];

/** Those that hold others. */
const all: readonly Row[] = [
  ...statements,
  { name: "nested", weight: 1, make: (body) => body.add(block(body, {}, 2)) },
  ...shapes,
];

/** Writes statements until the choices say that it is enough. */
export function fill(body: Body, most: number): void {
  const rows = body.depth < DEPTH ? all : statements;
  for (let count = 0; count < most && !body.choices.usedUp; count++) {
    body.choices.weighted(rows).make(body);
    if (body.choices.oneIn(20)) break;
  }
}

/** Waits for every promise that nobody has waited for. */
export function awaitRest(body: Body): void {
  awaitAllOf(body, body.open);
}

export function awaitAllOf(body: Body, open: readonly Held[]): void {
  for (const held of open) held.awaited = true;
  const names = open.map(promised);
  if (names.length > 1 && body.choices.oneIn(2)) body.add(`await Promise.all([${names.join()}]);`);
  else
    for (const name of body.choices.oneIn(2) ? names.reverse() : names) body.add(`await ${name};`);
}

function awaitHeld(body: Body): void {
  const fresh = body.open;
  const any = fresh.length > 0 ? fresh : body.heldOf(() => true);
  if (any.length === 0) {
    body.add(`await ${call(body, "void")};`);
    return;
  }
  const held = body.choices.pick(any);
  held.awaited = true;
  if (held.type === "void" || body.choices.oneIn(4)) body.add(`await ${promised(held)};`);
  else body.add(`const ${body.declare(held.type)} = await ${promised(held)};`);
}

/** A `Promise.all`, and what its elements resolve to. */
interface List {
  readonly text: string;
  readonly types: readonly Held["type"][];
}

/** `const [a, , b] = await Promise.all([…])`. */
function awaitAll(body: Body): void {
  const { text, types } = listOf(body);
  const names = types.map((type) =>
    type === "void" || body.choices.oneIn(4) ? "" : body.declare(type),
  );
  const pattern = names.some((name) => name !== "") ? `const [${names.join(", ")}] = ` : "";
  body.add(`${pattern}await ${text};`);
}

function listOf(body: Body): List {
  const { choices } = body;
  const elements: { readonly text: string; readonly type: Held["type"] }[] = [];
  const count = 1 + choices.below(3);
  for (let index = 0; index < count; index++) elements.push(element(body));
  return {
    text: `Promise.all([${elements.map(({ text }) => text).join(", ")}])`,
    types: elements.map(({ type }) => type),
  };
}

function element(body: Body): { readonly text: string; readonly type: Held["type"] } {
  const { choices } = body;
  const type = choices.pick(TYPES);
  switch (choices.below(8)) {
    case 4:
    case 5:
      return { text: asyncBlock(body, type), type };
    case 6: {
      const [held] = body.open;
      if (held === undefined) return { text: call(body, "void"), type: "void" };
      held.awaited = true;
      return { text: promised(held), type: held.type };
    }
    case 7:
      return choices.oneIn(2)
        ? { text: plainValue(body, type), type }
        : { text: listOf(body).text, type: "void" };
    default:
      return { text: call(body, type), type };
  }
}

/** `{ … }` */
export function block(body: Body, part: Part, most: number, leave?: (inner: Body) => void): string {
  const inner = new Body(body.around, body, part);
  fill(inner, most);
  awaitRest(inner);
  leave?.(inner);
  close(inner);
  return `{ ${inner.lines.join("\n")} }`;
}

/** `(async () => { … })()`: statements beside those of the body. */
function asyncBlock(body: Body, type: Type): string {
  const early = (from: Body): string => plainValue(from, type);
  const ends = body.choices.oneIn(4) ? early : "to its end";
  const inner = new Body(body.around, body, { maybe: true, function: ends });
  fill(inner, body.depth < DEPTH ? 3 : 1);
  awaitRest(inner);
  const result = body.choices.oneIn(3) ? call(inner, type) : plainValue(inner, type);
  close(inner);
  return `(async () => { ${inner.lines.join("\n")}\nreturn ${result}; })()`;
}

/** A value whose type is that of its place: an object written on the spot would have one of its own. */
export function plainValue(body: Body, type: Type): string {
  if (!SHAPED.has(type)) return expression(body, type);
  return body.variablesOf(type)[0]?.name ?? `await ${call(body, type)}`;
}

/** The names of a block can be used again after it. */
export function close(inner: Body): void {
  if (inner.choices.oneIn(2)) return;
  for (const name of inner.ownNames) inner.around.usedNames.delete(name);
}
