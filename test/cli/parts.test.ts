/** The parts of the command line that are pure: where JSON breaks, and which versions fit. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkBanner } from "../../runtime/cli/bundle.js";
import { findJsonError } from "../../runtime/cli/json-input.js";

describe("where JSON breaks", () => {
  test.each([
    ["", 0],
    ["{", 1],
    ["[1 2]", 3],
    ["[1,]", 3],
    ['{"a" 1}', 5],
    ['{"a":1,}', 7],
    ["{a:1}", 1],
    ["[1}", 2],
    ["01", 1],
    ['"a\nb"', 0],
    ["1 true", 2],
    ["nul", 0],
    ["]", 0],
  ])("%j breaks at %d", (text, at) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(findJsonError(text)).toBe(at);
  });

  test("what is JSON has no error before its end, and a broken end is found there", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom("]", "}", ",", ":", "x", '"', "1"), (json, end) => {
        expect(findJsonError(json)).toBe(json.length);
        // A digit goes on with a number.
        fc.pre(!/\d$/.test(json) || end !== "1");
        expect(findJsonError(`${json} ${end}`)).toBe(json.length + 1);
      }),
    );
  });
});

describe("a bundle's banner", () => {
  const banner = (runtime: string): string =>
    `/* steno-bundle {"format":1,"runtime":"${runtime}"} */\nimport "steno-runtime";`;

  test.each([
    ["0.1.0", "0.1.9", true],
    ["0.1.0", "0.2.0", false],
    ["1.2.0", "1.9.3", true],
    ["1.2.0", "2.0.0", false],
    ["0.1.0", "1.1.0", false],
  ])("made for %s, run by %s: fits is %s", (made, mine, fits) => {
    const check = (): void => checkBanner(banner(made), "trip.js", mine);
    if (fits) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: "bundle-version" }));
  });

  test("is not needed in a file written by hand, and must not be damaged", () => {
    expect(() => checkBanner("export default [];", "trip.js", "0.1.0")).not.toThrow();
    expect(() => checkBanner("/* steno-bundle {oops */\n", "trip.js", "0.1.0")).toThrow(
      expect.objectContaining({ code: "bundle-format" }),
    );
  });
});
