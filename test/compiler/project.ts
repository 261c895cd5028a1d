/** A project in a temporary folder, on which the built `steno-compile` is run. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Answer, WarmCompiler, withoutHints } from "./warm.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const command = join(root, "compiler/bin/steno-compile.js");

/** Started by the first compile of a test file, and ends with it. */
let warm: WarmCompiler | undefined;

const compilerOptions = {
  target: "ES2023",
  lib: ["ES2023", "ESNext.Decorators"],
  module: "NodeNext",
  types: ["node"],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

export class Project {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "steno-compile-")));

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const dist of ["compiler/dist/main.js", "runtime/dist/index.js"]) {
      if (existsSync(join(root, dist))) continue;
      throw new Error(
        `\`npm run build\` first: ${dist} is missing, and the built command is tested`,
      );
    }
    this.write("package.json", JSON.stringify({ type: "module" }));
    this.write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
    mkdirSync(this.path("node_modules"));
    const link = (name: string): void =>
      symlinkSync(join(root, "node_modules", name), this.path(`node_modules/${name}`));
    for (const name of ["steno-runtime", "@types", "zod", "valibot"]) link(name);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** Compiles, in a process that many compiles share. */
  compile(...args: readonly string[]): Answer {
    return this.call(args);
  }

  /** Compiles in a process of its own, as a user does. */
  compileAlone(...args: readonly string[]): Answer {
    return this.node(command, ...args);
  }

  /** A command line with `steno-compile` in it, as it is in the documents. */
  shell(line: string): Answer {
    const said = { code: 0 as number | null, stdout: "", stderr: "" };
    for (const part of line.split(" && ")) {
      const { code, stdout, stderr } = this.shellPart(part);
      said.code = code;
      said.stdout += stdout;
      said.stderr += stderr;
      if (code !== 0) break;
    }
    return said;
  }

  private shellPart(part: string): Answer {
    const compile = /^(?:(\w+)=(\w+) )?steno-compile((?: [-\w./]+)*)$/.exec(part);
    if (compile === null) return this.run("sh", "-c", part);
    const [, name, value = "", args = ""] = compile;
    return this.call(args.split(" ").slice(1), name === undefined ? {} : { [name]: value });
  }

  private call(args: readonly string[], env: Readonly<Record<string, string>> = {}): Answer {
    warm ??= new WarmCompiler();
    return warm.call({ cwd: this.folder, args, env });
  }

  /** A compile that goes on; the test ends it. */
  start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [command, ...args], { cwd: this.folder });
  }

  node(...args: readonly string[]): Answer {
    return this.run(process.execPath, ...args);
  }

  private run(program: string, ...args: readonly string[]): Answer {
    const env = { ...withoutHints(process.env), NO_COLOR: "1" };
    const options = { cwd: this.folder, encoding: "utf8", env } as const;
    const { status, stdout, stderr } = spawnSync(program, args, options);
    return { code: status, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A saga with one action that needs nothing; `name` is that of its class. */
export function greeter(name = "Greeter", greeting = "hello"): string {
  return `import { action, saga } from "steno-runtime";

export class ${name} {
  @action({ undo: "none" })
  async greet(who: string): Promise<string> {
    if (who === "") throw new Error("nobody to greet");
    return "${greeting} " + who;
  }

  @saga
  async ${name.toLowerCase()}(params: { who: string }): Promise<string> {
    return await this.greet(params.who);
  }
}
`;
}

/** The same with a constructor that needs something. */
export function needyGreeter(): string {
  return greeter()
    .replace(
      "Greeter {",
      "Greeter {\n  private readonly mark: string;\n  constructor(mark: string) {\n    this.mark = mark;\n  }\n",
    )
    .replace('"hello " + who', '"hello " + who + this.mark');
}
