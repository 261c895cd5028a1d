/** What the examples have committed is what the compiler writes now: who reads them reads the truth. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile.js";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

test.each(["trip", "provision", "tangled"])(
  "%s",
  async (name) => {
    const { diagnostics, sources } = await compile({
      paths: [],
      cwd: examples + name,
      check: true,
    });
    const wrong = diagnostics.filter(({ severity }) => severity === "error");
    expect(wrong.map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
    expect(sources.length).toBeGreaterThan(0);
  },
  60_000,
);
