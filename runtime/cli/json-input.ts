/**
 * Reads `--params`: JSON text, or `@file`. Where the text is not JSON it says at which line and
 * column, which `JSON.parse` of Node 20 does not always do. It does not know what params mean.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { Problem } from "./problem.js";

/** Longer files are not read to their end. What is kept of params, the codecs limit. */
const FILE_LIMIT = 64 * 1024 * 1024;
const PART = 1024 * 1024;

/** The value of `--params <json|@file>`. */
export function readJsonArgument(given: string): unknown {
  const file = given.startsWith("@") ? given.slice(1) : undefined;
  const text = file === undefined ? given : readText(file);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const at = findJsonError(text);
    const before = text.slice(0, at).split("\n");
    const place = `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
    const found = at < text.length ? JSON.stringify(text[at]) : "the end of the text";
    throw new Problem(
      "params-not-json",
      `${file === undefined ? "--params" : file} is not JSON: ${found} is unexpected at ${place}` +
        (file === undefined ? "; quote it for the shell, or use `--params @file.json`" : ""),
    );
  }
}

function readText(file: string): string {
  try {
    // JSON text has no byte order mark; some editors write one all the same.
    return readAll(file).replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("params-not-readable", `cannot read ${file}: ${(error as Error).message}`);
  }
}

/** Also of what has no length, such as a pipe, and no end, such as `/dev/zero`. */
function readAll(path: string): string {
  const file = openSync(path, "r");
  try {
    const parts: Buffer[] = [];
    for (let length = 0; ;) {
      const part = Buffer.allocUnsafe(PART);
      const read = readSync(file, part);
      if (read === 0) return Buffer.concat(parts).toString("utf8");
      parts.push(part.subarray(0, read));
      length += read;
      if (length > FILE_LIMIT) {
        const megabytes = FILE_LIMIT / 1024 / 1024;
        throw new Problem(
          "params-too-long",
          `${path} has more than ${megabytes} MB: params are kept with the run; keep files elsewhere, and their names here`,
        );
      }
    }
  } finally {
    closeSync(file);
  }
}

const SPACE = /[ \t\r\n]*/y;
const SCALAR =
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

type Expected = "value" | "first-item" | "first-key" | "key" | "colon" | "more";

/** The index of the first character that makes the text no JSON. */
export function findJsonError(text: string): number {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = 0;
  const matchAt = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0].length ?? 0;
  };
  for (;;) {
    at += matchAt(SPACE);
    const char = text[at];
    if (char === undefined) return at;
    const container = open.at(-1);
    if (expected === "colon") {
      if (char !== ":") return at;
      expected = "value";
      at += 1;
    } else if (expected === "more" || (expected.startsWith("first") && /[\]}]/.test(char))) {
      const close = container === "{" ? "}" : "]";
      if (container !== undefined && char === close) {
        open.pop();
        expected = "more";
      } else if (container !== undefined && char === "," && expected === "more") {
        expected = container === "{" ? "key" : "value";
      } else return at;
      at += 1;
    } else if (expected === "key" || expected === "first-key") {
      const length = matchAt(TEXT);
      if (length === 0) return at;
      expected = "colon";
      at += length;
    } else if (char === "{" || char === "[") {
      open.push(char);
      expected = char === "{" ? "first-key" : "first-item";
      at += 1;
    } else {
      const length = matchAt(SCALAR);
      if (length === 0) return at;
      expected = "more";
      at += length;
    }
  }
}
