/** Programs written by hand, one for each thing that the order of a saga method depends on. */

/** A whole program around the body of its saga method. */
export function programOf(body: string, returns = "unknown[]", more = ""): string {
  return `import { action, each, saga, start } from "steno-runtime";
import { Kit, label, twice, type Item } from "./kit.js";

export interface Params {
  tag: string;
  n: number;
  s: string;
  on: boolean;
  nums: number[];
  at: Date;
}

export class Program extends Kit {${more}
  @saga
  async main(params: Params): Promise<${returns}> {
${body.replace(/^(?=.)/gm, "    ")}
  }
}

export const used = [action, each, start, label, twice, {} as Item];
`;
}

const sub = `
  @saga
  async inner({ tag, n }: { tag: string; n: number }): Promise<number> {
    const [a] = await Promise.all([this.num(\`\${tag}/a\`, n), this.note(\`\${tag}/b\`)]);
    return a + this.tick(\`\${tag}/t\`, a);
  }
`;

export const programs: Readonly<Record<string, string>> = {
  chain: programOf(
    `const a = await this.num("a", params.n);
await this.note("b", "no data flows here");
const c = await this.text("c", \`\${a}\`);
return [a, c];`,
    "(number | string)[]",
  ),
  parallel: programOf(
    `const first = await this.num("first", params.n);
const [left, right] = await Promise.all([this.num("left", first), this.item("right", first)]);
await this.note("last", left, right.name);
return right;`,
    "Item",
  ),
  held: programOf(
    `const p = this.num("p", 1);
const q = await this.num("q", 2);
const r = this.text("r", \`\${q}\`);
const s = await this.num("s", await p);
await r;
return s + q;`,
    "number",
  ),
  blocks: programOf(
    `const [x, y] = await Promise.all([
  (async () => {
    const a = await this.num("a", 1);
    return this.num("b", a);
  })(),
  (async () => {
    const c = await this.item("c", 2);
    await this.note("d", c.name);
    return c.id;
  })(),
]);
return x + y;`,
    "number",
  ),
  // Nothing in the list waits, and each of its elements has a type of its own.
  plainList: programOf(
    `const [tick, text] = await Promise.all([this.tick("t", 1), params.s]);
await this.note("a", text);
await this.num("b", tick);
return tick;`,
    "number",
  ),
  // What a block returns is bound to a name that stands before what is in the block.
  blockValue: programOf(
    `const [list] = await Promise.all([
  (async () => {
    await this.note("a");
    const inside = [params.n, 1];
    return inside;
  })(),
  this.note("beside"),
]);
await this.note("b", ...list);
return list;`,
    "number[]",
  ),
  computes: programOf(
    `const p = this.num("p", this.tick("early", 1));
const late = this.tick("late", params.n);
const q = await this.num("q", late + this.tick("in", 2));
const z = twice(q + (await p));
return z + this.tick("end", z);`,
    "number",
  ),
  subsaga: programOf(
    `const p = this.inner({ tag: "one", n: params.n });
const q = await this.inner({ tag: "two", n: 2 });
await this.note("mid", q);
return (await p) + q;`,
    "number",
    sub,
  ),
};
