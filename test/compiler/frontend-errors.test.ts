/**
 * What the frontend refuses: the pages of the catalogue hold what they say, and whatever stands in a
 * saga method gets an answer: a model or diagnostics, never a fault of the compiler itself.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { passes } from "../../compiler/analysis/passes.js";
import * as classes from "../../compiler/diagnostics/catalogue/class.js";
import { example } from "../../compiler/diagnostics/catalogue/example.js";
import * as glue from "../../compiler/diagnostics/catalogue/glue.js";
import * as method from "../../compiler/diagnostics/catalogue/method.js";
import { load, lower, type Lowered } from "../../compiler/frontend/index.js";

interface Listed {
  readonly code: string;
  readonly page: { readonly bad: string; readonly good: string };
}

/** Those that the frontend says: the rest is found by passes, on what it hands over. */
const ofPasses = new Set(passes.flatMap(({ codes }) => codes));
const entries = [classes, glue, method]
  .flatMap((module) => Object.values<Listed>(module))
  .filter(({ code }) => !ofPasses.has(code));
const runtime = fileURLToPath(new URL("../../runtime/index.ts", import.meta.url));

/**
 * Statements of all kinds, most of which are refused with a code. `undefined`: there may be errors,
 * but no fault of ours; `null`: there are none.
 */
const bodies: readonly (readonly [body: string, code: string | null | undefined])[] = [
  ["for (const name of [params.name]) { await this.book(name); }", null],
  ["for (;;) { await this.book(params.name); }", "statement-not-supported"],
  ["while (true) {}", "statement-not-supported"],
  ["do { await this.book(params.name); } while (params.name)", "statement-not-supported"],
  ["switch (params.name) { default: await this.book(params.name); }", null],
  ["try { await this.book(params.name); } catch { throw new Error(); }", null],
  ["throw new Error(params.name);", null],
  ["outer: { await this.book(params.name); }", "statement-not-supported"],
  ["function inner() {}\nawait this.book(params.name);", "statement-not-supported"],
  ["class Inner {}\nawait this.book(params.name);", "statement-not-supported"],
  ["let name;\nname = params.name;\nawait this.book(name);", null],
  ["let name;\nname = params.name;\nname = 'b';\nawait this.book(name);", "reassigned-variable"],
  [
    "try { await this.book(params.name); } finally { await this.book('b'); }",
    "statement-not-supported",
  ],
  ["for (const letter of params.name) { await this.book(letter); }", "statement-not-supported"],
  ["for (const key in params) { await this.book(key); }", "statement-not-supported"],
  ["for await (const x of [params.name]) { await this.book(x); }", "statement-not-supported"],
  ["let x;\nfor (x of [params.name]) { await this.book(x); }", "statement-not-supported"],
  [
    "switch (params.name) { case 'a': await this.book('a'); default: await this.book('b'); }",
    "statement-not-supported",
  ],
  [
    "switch (params.name) {\n  case 'a':\n    if (this.desk.name) { if (params.name) break; }\n    return;\n  default:\n    await this.book('b');\n}\nawait this.book('c');",
    "statement-not-supported",
  ],
  [
    "const held = this.book('b');\nif (params.name === '') return;\nawait held;",
    "floating-promise",
  ],
  ["const held = this.book('b');\nif (params.name === '') await held;", "floating-promise"],
  [
    "const held = this.book('b');\nfor (const name of [params.name]) { await held; await this.book(name); }\nawait held;",
    "promise-crosses-boundary",
  ],
  ["let name = 'a';\nname = 'b';\nawait this.book(name);", "reassigned-variable"],
  [
    "let name = 'a';\nif (params.name) name = 'b';\nname = 'c';\nawait this.book(name);",
    "reassigned-variable",
  ],
  [
    "let name = 'a';\nfor (const x of ['b']) { name = x; await this.book(name); }",
    "assigned-inside",
  ],
  [
    "let name = 'a';\nfor (const x of ['b']) for (const y of ['c']) if (x < y) { name = y; break; }\nawait this.book(name);",
    "assigned-inside",
  ],
  [
    "let name: string | undefined;\nconst held = (async () => { await this.book('a'); name = 'b'; })();\nawait held;",
    "assigned-inside",
  ],
  [
    "let name = 'a';\nconst held = (async () => { await this.book('a'); await this.book(name); })();\nif (params.name) name = 'b';\nawait held;",
    "not-ready",
  ],
  [
    "let name: string | undefined;\ntry { if (params.name) { name = 'a'; await this.book('b'); } else name = 'c'; } catch { await this.book(name ?? 'd'); }",
    "set-in-try",
  ],
  [
    "let name: string | undefined;\ntry { try { await this.book('b'); } catch (e) { name = 'a'; throw e; } } catch { await this.book(name ?? 'd'); }",
    "set-in-try",
  ],
  [
    "for (const x of ['b']) { let name: string | undefined; try { name = x; await this.book('b'); } catch { continue; } await this.book(name ?? 'd'); }",
    null,
  ],
  [
    "let name: string | undefined;\nfor (const x of ['b']) { try { name = x; await this.book('b'); break; } catch { continue; } }",
    "set-in-try",
  ],
  [
    "let room: Room | undefined;\nfor (const x of ['b']) { room = await this.book(x); if (room) break; }",
    null,
  ],
  [
    "let room: Room | undefined;\nconst none = undefined;\nfor (const x of ['b']) { room = await this.book(x); if (none !== (room && undefined)) break; }",
    "assigned-inside",
  ],
  [
    "let room: Room | undefined;\nfor (const x of ['b']) { const made = await this.book(x); room = (made.id ? made : null) as Room; if (room) break; }",
    "assigned-inside",
  ],
  [
    "try { await this.book(params.name); } catch (e) { if (e instanceof this.constructor) throw e; }",
    undefined,
  ],
  ["if (params.name) { return; await this.book('b'); }", "unreachable"],
  ["if (params.name) return;\nelse throw new Error();\nawait this.book('b');", "unreachable"],
  ["if (params.name) {}\nawait this.book(params.name);", null],
  ["switch (params.name) {}\nawait this.book(params.name);", null],
  ["const held = this.book('b');\nif (params.name === '') await held;\nelse await held;", null],
  [
    "let room: Room | undefined;\nif (params.name) room = await this.book(params.name);\nawait this.book(room?.id ?? 'none');",
    null,
  ],
  [
    "let room: Room | undefined;\ntry { room = await this.book(params.name); } catch {}\nif (room) await this.book(room.id);",
    undefined,
  ],
  [
    "const block = (async () => { if (params.name) throw new Error(); return 1; })();\nawait block;",
    null,
  ],
  ["await Promise.all([params.name && this.book(params.name), this.book('b')]);", undefined],
  ["await Promise.race([this.book(params.name)]);", "promise-method"],
  ["await Promise.allSettled([this.book(params.name)]);", "promise-method"],
  ["await Promise.all([params.name].map((name) => this.book(name)));", null],
  ["await Promise.all(params.name);", "await-unknown"],
  ["const rooms = [this.book(params.name)];\nawait rooms;", "await-unknown"],
  ["params.name ? await this.book(params.name) : 0;", null],
  ["(await this.book(params.name)) ?? (await this.book('b'));", null],
  ["await params.name;", "await-unknown"],
  ["let name: string;\n[name] = [params.name];\nawait this.book(name);", "reassigned-variable"],
  ["let name: string;\n({ name } = params);\nawait this.book(name);", "reassigned-variable"],
  [
    "let name = '';\n[1].forEach(() => { for (name of ['a']) {} });\nawait this.book(name);",
    "reassigned-variable",
  ],
  ["[params.name] = ['b'];\nawait this.book('b');", "mutation"],
  [
    "const last = ['a'].map((each) => { let held; [held] = [each]; return held; });\nawait this.book(last.join());",
    null,
  ],
  ["void this.book(params.name);", "floating-promise"],
  ["const held = this.book(params.name);", "floating-promise"],
  ["const held = (async () => { this.book(params.name); })();\nawait held;", "floating-promise"],
  ["await this.book(this.desk.name, this);", "this-value"],
  ["params.name = 'other';\nawait this.book(params.name);", "mutation"],
  ["delete (params as { name?: string }).name;\nawait this.book('b');", "mutation"],
  ["Object.assign(params, { name: 'b' });\nawait this.book('b');", "mutation"],
  ["const { name } = params;\nawait this.book(`${name} ${Symbol('x').toString()}`);", undefined],
  [
    "const made = new WeakMap([[params, 1]]);\nawait this.book(String(made.has(params)));",
    "value-not-storable",
  ],
  ["await this.book(((text: string) => text)(params.name));", undefined],
  ["await this.book(super.toString());", "this-value"],
  ["await this.book(new.target.name);", "expression-not-supported"],
  ["await this.book(`a${(await this.book(`b${params.name}`)).id}`);", undefined],
  ["await this['book'](params.name);", undefined],
  ["await (this.book)(params.name);", undefined],
  ["const book = this.book;\nawait book(params.name);", undefined],
  [
    "const [room] = await Promise.all([this.book(params.name), ,]);\nawait this.book(room.id);",
    undefined,
  ],
  ["{ const room = await this.book(params.name); await this.book(room.id); }", undefined],
  [
    "using x = { [Symbol.dispose]() {} };\nawait this.book(params.name);",
    "statement-not-supported",
  ],
  ["return await this.book(params.name), undefined;", undefined],
  ["await (async function () { await this.book(''); })();", undefined],
  [
    "await (async (name: string) => { await this.book(name); })(params.name);",
    "expression-not-supported",
  ],
  ["await this.book(params.name as never as string);", undefined],
  ["if (", "typescript"],
  ["await this.book(;", "typescript"],
  ["const { = params;", "typescript"],
];

describe("what is refused", () => {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "steno-errors-")));
  let lowered: Lowered;
  const codesOf = (name: string): string[] => {
    const file = path.join(folder, name);
    return lowered.diagnostics.filter(({ span }) => span?.file === file).map(({ code }) => code);
  };
  beforeAll(() => {
    const write = (name: string, text: string): void =>
      writeFileSync(path.join(folder, name), text);
    mkdirSync(folder, { recursive: true });
    write("package.json", '{ "type": "module" }');
    const options = {
      ...{ target: "ES2023", lib: ["ES2023", "ESNext.Decorators", "ESNext.Disposable"] },
      ...{ module: "NodeNext", strict: true, types: [], noUncheckedIndexedAccess: true },
      paths: { "steno-runtime": [runtime] },
    };
    write("tsconfig.json", JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
    for (const { code, page } of entries) {
      write(`${code}.bad.ts`, page.bad);
      write(`${code}.good.ts`, page.good);
    }
    bodies.forEach(([body], index) => write(`body-${index}.ts`, example({ body })));
    const caught = 'try { await this.book(params.name); } catch { throw new Error("full"); }';
    const body = `${caught}\nif (params.name === "") throw new Error("none");`;
    write("throws.ts", example({ body }));
    const { program } = load({ paths: [], cwd: folder });
    if (program !== undefined) lowered = lower(program);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(entries.map(({ code }) => code))("the page of %s holds what it says", (code) => {
    expect(new Set(codesOf(`${code}.bad.ts`))).toEqual(new Set([code]));
    expect(codesOf(`${code}.good.ts`)).toEqual([]);
  });

  it.each(bodies.map(([body, code], index) => ({ body, code, index })))(
    "$body",
    ({ code, index }) => {
      const codes = codesOf(`body-${index}.ts`);
      expect(codes).not.toContain("internal");
      if (code === null) expect(codes.filter((each) => each !== "name-by-position")).toEqual([]);
      else if (code !== undefined) expect(codes).toContain(code);
    },
  );

  it("gives a second `throw` no hint about a name that it cannot have", () => {
    expect(codesOf("throws.ts")).toEqual([]);
  });
});
