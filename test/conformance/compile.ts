/** Compiles the sagas of a case file together, and loads what came out. It judges nothing. */
import { fileURLToPath } from "node:url";
import { Batch, load, type Result } from "../oracle/compile.js";
import type { Line } from "./dag.js";
import * as kit from "./kit.js";
import type { Subject } from "./observe.js";
import { writeSource } from "./source.js";

/** What became of a recorded saga. */
export interface Compiled {
  readonly line: Line;
  /** Our paths by steno's. */
  readonly paths: ReadonlyMap<string, string>;
  readonly result: Result;
  /** Absent where the compiler refused the source. */
  readonly subject: Subject | undefined;
}

/** Sagas in one program: more make it slower than linear. */
const TOGETHER = 400;

/** The sagas of the lines that have one, by the lines' ids. */
export async function compileAll(lines: readonly Line[]): Promise<Map<string, Compiled>> {
  const found = new Map<string, Compiled>();
  const written = lines
    .filter(({ input }) => input.saga !== undefined)
    .map((line) => ({ line, ...writeSource(line) }));
  for (let first = 0; first < written.length; first += TOGETHER) {
    const part = written.slice(first, first + TOGETHER);
    const kitFile = fileURLToPath(new URL("kit.ts", import.meta.url));
    const batch = new Batch(
      part.map(({ text }) => text),
      kitFile,
    );
    batch.close();
    for (const [index, { line, paths }] of part.entries()) {
      const result = batch.results[index] as Result;
      const subject = result.generated === undefined ? undefined : await subjectOf(result);
      found.set(line.id, { line, paths, result, subject });
    }
  }
  return found;
}

async function subjectOf(result: Result): Promise<Subject> {
  const { Program, main } = await load(result, { kit, name: "Case" });
  return { Case: Program, main } as unknown as Subject;
}
