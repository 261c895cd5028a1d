/**
 * Builds a project again and again, each time only the sources that a change can matter to. What
 * comes of it is what a build from nothing gives: `test/compiler/incremental.test.ts` compares.
 */
import { buildLowered, type Built } from "./build.js";
import { noSaga } from "./diagnostics/catalogue/project.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { inOrder } from "./diagnostics/report.js";
import { generatedPath } from "./emit/module.js";
import { Rereader, type Program } from "./frontend/index.js";
import type { SourceModel } from "./model.js";
import type { OutputFile } from "./write.js";

/** What was built of a source of which nothing is wrong. */
interface Sound {
  readonly source: SourceModel;
  readonly output: OutputFile | undefined;
}

export class IncrementalBuild {
  readonly #rereader = new Rereader();
  readonly #sound = new Map<string, Sound>();
  /** Files of which something was wrong the last time. */
  #broken: ReadonlySet<string> = new Set();
  #diagnostics: readonly Diagnostic[] = [];

  async build(program: Program): Promise<Built> {
    // What is wrong is said once, of one source on behalf of others: all that have a part in it are
    // built again, together.
    const { touched, lower } = this.#rereader.read(program, this.#broken);
    const wanted = new Set(program.candidates);
    for (const file of this.#sound.keys()) {
      if (touched.has(file) || !wanted.has(file)) this.#sound.delete(file);
    }
    const lowered = lower();
    const built = await buildLowered(lowered);
    const outputs = new Map(built.outputs.map((output) => [output.file, output]));
    for (const source of built.sources) {
      this.#sound.set(source.file, { source, output: outputs.get(generatedPath(source.file)) });
    }
    const kept = this.#diagnostics.filter(
      ({ severity, span }) => severity !== "error" && span !== undefined && !touched.has(span.file),
    );
    this.#diagnostics = inOrder([...kept, ...built.diagnostics]);
    this.#broken = new Set([...lowered.broken, ...filesOfErrors(this.#diagnostics)]);
    return this.#whole(program, built);
  }

  #whole(program: Program, { places }: Built): Built {
    const sound = program.candidates.flatMap((file) => this.#sound.get(file) ?? []);
    const none = sound.length === 0 && this.#broken.size === 0;
    return {
      // Of those that were built now there may be none, and of the others some.
      diagnostics: none
        ? [noSaga({ where: program.where })]
        : this.#diagnostics.filter(({ code }) => code !== noSaga.code),
      sources: sound.map(({ source }) => source),
      outputs: sound.flatMap(({ output }) => output ?? []),
      places,
    };
  }
}

function filesOfErrors(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.flatMap(({ severity, span }) =>
    severity === "error" && span !== undefined ? [span.file] : [],
  );
}
