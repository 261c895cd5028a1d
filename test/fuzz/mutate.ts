/**
 * Breaks programs: what comes out may be wrong in any way, or still right. The compiler must answer
 * with diagnostics, or with a definition that does what the method does; never with an exception.
 */
import type { Choices } from "./choices.js";

/** Statements that are no part of the language, or that are wrong where they stand. */
const STATEMENTS = [
  ...[
    "debugger;",
    "while (true) {}",
    "for (;;) {}",
    "do {} while (false);",
    "label: {}",
    ";",
    "{}",
  ],
  ...["let y = 1; y++;", "params.nums.push(1);", "delete params.s;", "return;", "yield 1;"],
  ...[
    "function f() {}",
    "class C {}",
    "enum E { A }",
    "type T = 1;",
    "using r = null;",
    "var z = 1;",
  ],
  ...['throw new Error("x");', 'this.num("x", 1);', 'void this.num("x", 1);', "await this;"],
  ...['if (params.on) await this.note("x");', 'try { await this.note("x"); } finally {}'],
  ...[
    'try { await this.num("x", 1); } catch { await this.note("y"); }',
    "new.target;",
    "eval('1');",
  ],
  ...['switch (params.n) { case 1: await this.note("x"); default: await this.note("y"); }'],
  ...["for (const x of params.nums) await this.num(`x${x}`, x);", "for await (const x of []) {}"],
  ...['await Promise.race([this.num("x", 1)]);', 'this.num("x", 1).then(() => 1);', "import.meta;"],
  ...['await Promise.allSettled([this.num("x", 1)]);', "await Promise.resolve(1);", "arguments;"],
  ...['const f = async () => this.num("x", 1); await f();', 'await this["num"]("x", 1);'],
  ...['await super.num("x", 1);', 'await this.unNum(1, "x", 1);', 'await import("./kit.js");'],
  ...["Object.assign(params, {});", "const { world } = this;", "const self = this;"],
  ...["const all = await Promise.all(params.nums.map((x) => this.num(`x${x}`, x)));"],
  ...[
    'const q = [this.num("x", 1)]; await Promise.all(q);',
    'const w = await (await this.num("x", 1));',
  ],
  ...['const u = params.on ? await this.num("x", 1) : 2;', 'params.on && (await this.note("x"));'],
  ...[
    "const { n: [deep] } = params;",
    "let later; later = params.n;",
    'await (0, this.num)("x", 1);',
  ],
];

/** Expressions that may be wrong where another one stood. */
const EXPRESSIONS = [
  ...["this", "(await 1)", "async () => {}", "class {}", "/x/g", "undefined", "null!", "(1, 2)"],
  ...["params.n++", "`${1}`", "[]", "{}", "new Date()", "Symbol()", "1n", "-0", "NaN", "super.num"],
  ...["() => this", "(params as any)", "await params", "params?.n", "import.meta.url", "Promise"],
];

const TOKEN =
  /`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\])*"|[\p{L}_$][\p{L}\d_$]*|\d+|=>|\?\?|\?\.|\.\.\.|&&|\S/gu;

interface Mutation {
  readonly weight: number;
  readonly make: (text: string, choices: Choices) => string;
}

/** Changes one token. */
const token =
  (change: (found: string, choices: Choices, all: readonly string[]) => string) =>
  (text: string, choices: Choices): string => {
    const all = [...text.matchAll(TOKEN)];
    if (all.length === 0) return text;
    const place = choices.pick(all);
    const words = all.map(([word]) => word);
    const changed = change(place[0], choices, words);
    return text.slice(0, place.index) + changed + text.slice(place.index + place[0].length);
  };

/** Changes the list of lines. */
const lines =
  (change: (all: string[], place: number, choices: Choices) => void) =>
  (text: string, choices: Choices): string => {
    const all = text.split("\n");
    change(all, choices.below(all.length), choices);
    return all.join("\n");
  };

const mutations: readonly Mutation[] = [
  { weight: 2, make: token(() => "") },
  { weight: 2, make: token((found) => `${found} ${found}`) },
  { weight: 3, make: token((_, choices, all) => choices.pick(all)) },
  { weight: 3, make: token((found, choices) => (isWord(found) ? choices.pick(EXPRESSIONS) : "")) },
  { weight: 2, make: token((found) => (isWord(found) ? `await ${found}` : found)) },
  { weight: 2, make: token((found) => (isWord(found) ? `${found}2` : found)) },
  { weight: 6, make: (text, choices) => withoutOne(text, "await ", choices) },
  { weight: 2, make: (text, choices) => withoutOne(text, "async ", choices) },
  { weight: 1, make: (text, choices) => withoutOne(text, "()", choices) },
  { weight: 2, make: lines((all, place) => all.splice(place, 1)) },
  { weight: 2, make: lines((all, place) => all.splice(place, 0, all[place] ?? "")) },
  {
    weight: 3,
    make: lines((all, place) => {
      const [line = ""] = all.splice(place, 1);
      all.splice(place + 1, 0, line);
    }),
  },
  {
    weight: 8,
    make: lines((all, place, choices) => all.splice(place, 0, choices.pick(STATEMENTS))),
  },
];

function isWord(found: string): boolean {
  return /^[\p{L}_$\d"`]/u.test(found);
}

function withoutOne(text: string, what: string, choices: Choices): string {
  const places = [...text.matchAll(new RegExp(what.replace(/[()]/g, "\\$&"), "g"))];
  if (places.length === 0) return text;
  const { index } = choices.pick(places);
  return text.slice(0, index) + text.slice(index + what.length);
}

/** The program with one thing changed, or two, in its classes. */
export function mutate(text: string, choices: Choices): string {
  const start = text.search(/^export class/m);
  const [head, body] = [text.slice(0, start), text.slice(start)];
  let changed = body;
  for (let count = choices.oneIn(3) ? 2 : 1; count > 0; count--) {
    changed = choices.weighted(mutations).make(changed, choices);
  }
  return head + changed;
}
