/**
 * Compiles many programs at once, in one process and one TypeScript program, and loads what came
 * out: the class, for the plain method, and the definition. It judges nothing.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import * as runtime from "steno-runtime";
import * as schema from "steno-runtime/schema";
import { analyseProject } from "../../compiler/compile.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { printModule } from "../../compiler/emit/module.js";
import type { SourceModel } from "../../compiler/model.js";
import type { BoundSaga, SagaDefinition } from "../../runtime/definition.js";
import * as oracleKit from "./kit.js";
import { plainRuntime } from "./plain.js";
import { readScript, type Script } from "./script.js";

/** The class that a program exports as `Program`; its saga is `main`. */
export type ProgramClass = new (world: oracleKit.World) => oracleKit.Kit & {
  main(params: unknown): Promise<unknown>;
};

export interface Loaded {
  readonly Program: ProgramClass;
  readonly main: SagaDefinition<oracleKit.Kit, unknown, unknown>;
  /** Its other sagas. */
  readonly others: readonly Loaded["main"][];
  /** All that it exports. */
  readonly exports: Exports;
  /** How many errors it has made so far, to be thrown, where it is called as it is. */
  readonly errorsMade: () => number;
  /** The events of `Program`. */
  readonly events: readonly string[];
  /** The program as the reference reads it. */
  readonly script: Script;
}

/** What became of one program. */
export interface Result {
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Absent if the compiler refused it. */
  readonly generated: string | undefined;
  readonly model: SourceModel | undefined;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));

const tsconfig = {
  compilerOptions: {
    target: "ES2023",
    lib: ["ES2023", "ESNext.Decorators"],
    module: "NodeNext",
    moduleResolution: "NodeNext",
    types: ["node"],
    typeRoots: [path.join(root, "node_modules/@types")],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    skipLibCheck: true,
    noEmit: true,
    paths: {
      "steno-runtime": [path.join(root, "runtime/index.ts")],
      "steno-runtime/schema": [path.join(root, "runtime/schema.ts")],
    },
  },
  include: ["*.ts"],
};

const COMPANION = `import { saga } from "steno-runtime";
import { Kit } from "./kit.js";
export class Companion extends Kit {
  @saga
  async main(params: number): Promise<number> {
    return this.num("k", params);
  }
}
`;

/** Programs that are compiled together, in a folder of their own until `close()`. */
export class Batch {
  readonly results: readonly Result[];
  readonly #folder: string;

  /** `kitFile`: what the programs import as `./kit.js`; without, the oracles' own kit. */
  constructor(texts: readonly string[], kitFile?: string) {
    this.#folder = mkdtempSync(path.join(tmpdir(), "steno-oracle-"));
    const write = (file: string, text: string): void =>
      writeFileSync(path.join(this.#folder, file), text);
    write("tsconfig.json", JSON.stringify(tsconfig));
    write("package.json", '{ "type": "module" }');
    write("kit.ts", readFileSync(kitFile ?? path.join(here, "kit.ts"), "utf8"));
    // So that a program is compiled alone as it is beside others: with a saga in the project.
    if (kitFile === undefined) write("companion.ts", COMPANION);
    for (const [index, text] of texts.entries()) write(`p${index}.ts`, text);
    this.results = compileAll(this.#folder, texts);
  }

  /** Type errors of the programs and of what was generated for them, as `tsc` reports them. */
  typeErrors(): readonly string[] {
    for (const [index, { generated }] of this.results.entries()) {
      if (generated !== undefined)
        writeFileSync(path.join(this.#folder, `p${index}.saga.ts`), generated);
    }
    const tsc = path.join(root, "node_modules/.bin/tsc");
    try {
      execFileSync(tsc, ["-p", this.#folder], { cwd: this.#folder, encoding: "utf8" });
      return [];
    } catch (error) {
      return (error as { readonly stdout: string }).stdout.trim().split("\n");
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function compileAll(folder: string, texts: readonly string[]): Result[] {
  const { diagnostics, sources } = analyseProject({ paths: [], cwd: folder });
  const byFile = new Map<string, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    // Without a place it is about the set-up, which is ours.
    const file = diagnostic.span?.file ?? "";
    byFile.set(file, [...(byFile.get(file) ?? []), diagnostic]);
  }
  const models = new Map<string, SourceModel>(sources.map((source) => [source.file, source]));
  return texts.map((text, index) => {
    const file = path.join(folder, `p${index}.ts`);
    const model = models.get(file);
    const generated = model === undefined ? undefined : printModule(model);
    const found = [...(byFile.get(file) ?? []), ...(byFile.get("") ?? [])];
    return { text, diagnostics: found, generated, model };
  });
}

/** Loads the program and its generated module, each as esbuild makes JavaScript of it. */
export async function load(
  { text, generated }: Result,
  { kit = oracleKit, name = "Program" }: { readonly kit?: object; readonly name?: string } = {},
): Promise<Loaded> {
  if (generated === undefined) throw new Error("the program was refused");
  const outside = { "./kit.js": kit, "steno-runtime": plainRuntime };
  let errors = 0;
  class CountedError extends Error {
    constructor(message?: string, options?: ErrorOptions) {
      super(message, options);
      errors += 1;
    }
  }
  const program = evaluate(await toCommonJs(text), outside, CountedError);
  const source = /from "(\.\/p\d+\.js)"/.exec(generated)?.[1] ?? "./program.js";
  const modules = {
    "./kit.js": kit,
    "steno-runtime": runtime,
    "steno-runtime/schema": schema,
    [source]: program,
  };
  const definitions = evaluate(await toCommonJs(generated), modules);
  const main = definitions["main"] as Loaded["main"];
  const script = await readScript(text);
  return {
    Program: program[name] as ProgramClass,
    main,
    others: Object.values(definitions).filter((each) => each !== main) as Loaded["main"][],
    exports: program,
    errorsMade: () => errors,
    events: [...(script.get(name)?.fields ?? [])]
      .filter(([, made]) => made.getText() === "event()")
      .map(([field]) => field),
    script,
  };
}

/** All sagas of a program, on objects that lead to a world. */
export function sagasOf({ main, others, exports }: Loaded, world: oracleKit.World): BoundSaga[] {
  return [main, ...others].map((each) => {
    const owner = each.manifest.name.split(".")[0] as string;
    return each.on(new (exports[owner] as ProgramClass)(world));
  });
}

/** Whether a program is a module that can be loaded here: `await` at its top cannot. */
export async function isLoadable({ text }: Result): Promise<boolean> {
  try {
    evaluate(await toCommonJs(text), { "./kit.js": oracleKit, "steno-runtime": runtime });
    return true;
  } catch {
    return false;
  }
}

async function toCommonJs(text: string): Promise<string> {
  const options = { loader: "ts", format: "cjs", target: "node20" } as const;
  return (await transform(text, options)).code;
}

type Exports = Readonly<Record<string, unknown>>;

function evaluate(
  code: string,
  modules: Readonly<Record<string, object>>,
  ErrorClass: ErrorConstructor | (new (message?: string) => Error) = Error,
): Exports {
  const module = { exports: {} as Exports };
  const require = (name: string): object => {
    const found = modules[name];
    if (found === undefined) throw new Error(`a program imports ${name}, which is not there`);
    return found;
  };
  // The code is our own, generated; a module loader would need a file and a cache for each.
  const run = new Function("module", "exports", "require", "Error", code);
  run(module, module.exports, require, ErrorClass);
  return module.exports;
}
