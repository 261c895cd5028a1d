/**
 * What is emitted for tangled programs: it type-checks, and on a coordinator it makes the same calls
 * and comes to the same result as the plain method, for params that take different paths. The order
 * of starts is the business of the oracle.
 */
import { Coordinator, memoryStore } from "steno-runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch, load, type Loaded } from "../oracle/compile.js";
import type { Params } from "../oracle/gating.js";
import type { World } from "../oracle/kit.js";
import { outputOf, tickOf } from "../oracle/outputs.js";
import { programOf } from "../oracle/programs.js";
import { lettingRejectionsPass } from "../oracle/unhandled.js";

const programs: Readonly<Record<string, string>> = {
  "one of several values, through glue that would throw elsewhere": programOf(
    `let x: Item | undefined;
if (params.on) x = await this.item("x", params.n);
let text: string;
if (x === undefined) {
  text = await this.text("none", "");
} else {
  const { name, sizes: [first = 0] } = x;
  await this.note("first", first);
  text = name + first;
}
const length = text.length;
await this.note("last", text, length);
return length;`,
    "number",
  ),
  "a switch on a union, with values that later nodes need": programOf(
    `const wish: { kind: "a"; n: number } | { kind: "b"; s: string } | { kind: "c" } =
  params.n > 3 ? { kind: "a", n: params.n } : params.on ? { kind: "b", s: params.s } : { kind: "c" };
let label: string;
switch (wish.kind) {
  case "a":
    label = \`\${await this.num("a", wish.n)}\`;
    break;
  case "b": {
    if (wish.s === "") return "empty";
    label = wish.s;
    await this.note("b", label);
    break;
  }
  default:
    throw new Error("no wish");
}
return await this.text("end", label);`,
    "string",
  ),
  "decisions on decisions, and several returns": programOf(
    `const a = await this.num("a", params.n);
const b = params.on ? (a > 50 ? await this.num("high", a) : a + 1) : await this.num("off", a);
if (b > 60) return { at: "b", b };
const c = (await this.flag("c", b)) && (await this.flag("d", b));
if (c) {
  const text = await this.text("c", String(b));
  if (text.length > 2) return { at: text, b };
}
const maybe = c ? undefined : await this.item("maybe", b);
return { at: maybe?.name ?? "end", b: maybe?.inner?.depth ?? b };`,
    "{ at: string; b: number }",
  ),
  "a map of blocks with returns, over a list that was computed": programOf(
    `const list = await this.list("list", params.n);
const all = [...list, ...params.nums];
const done = await Promise.all(
  all.map(async (n, index) => {
    if (n % 2 === 0) return \`even \${n}\`;
    const item = await this.item(\`item \${index}\`, n);
    const inner = await Promise.all(item.sizes.map((size) => this.num(\`size \${index}\`, size)));
    if (inner.length === 0) return item.name;
    return await this.text(\`text \${index}\`, inner.map((each) => each + params.n).join("-"));
  }),
);
await this.note("done", ...done);
return done;`,
    "string[]",
  ),
  "the first that works": programOf(
    `let found: Item | undefined;
for (const [index, n] of params.nums.entries()) {
  if (n === 0) continue;
  try {
    const item = await this.item(\`try \${index}\`, n);
    if (item.sizes.length > 5) throw new Error("too many");
    await this.note("took", item.name);
    break;
  } catch (error) {
    await this.note(\`failed \${index}\`, error instanceof Error ? error.message : "?");
  }
}
for (const n of params.nums) {
  const ok = await this.flag("ok", n);
  if (ok) return await this.text("ok", \`\${n}\`);
}
return found === undefined ? "none" : found.name;`,
    "string",
  ).replace("let found: Item | undefined;", "const found = undefined as Item | undefined;"),
  "scopes in scopes, with values of either side": programOf(
    `let result: string;
try {
  const a = await this.num("bad a", params.n);
  try {
    await this.note(params.on ? "bad inner" : "inner", a);
    result = \`inner \${a}\`;
  } catch {
    const b = await this.num("handled", a);
    if (b > 50) throw new Error("high");
    result = \`handled \${b}\`;
  }
  await this.note("after", result);
} catch (error) {
  if (params.s === "give up") throw error;
  result = "outer";
}
return result;`,
    "string",
  ),
  "leaving a loop out of a scope, with values behind it": programOf(
    `for (const n of params.nums) {
  try {
    const a = await this.num("bad a", n);
    if (a > 90) break;
    if (a > 80) continue;
  } catch {
    await this.note("caught", n);
  }
  let y: number;
  if (n % 2 === 0) y = await this.num("even", n);
  else y = await this.num("odd", n);
  const z = y + n;
  if (z > 60) return z;
}
return -1;`,
    "number",
  ),
  "subsagas in branches, maps and scopes": programOf(
    `const one = params.on ? await this.inner({ tag: "one", n: params.n }) : 0;
const rest = await Promise.all(params.nums.map((n) => this.inner({ tag: \`\${n}\`, n })));
try {
  const last = await this.inner({ tag: "bad last", n: one });
  return [one, ...rest, last];
} catch {
  return [one, ...rest];
}`,
    "number[]",
    `
  @saga
  async inner({ tag, n }: { tag: string; n: number }): Promise<number> {
    const a = await this.num(tag, n);
    if (a > 50) return a;
    const item = await this.item(\`\${tag} item\`, a);
    if (item.inner === undefined) return -1;
    return item.inner.depth;
  }
`,
  ),
  "narrowed types in maps and loops": programOf(
    `const item = await this.item("item", params.n);
const rows = [...params.nums.map((n) => ({ n, inner: n > 1 ? { depth: n } : undefined })), { n: 7, inner: item.inner }];
const done = await Promise.all(
  rows.map(async (row) => {
    if (!row.inner) return "none";
    const { depth } = row.inner;
    return await this.text(\`row \${row.n}\`, \`\${depth}\`);
  }),
);
if (item.inner !== undefined) {
  for (const row of rows) {
    if (row.inner === undefined || row.inner.depth === item.inner.depth) continue;
    const extra = await this.num("extra", row.inner.depth + item.inner.depth);
    if (extra > 50) return [\`\${extra} of \${item.inner.depth}\`];
  }
}
return done;`,
    "string[]",
  ),
  "a return out of a scope in a loop": programOf(
    `for (const n of params.nums) {
  try {
    const item = await this.item("bad item", n);
    if (item.id > 20) return item.name;
    await this.note("small", item.id);
  } catch {
    if (n > 2) return "caught";
    await this.note("again");
  }
}
return "end";`,
    "string",
  ),
};

const base: Params = { tag: "t", n: 4, s: "some", on: true, nums: [3, 1, 2], at: new Date(3) };
const paramsList: readonly Params[] = [
  base,
  { ...base, on: false, nums: [] },
  { ...base, n: 1, s: "", nums: [0, 7, 8, 9, 10] },
  { ...base, n: 2, on: false, s: "give up", nums: [1, 1] },
  { ...base, n: 9, s: "give up", nums: [2, 4, 6] },
  { ...base, n: 60, on: false, nums: [5] },
];

/** `bad` actions fail for half of their inputs. */
class RecordingWorld implements World {
  readonly calls: string[] = [];

  async act(method: string, inputs: readonly [key: string, ...rest: unknown[]]): Promise<unknown> {
    this.calls.push(`${method} ${JSON.stringify(inputs)}`);
    const fails = inputs[0].startsWith("bad") && JSON.stringify(inputs).length % 2 === 0;
    if (fails) throw new Error(`${inputs[0]} failed`);
    return outputOf(method, inputs);
  }

  async undo(): Promise<void> {}

  tick(key: string, value: number): number {
    this.calls.push(`tick ${key} ${value}`);
    return tickOf(key, value);
  }
}

interface Outcome {
  readonly result: unknown;
  readonly calls: readonly string[];
}

async function plain({ Program }: Loaded, params: Params): Promise<Outcome> {
  const world = new RecordingWorld();
  const result = await new Program(world).main(params).catch((error: Error) => error.message);
  return { result, calls: world.calls.sort() };
}

async function compiled({ Program, main }: Loaded, params: Params): Promise<Outcome> {
  const world = new RecordingWorld();
  const sagas = [main.on(new Program(world))];
  const coordinator = await Coordinator.open({ store: memoryStore(), sagas });
  try {
    const run = await coordinator.start(main, params);
    const result = await run.result().catch((error: Error) => (error.cause as Error).message);
    return { result, calls: world.calls.sort() };
  } finally {
    await coordinator.close();
  }
}

const names = Object.keys(programs);
let batch: Batch;
beforeAll(() => {
  batch = new Batch(Object.values(programs));
});
afterAll(() => batch.close());

test.each(names)("%s", async (name) => {
  const result = batch.results[names.indexOf(name)];
  if (result === undefined) throw new Error(`there is no program ${name}`);
  expect(result.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const loaded = await load(result);
  const results = new Set<unknown>();
  for (const params of paramsList) {
    const expected = await lettingRejectionsPass(() => plain(loaded, params));
    expect(await compiled(loaded, params)).toEqual(expected);
    results.add(JSON.stringify(expected));
  }
  // The params lead to different paths, or nothing was compared.
  expect(results.size).toBeGreaterThan(2);
});

test("what is generated has no type errors", () => {
  expect(batch.typeErrors()).toEqual([]);
});
