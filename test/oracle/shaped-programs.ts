/** Programs written by hand whose shape depends on values: branches, lists, scopes. */
import { programOf } from "./programs.js";

export const shapedPrograms: Readonly<Record<string, string>> = {
  branches: programOf(
    `const a = await this.num("a", params.n);
let b: number;
if (params.on) b = await this.num("then", a);
else if (a > 3) b = await this.num("more", a);
else b = await this.num("less", a);
const c = params.n > 2 ? await this.num("c", b) : 0;
params.on && (await this.num("and", c));
await this.num("last", b + c);
return [a, b, c];`,
    "number[]",
  ),
  heldInArm: programOf(
    `const held = this.num("held", 1);
if (params.on) {
  const x = await held;
  await this.num("x", x);
}
const y = await this.num("y", 2);
const h = await held;
await this.num("z", h + y);
return h;`,
    "number",
  ),
  early: programOf(
    `const a = await this.num("a", params.n);
await this.num("a1", a);
if (params.on) {
  const b = await this.num("b", a);
  if (b > 0) return b;
  await this.num("c", b);
}
switch (params.s) {
  case "a":
  case "b":
    await this.num("ab", 1);
    break;
  default:
    if (a > 5) break;
    await this.num("other", 2);
}
return this.num("end", a);`,
    "number",
  ),
  branchInBlock: programOf(
    `const [x, y] = await Promise.all([
  (async () => {
    if (params.on) return this.num("on", this.tick("t1", 1));
    const k = await this.num("off", 1);
    return this.num("off2", k + this.tick("t2", 2));
  })(),
  params.n > 2 ? this.num("beside", 3) : undefined,
]);
return [x, y ?? 0];`,
    "number[]",
  ),
  // A block that is started in an arm shares what follows in that arm, and not what follows after.
  blockInArm: programOf(
    `if (params.on) {
  await Promise.all([
    this.note("a", 4),
    (async () => {
      await this.note("b", 1);
      await this.note("c", 1);
    })(),
  ]);
}
if (params.n > 1) await this.note("d", 1);
return params.n;`,
    "number",
  ),
  // A block that has awaited in one arm only goes on with what the other arm runs at once.
  awaitedInArm: programOf(
    `const held = (async () => {
  if (params.on) await this.num("a", params.n);
  const t = this.tick("t", 3);
  await this.num("b", t);
  return this.num("c", t);
})();
const u = this.tick("u", 1);
await this.num("d", u);
return (await held) + u;`,
    "number",
  ),
  // What follows a block that some arms have waited for is, in the others, in one go with its start.
  waitedForInSomeArms: programOf(
    `for (const [i, n] of params.nums.entries()) {
  const held = (async () => {
    await this.num(\`a\${i}\`, n);
    return this.num(\`b\${i}\`, n);
  })();
  if (params.on) {
    switch (n % 3) {
      case 0: {
        await this.num(\`c\${i}\`, n);
        await held;
        continue;
      }
      case 2: {
        await held;
        break;
      }
    }
  }
  this.tick(\`t\${i}\`, n);
  await held;
}
return params.n;`,
    "number",
  ),
  maps: programOf(
    `const xs = await Promise.all(params.nums.map((each, index) => this.num(\`m\${index}\`, each)));
const ys = await Promise.all(
  xs.map(async (x, i) => {
    const first = await this.num(\`f\${i}\`, x);
    if (first > 3) return first;
    return this.num(\`s\${i}\`, first + params.n);
  }),
);
return [...xs, ...ys];`,
    "number[]",
  ),
  loops: programOf(
    `for (const [i, n] of params.nums.entries()) {
  if (n === 0) continue;
  const a = await this.num(\`a\${i}\`, n);
  if (a > 100) break;
  await Promise.all([this.num(\`b\${i}\`, a), this.num(\`c\${i}\`, a)]);
}
for (const n of params.nums) {
  const d = await this.num(\`d\${n}\`, n);
  if (d > 1) return d;
}
return this.num("end", 0);`,
    "number",
  ),
  tries: programOf(
    `let a: number;
await this.num("before", 1);
try {
  a = await this.num("a", params.n);
  if (params.on) return await this.num("on", a);
  await this.num("b", a);
} catch (error) {
  a = await this.num("c", 1);
}
return this.num("d", a);`,
    "number",
  ),
  // A loop or scope is begun and waits: what stands beside it goes on.
  loopsBeside: programOf(
    `const [a] = await Promise.all([
  (async () => {
    for (const x of params.nums) {
      await this.num(\`x\${x}\`, this.tick(\`t\${x}\`, x));
      if (x === 1) break;
    }
    return 5;
  })(),
  (async () => {
    for (const x of params.nums) await this.num(\`y\${x}\`, this.tick(\`s\${x}\`, x));
  })(),
]);
return this.num("end", a);`,
    "number",
  ),
  loopAfterBlock: programOf(
    `const p = (async () => {
  await this.num("a", 1);
  await this.num("b", 2);
})();
for (const x of params.nums) await this.num(\`x\${x}\`, x);
try {
  await this.num("c", this.tick("t", 1));
} catch {
  await this.num("d", 1);
}
await p;
return this.num("end", 1);`,
    "number",
  ),
  // Whether a block has waited when the rest of the segment runs depends on what it decided.
  blockMayWait: programOf(
    `const p = (async () => {
  if (params.on) await this.num("a", this.tick("ta", 1));
  else if (params.n > 3) this.tick("m", 1);
  this.tick("tb", 2);
  return this.num("b", 1);
})();
const q = (async () => {
  if (params.n > 3) await this.num("qa", 1);
  return this.tick("qb", 2);
})();
const r = await this.num("d", this.tick("c", 3));
return (await p) + r + (await q);`,
    "number",
  ),
  comma: programOf(
    `const a = (await this.num("a", 1), this.tick("t", 1), await this.num("b", 2));
return a;`,
    "number",
  ),
  letInTry: programOf(
    `try {
  let room: number;
  if (params.on) room = await this.num("a", 1);
  else room = await this.num("b", 2);
  await this.num("c", room);
} catch {
  await this.num("d", 1);
}
return this.num("end", 1);`,
    "number",
  ),
  limited: programOf(
    `const held = each(params.nums, { concurrency: 1 }, (x) => this.num(\`h\${x}\`, x));
const all = await each(
  params.nums,
  { concurrency: 2, key: (x, i) => \`k\${x}-\${i}\` },
  async (x, i) => {
    const a = await this.num(\`a\${i}\`, this.tick(\`t\${i}\`, x));
    if (a > 50) return a;
    return this.num(\`b\${i}\`, a);
  },
);
return [...all, ...(await held)];`,
    "number[]",
  ),
  heldMaps: programOf(
    `const ps = params.nums.map(async (x) => {
  if (x > 2) await this.num(\`a\${x}\`, x);
  return this.num(\`b\${x}\`, this.tick(\`t\${x}\`, x));
});
for (const x of params.nums) await this.num(\`c\${x}\`, this.tick(\`ct\${x}\`, x));
const q = this.num("q", 1);
const [r, last] = await Promise.all([Promise.all(ps), q]);
return [...r, last];`,
    "number[]",
  ),
  holeInAll: programOf(
    `const s = await this.text("s", "so");
await Promise.all([this.note("a", s), , this.note("b", s)]);
await this.note("after both", s);
return [params.n];`,
    "number[]",
  ),
  literalsTakenApart: programOf(
    `const q = await this.num("q", 1);
const [first = 1, ...rest] = [this.tick("t", params.n), q];
const { a = 2, ...more } = { a: this.tick("u", q), b: q, c: params.n };
await this.note("k", first, a);
return [first, ...rest, a, more.b];`,
    "number[]",
  ),
  // A test that calls something tells nothing of what it reads where it compares what comes of it.
  readInATest: programOf(
    `let last: number;
if (params.on && params.n > 3) throw new Error("so");
if (4 > (params.on && params.n > 2 ? this.offset + params.n : params.n)) {
  const text = params.on ? "on" : await this.text("off", "s");
  await this.note("a", text);
  last = await this.num("b", 1);
} else last = await this.num("c", this.tick("t", 2));
return last;`,
    "number",
  ),
  // A constant of a class or namespace has the type of its literal, and keeps it.
  constants:
    programOf(
      `const mode = Program.mode;
const own = this.own;
const { limit } = Limits;
await this.go("a", mode);
await this.go("b", own);
const all = await Promise.all(params.nums.map(async (x) => {
  await this.note(\`k\${x}\`, x);
  return Program.most;
}));
for (const x of params.nums) {
  await this.note(\`l\${x}\`);
  if (x > 1) return [Program.most];
}
return [...all, limit];`,
      "number[]",
      `
  static readonly mode = "fast";
  static readonly most = 4;
  readonly own = "slow";

  @action({ undo: "none" })
  async go(key: string, mode: "fast" | "slow"): Promise<void> {
    await this.note(key, mode);
  }
`,
    ) +
    `
export namespace Limits {
  export const limit = 3;
}
`,
  heldWhereItThrows: programOf(
    `const block = (async () => {
  const held = this.num("held", 1);
  if (params.on) {
    await this.flag("before", 2);
    throw new Error("so");
  }
  await this.note("between", 1);
  return await held;
})();
const value = await block;
await this.note("after", value);
return [value, await this.num("last", value)];`,
    "number[]",
  ),
  // Also where an item throws nothing is owed.
  heldInLoopThatThrows: programOf(
    `for (const x of params.nums) {
  const held = this.num(\`h\${x}\`, x);
  if (x === 1 && params.on) {
    await this.note(\`b\${x}\`, 1);
    throw new Error("so");
  }
  await held;
}
return params.n;`,
    "number",
  ),
  blockThatThrows: programOf(
    `await this.text("first", params.s);
const block = (async () => {
  if (params.on) {
    await this.flag("before", 2);
    throw new Error("so");
  }
  return await this.num("value", 1);
})();
const value = await block;
await this.note("never before the block has ended", value);
return [value];`,
    "number[]",
  ),
  forgottenLiterals: programOf(
    `const mode = this.mode;
const { limit, ...rest } = { mode, limit: this.limit, v: await this.num("a", 1) };
if (rest.mode === "slow" || limit === 7) await this.note("never", rest.v);
const made = await Promise.all(
  params.nums.map(async (n) => ({ n, mode: this.mode, list: [mode], v: await this.num(\`m\${n}\`, n) })),
);
if (made[0]?.mode === "slow" || made[0]?.list[0] === "slow") await this.note("never too");
const names = await Promise.all(params.nums.map(async (n) => {
  await this.note(\`n\${n}\`);
  return mode;
}));
if (names.includes("slow")) await this.note("nor this");
await this.list("b", params.at > params.at ? 2 : 2);
let kept;
if (params.on) kept = this.mode;
else kept = mode;
if (kept === "slow") await this.note("nor that");
const chosen: "fast" = mode;
return [made.length, limit, chosen, kept];`,
    "(string | number)[]",
    '\n  readonly mode = "fast";\n  readonly limit = 5;\n',
  ),
  takenApart: programOf(
    `const [, digits = "0"] = /(\\d+)/.exec(\`a\${params.n}\`) ?? [];
const { x, y } = params.on ? { x: 1, y: 2 } : { x: params.n, y: 3 };
await this.text("digits", digits);
await this.num("x", x);
const [{ a, b }, v] = [{ a: params.n, b: params.s }, await this.num("v", y)];
await this.text("b", b);
const [first = 1, ...others] = [7, this.offset];
return this.num("a", a + v + first + others.length);`,
    "number",
  ),
  narrowedByWhatWaits: programOf(
    `const item = params.n > 3 ? await this.item("i", params.n) : undefined;
const isSound = item !== undefined && (await this.flag("sound", item.id));
if (isSound) {
  await this.num("id", item.id);
  const both = { item };
  await this.note(both.item.name);
}
const { on } = params;
const isOn = on && (await this.flag("on", 1));
if (isOn) {
  const certain: { on: true } = { on };
  if (on) await this.note("on and on", certain.on ? 1 : 0);
}
return item?.id ?? 0;`,
    "number",
  ),
  runsWithoutCalls: programOf(
    `const a = await start(this.quiet, 1, { id: "first" }).result();
const b = await start(this.quiet, a, { id: "second" }).result();
const c = await this.num("after both", a + b);
return this.num("end", c);`,
    "number",
    `
  @saga
  async quiet(n: number): Promise<number> {
    return n + 1;
  }
`,
  ),
  optionalCalls:
    programOf(
      `const a = await this.friend?.inner(this.tick("arg", 1));
const held = this.around?.friend?.inner(2);
const none = await this.nobody?.inner(this.tick("never", 1));
await this.num("end", a ?? 0);
return [(await held) ?? 0, none ?? 7];`,
      "number[]",
      `
  readonly friend: Friend | undefined = new Friend(this.world);
  readonly nobody = undefined as Friend | undefined;
  readonly around: { readonly friend?: Friend } | undefined = { friend: new Friend(this.world) };
`,
    ) +
    `
export class Friend extends Kit {
  @saga
  async inner(n: number): Promise<number> {
    return this.num(\`inner\${n}\`, n);
  }
}
`,
};
