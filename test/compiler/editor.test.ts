/** The language service plugin in a real `tsserver`: what an editor shows while one types. */
import { type ChildProcess, spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { greeter, Project } from "./project.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const tsserver = join(root, "test/editor/node_modules/typescript/lib/tsserver.js");

interface Shown {
  readonly text: string;
  readonly source?: string;
  readonly category: string;
  readonly code: number;
  readonly start: Place;
  readonly end: Place;
  readonly relatedInformation?: readonly { readonly message: string }[];
}

/** The protocol of `tsserver`, as far as an editor needs it to show what is wrong. */
class Editor {
  readonly #server: ChildProcess;
  #sequence = 0;
  #text = "";
  readonly #asked = new Map<number, (body: unknown) => void>();
  #wanted: { readonly file: string; readonly resolve: (found: Shown[]) => void } | undefined;

  constructor(folder: string) {
    // As editors do that use the TypeScript of the project.
    const args = [tsserver, "--allowLocalPluginLoads", "--disableAutomaticTypingAcquisition"];
    this.#server = spawn(process.execPath, args, { cwd: folder });
    this.#server.stdout?.setEncoding("utf8").on("data", (text: string) => this.#read(text));
  }

  open(file: string, text: string): void {
    this.#send("open", { file, fileContent: text });
  }

  /** Replaces all of a file, as if it were typed. */
  type(file: string, text: string): void {
    this.#send("change", {
      file,
      line: 1,
      offset: 1,
      endLine: 9999,
      endOffset: 1,
      insertString: text,
    });
  }

  /** What the language service says of a file now. */
  shown(file: string): Promise<Shown[]> {
    return new Promise((resolve) => {
      this.#wanted = { file, resolve };
      this.#send("geterr", { files: [file], delay: 0 });
    });
  }

  /** The answer to a request. */
  ask(command: string, args: unknown): Promise<unknown> {
    return new Promise((resolve) => {
      this.#asked.set(this.#sequence, resolve);
      this.#send(command, args);
    });
  }

  close(): void {
    this.#server.kill("SIGKILL");
  }

  #send(command: string, args: unknown): void {
    const message = { seq: this.#sequence++, type: "request", command, arguments: args };
    this.#server.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #read(text: string): void {
    this.#text += text;
    const lines = this.#text.split(/\r?\n/);
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("{")) continue;
      const { event, body, request_seq } = JSON.parse(line) as {
        readonly event?: string;
        readonly request_seq?: number;
        readonly body?: { readonly file: string; readonly diagnostics: Shown[] };
      };
      this.#asked.get(request_seq ?? -1)?.(body);
      if (event !== "semanticDiag" || body?.file !== this.#wanted?.file || body === undefined)
        continue;
      this.#wanted?.resolve(body.diagnostics);
    }
  }
}

let project: Project | undefined;
let editor: Editor | undefined;
afterEach(() => {
  editor?.close();
  project?.remove();
  project = editor = undefined;
});

function withPlugin(files: Readonly<Record<string, string>>): Project {
  const made = (project = new Project(files));
  symlinkSync(join(root, "compiler"), made.path("node_modules/steno-compiler"));
  const config = JSON.parse(made.read("tsconfig.json")) as { compilerOptions: object };
  const plugins = [{ name: "steno-compiler" }];
  const compilerOptions = { ...config.compilerOptions, plugins };
  made.write("tsconfig.json", JSON.stringify({ ...config, compilerOptions }));
  return made;
}

test("shows our messages as one types, beside TypeScript's, and takes them away", async () => {
  const made = withPlugin({ "src/types.ts": "export type Who = string;\n" });
  const file = made.path("src/greeter.ts");
  const good = greeter().replace(
    "export class",
    'import type { Who } from "./types.js";\n\nexport class',
  );
  made.write("src/greeter.ts", good);

  editor = new Editor(made.folder);
  editor.open(file, good);
  expect(await editor.shown(file)).toEqual([]);

  // What is typed is on no disk.
  editor.type(file, good.replace('@action({ undo: "none" })', "@action"));
  const [missing, ...more] = await editor.shown(file);
  expect(more).toEqual([]);
  expect(missing).toMatchObject({ source: "steno", category: "error", start: { line: 7 } });
  expect(missing?.text).toMatch(/^undo-missing: the action `greet` has no undo\nhelp: /m);

  // A fault that both see is said once, by us.
  const unfit = `  @undo("greet")\n  async forget(times: number): Promise<void> {\n    void times;\n  }\n\n  @saga`;
  const text = good
    .replace('@action({ undo: "none" })', "@action")
    .replace("action, saga", "action, saga, undo")
    .replace("  @saga", unfit);
  editor.type(file, text);
  const found = await editor.shown(file);
  expect(found.map(({ source }) => source)).toEqual(["steno"]);
  expect(found[0]?.text).toMatch(/^undo-input-mismatch: /);
  expect(found[0]?.relatedInformation?.length).toBeGreaterThan(0);

  // An error of TypeScript alone is TypeScript's.
  editor.type(file, good.replace("await this.greet(params.who)", "await this.greet(params.whom)"));
  expect((await editor.shown(file)).map(({ source }) => source)).toEqual([undefined]);

  editor.type(file, good);
  expect(await editor.shown(file)).toEqual([]);
}, 300_000);

interface Fix {
  readonly fixName: string;
  readonly description: string;
  readonly fixId: unknown;
  readonly changes: readonly {
    readonly fileName: string;
    readonly textChanges: readonly Change[];
  }[];
}
interface Change {
  readonly start: Place;
  readonly end: Place;
  readonly newText: string;
}
interface Place {
  readonly line: number;
  readonly offset: number;
}

/** A text after what a fix does. */
function changed(text: string, changes: readonly Change[]): string {
  const lines = text.split("\n");
  const at = ({ line, offset }: Place): number =>
    lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, offset - 1);
  return [...changes]
    .sort((a, b) => at(b.start) - at(a.start))
    .reduce(
      (all, { start, end, newText }) => all.slice(0, at(start)) + newText + all.slice(at(end)),
      text,
    );
}

test("offers what is certain as a quick fix, for one message and for all of a file", async () => {
  const made = withPlugin({});
  const file = made.path("src/greeter.ts");
  const add = `export function add(who: string, end: string): string {
  return who + end;
}

export class`;
  const good = greeter()
    .replace('undo: "none"', 'undo: "none", timeout: "1s"')
    .replace("this.greet(params.who)", 'this.greet(add(params.who, "!"))')
    .replace("export class", add);
  const bad = good.replace("timeout:", "timeuot:").replace("export function", "function");
  made.write("src/greeter.ts", bad);
  editor = new Editor(made.folder);
  editor.open(file, bad);
  const shown = await editor.shown(file);
  expect(await editor.ask("getSupportedCodeFixes", { file })).toContain("100001");
  const fixesOf = async ({ start, end, code }: Shown): Promise<Fix[]> =>
    (await editor?.ask("getCodeFixes", {
      file,
      startLine: start.line,
      startOffset: start.offset,
      endLine: end.line,
      endOffset: end.offset,
      errorCodes: [code],
    })) as Fix[];
  // TypeScript says it, too, of another place.
  expect(shown.filter(({ source }) => source === undefined).map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Object literal may only specify known properties.*'timeout'\?$/),
  ]);
  const [misspelled, ...others] = shown.filter(({ source }) => source === "steno");
  expect(misspelled?.text).toMatch(/^option-invalid: /);
  const [fix, ...more] = await fixesOf(misspelled as Shown);
  expect(more).toEqual([]);
  expect(fix).toMatchObject({ fixName: "steno", description: "write `timeout`" });
  const once = changed(bad, fix?.changes[0]?.textChanges ?? []);
  expect(once).toBe(bad.replace("timeuot", "timeout"));
  expect(others.map(({ text }) => text)).toEqual([expect.stringMatching(/^not-exported: /)]);

  const scope = { type: "file", args: { file } };
  const all = (await editor.ask("getCombinedCodeFix", { scope, fixId: fix?.fixId })) as Fix;
  const whole = changed(bad, all.changes[0]?.textChanges ?? []);
  expect(whole).toBe(good);
  editor.type(file, whole);
  expect((await editor.shown(file)).map(({ text }) => text)).toEqual([]);
}, 300_000);
