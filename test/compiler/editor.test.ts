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
  readonly start: { readonly line: number; readonly offset: number };
  readonly relatedInformation?: readonly { readonly message: string }[];
}

/** The protocol of `tsserver`, as far as an editor needs it to show what is wrong. */
class Editor {
  readonly #server: ChildProcess;
  #sequence = 0;
  #text = "";
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
      const { event, body } = JSON.parse(line) as {
        readonly event?: string;
        readonly body?: { readonly file: string; readonly diagnostics: Shown[] };
      };
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

test("shows our messages as one types, beside TypeScript's, and takes them away", async () => {
  const made = (project = new Project({ "src/types.ts": "export type Who = string;\n" }));
  symlinkSync(join(root, "compiler"), made.path("node_modules/steno-compiler"));
  const config = JSON.parse(made.read("tsconfig.json")) as { compilerOptions: object };
  const plugins = [{ name: "steno-compiler" }];
  const compilerOptions = { ...config.compilerOptions, plugins };
  made.write("tsconfig.json", JSON.stringify({ ...config, compilerOptions }));
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
