/**
 * The table of expressions: synchronous ones by type, which the compiler makes glue or compute nodes
 * of, and calls, which are nodes. To make programs have another one, add a row.
 */
import { type Body, promised, type Type } from "./body.js";

interface Row {
  readonly type: Type;
  readonly weight: number;
  /** Undefined: not possible here. */
  readonly make: (body: Body, depth: number) => string | undefined;
}

const STAMP =
  'bytes: new Uint8Array([1, 200]), url: new URL("https://a.example/b"), seen: new Set([1, 2]), ' +
  'by: new Map([["a", new Date(9)]]), last: undefined';

/** Expressions that end at once. */
const leaves: readonly Row[] = [
  { type: "num", weight: 1, make: (body) => `${body.choices.below(9)}` },
  { type: "num", weight: 1, make: (body) => body.around.param("n") },
  { type: "text", weight: 1, make: (body) => `"s${body.choices.below(9)}"` },
  { type: "text", weight: 1, make: (body) => body.around.param("s") },
  { type: "flag", weight: 1, make: (body) => body.around.param("on") },
  { type: "list", weight: 1, make: (body) => body.around.param("nums") },
  { type: "list", weight: 1, make: (body) => `[${body.choices.below(9)}, 1]` },
  { type: "item", weight: 1, make: () => `{ id: 1, name: "one", sizes: [4] }` },
  { type: "shape", weight: 1, make: () => `({ kind: "none" } as Shape)` },
  {
    type: "shape",
    weight: 1,
    make: (body) => `({ kind: "circle", radius: ${body.around.param("n")} } as Shape)`,
  },
  { type: "date", weight: 1, make: (body) => body.around.param("at") },
  { type: "date", weight: 1, make: (body) => `new Date(${body.choices.below(99)})` },
  {
    type: "stamp",
    weight: 1,
    make: (body) => `{ at: ${body.around.param("at")}, big: ${body.choices.below(9)}n, ${STAMP} }`,
  },
];

const num = (body: Body, depth: number): string => expression(body, "num", depth - 1);
const text = (body: Body, depth: number): string => expression(body, "text", depth - 1);
const flag = (body: Body, depth: number): string => expression(body, "flag", depth - 1);
const list = (body: Body, depth: number): string => `(${expression(body, "list", depth - 1)})`;
/** An item that has a name: for literals the compiler would have to know of which type they are. */
const item = (body: Body): string | undefined => body.variablesOf("item")[0]?.name;

const date = (body: Body, depth: number): string => `(${expression(body, "date", depth - 1)})`;
const stamp = (body: Body): string | undefined => body.variablesOf("stamp")[0]?.name;

/** Expressions with others inside. Numbers stay whole, small and not negative: JSON has no -0. */
const branches: readonly Row[] = [
  { type: "num", weight: 4, make: (b, d) => `(${num(b, d)} + ${num(b, d)}) % 50` },
  { type: "num", weight: 4, make: (b, d) => `this.tick(${b.key()}, ${num(b, d)})` },
  { type: "num", weight: 2, make: (b, d) => `twice(${num(b, d)})` },
  { type: "num", weight: 1, make: (b, d) => `this.offset + ${num(b, d)}` },
  { type: "num", weight: 1, make: (b, d) => `Math.max(${num(b, d)}, ${num(b, d)})` },
  { type: "num", weight: 1, make: (b, d) => `${list(b, d)}.length` },
  { type: "num", weight: 1, make: (b, d) => `(${text(b, d)}).length` },
  { type: "num", weight: 1, make: (b, d) => `(${list(b, d)}[0] ?? ${num(b, d)})` },
  { type: "num", weight: 1, make: (b, d) => `(${flag(b, d)} ? ${num(b, d)} : ${num(b, d)})` },
  { type: "num", weight: 2, make: (b) => member(item(b), ".id") },
  { type: "num", weight: 1, make: (b, d) => member(item(b), `.inner?.depth ?? ${num(b, d)}`) },
  { type: "text", weight: 3, make: (b, d) => `\`\${${num(b, d)}}-\${${text(b, d)}}\`` },
  { type: "text", weight: 1, make: (b, d) => `(${text(b, d)}).toUpperCase()` },
  { type: "text", weight: 1, make: (b, d) => `String(${num(b, d)})` },
  { type: "text", weight: 2, make: (b) => member(item(b), ".name") },
  { type: "text", weight: 1, make: (b) => wrap("label(", item(b), ")") },
  { type: "text", weight: 1, make: (b, d) => `JSON.stringify(${list(b, d)})` },
  { type: "text", weight: 1, make: (b) => member(b.variablesOf("shape")[0]?.name, ".kind") },
  { type: "text", weight: 4, make: (b) => b.error && `(${b.error} as Error).message` },
  {
    type: "flag",
    weight: 1,
    make: (b) => wrap("((", b.variablesOf("shape")[0]?.name, ` as Shape).kind === "none")`),
  },
  { type: "flag", weight: 2, make: (b, d) => `${num(b, d)} > ${num(b, d)}` },
  { type: "flag", weight: 1, make: (b, d) => `!(${flag(b, d)})` },
  { type: "flag", weight: 1, make: (b, d) => `(${flag(b, d)} && ${flag(b, d)})` },
  { type: "list", weight: 2, make: (b, d) => `[${num(b, d)}, ${num(b, d)}]` },
  { type: "list", weight: 1, make: (b, d) => `[...${list(b, d)}, ${num(b, d)}]` },
  { type: "list", weight: 1, make: (b, d) => `${list(b, d)}.map((x) => x + ${num(b, d)})` },
  { type: "list", weight: 1, make: (b, d) => `${list(b, d)}.filter((x) => x > ${num(b, d)})` },
  { type: "list", weight: 1, make: (b) => member(item(b), ".sizes") },
  {
    type: "item",
    weight: 2,
    make: (b, d) => `{ id: ${num(b, d)}, name: ${text(b, d)}, sizes: ${list(b, d)} }`,
  },
  {
    type: "shape",
    weight: 1,
    make: (b, d) => `({ kind: "circle", radius: ${num(b, d)} } as Shape)`,
  },
  { type: "num", weight: 1, make: (b, d) => `Math.abs(${date(b, d)}.getTime() % 50)` },
  { type: "num", weight: 1, make: (b) => wrap("Number(", stamp(b), ".big % 7n)") },
  { type: "num", weight: 1, make: (b) => member(stamp(b), ".seen.size") },
  { type: "num", weight: 1, make: (b) => member(stamp(b), ".bytes.length") },
  { type: "num", weight: 1, make: (b, d) => member(stamp(b), `.last ?? ${num(b, d)}`) },
  {
    type: "num",
    weight: 1,
    make: (b) => wrap("(", stamp(b), '.by.get("a")?.getTime() ?? 7) % 50'),
  },
  { type: "text", weight: 1, make: (b, d) => `${date(b, d)}.toISOString()` },
  { type: "text", weight: 1, make: (b) => member(stamp(b), ".url.pathname") },
  { type: "flag", weight: 1, make: (b, d) => `${date(b, d)} > ${date(b, d)}` },
  { type: "flag", weight: 1, make: (b, d) => member(stamp(b), `.seen.has(${num(b, d)})`) },
  { type: "list", weight: 1, make: (b) => wrap("[...", stamp(b), ".seen]") },
  { type: "date", weight: 2, make: (b) => member(stamp(b), ".at") },
  { type: "date", weight: 1, make: (b, d) => `new Date(${num(b, d)})` },
  { type: "stamp", weight: 1, make: (b, d) => wrap("{ ...", stamp(b), `, at: ${date(b, d)} }`) },
  { type: "item", weight: 1, make: (b, d) => wrap("{ ...", item(b), `, id: ${num(b, d)} }`) },
];

function member(owner: string | undefined, rest: string): string | undefined {
  return owner === undefined ? undefined : `(${owner}${rest})`;
}

function wrap(before: string, inner: string | undefined, after: string): string | undefined {
  return inner === undefined ? undefined : `${before}${inner}${after}`;
}

/** An expression without an `await`, of a type. */
export function expression(body: Body, type: Type, depth = 2): string {
  const { choices } = body;
  const variables = body.variablesOf(type);
  if (variables.length > 0 && choices.below(5) < 3) return choices.pick(variables).name;
  const table = depth > 0 && choices.oneIn(3) ? branches : leaves;
  const rows = table.filter((row) => row.type === type);
  const made = choices.weighted(rows).make(body, depth);
  return made ?? (leaves.find((row) => row.type === type) as Row).make(body, 0) ?? "";
}

/** A call that is a node, and gives a promise. */
export function call(body: Body, type: Type | "void"): string {
  const { choices, around } = body;
  const fitting = around.subsagas.filter(({ result }) => result === type);
  if (fitting.length > 0 && choices.oneIn(3)) {
    const given = `...${around.param("")}, tag: ${body.key()}, n: ${argument(body, "num")}`;
    return `${choices.pick(fitting).callee}({ ${given} })`;
  }
  const key = body.key();
  switch (type) {
    case "num": {
      const method = choices.pick(["num", "num", "num", "slow", "half", "probe"]);
      return `this.${method}(${key}, ${argument(body, "num")})`;
    }
    case "date":
    case "stamp":
      return `this.${type}(${key}, ${argument(body, "num")})`;
    case "shape":
      return `this.shape(${key}, ${argument(body, "num")})`;
    case "text":
      return `this.text(${key}, ${argument(body, "text")})`;
    case "flag":
      return `this.flag(${key}, ${argument(body, "num")})`;
    case "list":
      return `this.list(${key}, ${argument(body, "num")})`;
    case "item": {
      const name = choices.oneIn(3) ? `, ${argument(body, "text")}` : "";
      return `this.item(${key}, ${argument(body, "num")}${name})`;
    }
    case "void": {
      if (choices.oneIn(4)) {
        const given = choices.pick(["date", "stamp"] as const);
        const more = choices.pick(["", ", 5n", ", undefined, 7n"]);
        return `this.see(${key}, ${argument(body, given)}${more})`;
      }
      const spread = choices.oneIn(4) ? `, ...${list(body, 1)}` : "";
      return `this.note(${key}, ${argument(body, choices.pick(["num", "text"]))}${spread})`;
    }
  }
}

/** An argument of a call; now and then it is waited for on the spot. */
export function argument(body: Body, type: Type): string {
  const { choices } = body;
  if (!choices.oneIn(7)) return expression(body, type);
  const held = body.heldOf((each) => each.type === type);
  if (held.length === 0 || choices.oneIn(2)) return `await ${call(body, type)}`;
  const promise = choices.pick(held);
  promise.awaited = true;
  return `await ${promised(promise)}`;
}
