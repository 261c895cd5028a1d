/** Reads `each(list, { concurrency, key }, (item) => …)`: a map with a limit, and names for its items. */
import * as sayClass from "../../diagnostics/catalogue/class.js";
import * as say from "../../diagnostics/catalogue/glue.js";
import { spanOf, untyped } from "../context.js";
import { start } from "./lower-call.js";
import { lowerItems, type Callback, type Side } from "./lower-iteration.js";
import type { Method } from "./method.js";
import { readStatic } from "../classes/options.js";
import type { Thread } from "./thread.js";
import ts from "../typescript.cjs";
import { BROKEN, type Value } from "./values.js";

export function lowerEach(method: Method, thread: Thread, node: ts.CallExpression): Value {
  const [list, options, run] = node.arguments;
  const callback = run && functionOf(run);
  if (list === undefined || options === undefined || callback === undefined) {
    const what = "`each` with a function that is not written out";
    const help =
      "write `each(list, { concurrency: 3, key: (item) => item.name }, (item) => this.a(item))`";
    return refuse(method, run ?? node, what, help);
  }
  const read = readOptions(method, options);
  if (read === undefined) return BROKEN;
  const map = lowerItems(method, thread, node, { list, callback, ...read, isEach: true });
  return map.kind === "broken" ? map : { ...map, started: [start(method, thread, node)] };
}

/** Undefined: something was reported. */
function readOptions(
  method: Method,
  written: ts.Expression,
): Pick<Side, "concurrency" | "key"> | undefined {
  const node = untyped(written);
  const help = "write them out: `each(list, { concurrency: 3, key: (item) => item.name }, …)`";
  const properties = ts.isObjectLiteralExpression(node) ? node.properties : undefined;
  let concurrency: number | undefined;
  let key: ts.ArrowFunction | undefined;
  for (const property of properties ?? []) {
    const name = property.name?.getText();
    if (!ts.isPropertyAssignment(property) || (name !== "concurrency" && name !== "key")) {
      refuse(method, property, "options of `each` that are not written out", help);
      return undefined;
    }
    const { initializer } = property;
    if (name === "concurrency") {
      const found = readStatic(method.context, "concurrency", initializer);
      if (found === undefined) return undefined;
      const { value } = found;
      if (
        value !== undefined &&
        !(typeof value === "number" && Number.isInteger(value) && value > 0)
      ) {
        const must = "a whole number from 1";
        const at = spanOf(initializer);
        method.context.report(sayClass.optionInvalid({ at, what: "concurrency", must }));
        return undefined;
      }
      concurrency = value;
    } else {
      const made = untyped(initializer);
      if (!ts.isArrowFunction(made) || ts.isBlock(made.body)) {
        const inner = "write one expression of the item: `key: (item) => item.name`";
        refuse(method, initializer, "a key that is not written out", inner);
        return undefined;
      }
      key = made;
    }
  }
  if (properties !== undefined) return { concurrency, key };
  refuse(method, written, "options of `each` that are not written out", help);
  return undefined;
}

function functionOf(written: ts.Expression): Callback | undefined {
  const node = untyped(written);
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node) ? node : undefined;
}

function refuse(method: Method, node: ts.Node, what: string, help: string): typeof BROKEN {
  method.context.report(say.expressionRefused({ at: spanOf(node), what, help }));
  return BROKEN;
}
