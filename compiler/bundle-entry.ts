/**
 * The entry of a bundle: what it exports, and how the objects that have the actions are made, by
 * the user's worker file or without arguments. It runs no bundler.
 */
import { existsSync } from "node:fs";
import * as path from "node:path";
import * as say from "./diagnostics/catalogue/output.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { generatedPath } from "./emit/module.js";
import type { ClassModel, SourceModel } from "./model.js";

/** The text of the bundle's entry; absent if the classes cannot be made, which is reported. */
export function entryOf(
  source: SourceModel,
  cwd: string,
  report: (diagnostic: Diagnostic) => void,
): string | undefined {
  const local = (file: string): string => JSON.stringify(`./${path.basename(file)}`);
  const generated = local(generatedPath(source.file));
  const exported = source.sagas.map((saga) => saga.exportName).join(", ");
  // An export that is named wins over one of `*`: the definitions are there in any case.
  const exports = `export { ${exported} } from ${generated};\nexport * from ${local(source.file)};\n`;
  const worker = workerOf(source);
  if (existsSync(worker)) return `${exports}export { default } from ${local(worker)};\n`;
  const needy = needyClasses(source);
  for (const each of needy) {
    const file = path.relative(cwd, worker).split(path.sep).join("/");
    const text = workerText(source);
    report(say.workerMissing({ at: each.span, className: each.name, file, worker: text }));
  }
  if (needy.length > 0) return undefined;
  const imports = classesWithSagas(source).map(
    ({ exportedAs }, index) =>
      `import { ${exportedAs} as Class${index} } from ${local(source.file)};\n`,
  );
  const objects = classesWithSagas(source).map(
    (_, index) => `const object${index} = new Class${index}();\n`,
  );
  const bound = classesWithSagas(source).flatMap(({ name }, index) =>
    source.sagas
      .filter((saga) => saga.className === name)
      .map((saga) => `sagas.${saga.exportName}.on(object${index})`),
  );
  return [
    exports,
    ...imports,
    `import * as sagas from ${generated};\n`,
    ...objects,
    `export default [${bound.join(", ")}];\n`,
  ].join("");
}

/** Whether there is neither a worker file nor a class that can be made without one. */
export function needsObjects(source: SourceModel): boolean {
  return needyClasses(source).length > 0 && !existsSync(workerOf(source));
}

function needyClasses(source: SourceModel): ClassModel[] {
  return classesWithSagas(source).filter(({ constructible }) => !constructible);
}

function workerOf({ file }: SourceModel): string {
  return file.replace(/\.([cm]?)tsx?$/, ".worker.$1ts");
}

function classesWithSagas(source: SourceModel): ClassModel[] {
  const names = new Set(source.sagas.map((saga) => saga.className));
  return source.classes.filter(({ name }) => names.has(name));
}

/** A worker file as the user would write it, but for what only the user knows. */
function workerText(source: SourceModel): string {
  const classes = classesWithSagas(source);
  const wholes = classes.filter(({ exportedAs }) => exportedAs === "default");
  const named = classes
    .filter(({ exportedAs }) => exportedAs !== "default")
    .map(({ name, exportedAs }) => (name === exportedAs ? name : `${exportedAs} as ${name}`));
  const parts = [
    ...wholes.map(({ name }) => name),
    ...(named.length > 0 ? [`{ ${named.join(", ")} }`] : []),
  ];
  const generated = source.specifier.replace(/(\.[cm]?[jt]sx?)?$/, ".saga$1");
  const bound = source.sagas.map(({ exportName, className }) => {
    const needs = classes.find(({ name }) => name === className)?.constructible !== true;
    return `  ${exportName}.on(new ${className}(${needs ? "/* its dependencies */" : ""})),`;
  });
  return [
    `import ${parts.join(", ")} from ${JSON.stringify(source.specifier)};`,
    `import { ${source.sagas.map((saga) => saga.exportName).join(", ")} } from ${JSON.stringify(generated)};`,
    "",
    "export default [",
    ...bound,
    "];",
  ].join("\n");
}
