/**
 * Gives steno's decorators a plain type while the compiler checks a project. Their real types make
 * `tsc` and editors check undos and options; the compiler checks both itself, in better words, and
 * resolving those types for every decorator is half of the time that a compile takes.
 */
import ts from "../typescript.cjs";

const NAMES = new Set(["action", "undo", "saga"]);

/** Each has an interface of its own, and so has what it returns, to recognise it in a variable. */
const PLAIN = `
interface Plain_action { (method: any, context: any): any; (options: any): Plain_action_ }
interface Plain_action_ { (method: any, context: any): any }
interface Plain_saga { (method: any, context: any): any; (options: any): Plain_saga_ }
interface Plain_saga_ { (method: any, context: any): any }
interface Plain_undo { (...args: any[]): Plain_undo_ }
interface Plain_undo_ { (method: any, context: any): any }
`;

/** The text of the file that declares the decorators, with plain types for them. */
export function slimDecorators(file: string, text: string): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const edits = source.statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement)) return [];
    const [first] = statement.declarationList.declarations;
    const name = first && ts.isIdentifier(first.name) ? first.name.text : "";
    if (!NAMES.has(name)) return [];
    const plain = `export declare const ${name}: Plain_${name};`;
    return [{ start: statement.getStart(source), end: statement.end, plain }];
  });
  const slim = edits.reduceRight(
    (before, { start, end, plain }) => before.slice(0, start) + plain + before.slice(end),
    text,
  );
  return edits.length === NAMES.size ? slim + PLAIN : text;
}
