/** Puts what was made on the disk, or compares it with what is there. It makes nothing itself. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import * as say from "./diagnostics/catalogue/output.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { generatedPath, HEADER } from "./emit/module.js";
import type { FoundPart } from "./frontend/program/load.js";

/** A file to be written. */
export interface OutputFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

export interface Written {
  readonly file: string;
  readonly state: "written" | "unchanged" | "failed";
}

/** Writes a generated module, unless it is there already or the place is somebody else's. */
export function writeModule(
  output: OutputFile,
  cwd: string,
  report: (diagnostic: Diagnostic) => void,
): Written {
  const there = read(output.file);
  if (there !== undefined && !isGenerated(there)) {
    report(say.notGenerated({ file: shown(output.file, cwd) }));
    return { file: output.file, state: "failed" };
  }
  return writeFile(output, there, cwd, report);
}

/** Writes any file, if it is not there already in the same words. */
export function writeOutput(
  output: OutputFile,
  cwd: string,
  report: (diagnostic: Diagnostic) => void,
): Written {
  return writeFile(output, read(output.file), cwd, report);
}

/** Reports a generated module that is missing or differs from what its source gives now. */
export function checkModule(
  { file, text }: OutputFile,
  cwd: string,
  report: (diagnostic: Diagnostic) => void,
): void {
  const there = read(file);
  // A checkout on Windows may have changed the ends of lines.
  if (there?.replace(/\r\n/g, "\n") === text) return;
  if (there !== undefined && !isGenerated(there)) {
    report(say.notGenerated({ file: shown(file, cwd) }));
  } else {
    report(say.outOfDate({ file: shown(file, cwd), missing: there === undefined }));
  }
}

/** Reports generated modules whose source has moved, or declares nothing any more. */
export function checkLeftOver(
  { generated, candidates }: Pick<FoundPart, "generated" | "candidates">,
  cwd: string,
  report: (diagnostic: Diagnostic) => void,
): void {
  const wanted = new Set(candidates.map(generatedPath));
  for (const file of generated) {
    if (wanted.has(file) || read(file)?.startsWith(HEADER) !== true) continue;
    report(say.leftOver({ file: shown(file, cwd) }));
  }
}

/** A saga, in a file that no compiler wrote. */
const DECLARES = /^\s*@(\w+\.)?saga\b/m;

/** Reports sources that are passed over, since they are named as generated modules are. */
export function checkSourceNames(
  { generated }: Pick<FoundPart, "generated">,
  cwd: string,
  report: (diagnostic: Diagnostic) => void,
): void {
  for (const file of generated) {
    const text = read(file) ?? "";
    if (text.startsWith(HEADER) || !DECLARES.test(text)) continue;
    const better = shown(file.replace(/\.saga(\.\w+)$/, "$1"), cwd);
    report(say.sourceName({ file: shown(file, cwd), better }));
  }
}

function writeFile(
  { file, text }: OutputFile,
  there: string | undefined,
  cwd: string,
  report: (diagnostic: Diagnostic) => void,
): Written {
  if (there === text) return { file, state: "unchanged" };
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(temporary, text);
    renameSync(temporary, file);
    return { file, state: "written" };
  } catch (error) {
    removeIfThere(temporary);
    const reason = String(error).replaceAll(temporary, file);
    report(say.cannotWrite({ file: shown(file, cwd), reason }));
    return { file, state: "failed" };
  }
}

/** What is wrong with the folder was said already. */
function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    return;
  }
}

function isGenerated(text: string): boolean {
  return text.startsWith(HEADER) || text.trim() === "";
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function shown(file: string, cwd: string): string {
  return path.relative(cwd, file).split(path.sep).join("/");
}
