/** A project in a temporary folder, on which the built `steno-compile` is run as a user runs it. */
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

const root = fileURLToPath(new URL("../../", import.meta.url));
const command = join(root, "compiler/bin/steno-compile.js");

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

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

  compile(...args: readonly string[]): Answer {
    return this.node(command, ...args);
  }

  /** A command line with `steno-compile` in it, as it is in the documents. */
  shell(line: string): Answer {
    // Whether hints are shown must not depend on where the tests run.
    const env = { ...process.env, NO_COLOR: "1", CI: undefined };
    const call = `"${process.execPath}" "${command}"`;
    const options = { cwd: this.folder, encoding: "utf8", env } as const;
    const { status, stdout, stderr } = spawnSync(
      "sh",
      ["-c", line.replaceAll("steno-compile", call)],
      options,
    );
    return { code: status, stdout, stderr };
  }

  /** A compile that goes on; the test ends it. */
  start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [command, ...args], { cwd: this.folder });
  }

  node(...args: readonly string[]): Answer {
    // Whether hints are shown must not depend on where the tests run.
    const env = { ...process.env, NO_COLOR: "1", CI: undefined };
    const options = { cwd: this.folder, encoding: "utf8", env } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
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
