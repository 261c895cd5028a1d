/** The frames of diagnostics: tabs, wide characters, long lines, several labels, files and lines. */
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { toJson } from "../../compiler/diagnostics/json.js";
import { Places } from "../../compiler/diagnostics/places.js";
import { inOrder } from "../../compiler/diagnostics/report.js";
import { toText } from "../../compiler/diagnostics/text.js";
import type { Span } from "../../compiler/model.js";

const files: Readonly<Record<string, string>> = {
  "/p/src/trip.ts": [
    "@action async chargeCard(card: string): Promise<Payment> {",
    "\tconst total = price;",
    "  const 価格 = bad;",
    `  const long = [${'"filler", '.repeat(20)}wrong, ${'"filler", '.repeat(20)}];`,
    "  return this.first(",
    "    second,",
    "  );",
    "}",
  ].join("\n"),
  "/p/src/other.ts": "export class Payment {}\r\nexport class Receipt {}\r\n",
};
const places = new Places((file) => files[file]);

function span(text: string, file = "/p/src/trip.ts"): Span {
  const start = files[file]?.indexOf(text) ?? -1;
  if (start < 0) throw new Error(`no ${text}`);
  return { file, start, end: start + text.length };
}

function diagnostic(change: Partial<Diagnostic>): Diagnostic {
  const empty = { span: undefined, label: undefined, others: [], notes: [], help: undefined };
  const fix = undefined;
  return { code: "some-code", severity: "error", message: "it is wrong", ...empty, fix, ...change };
}

const draw = (change: Partial<Diagnostic>, colour = false): string =>
  toText(diagnostic(change), { places, cwd: "/p", colour });

describe("a frame", () => {
  test("without a place is its first line and the remarks", () => {
    expect(draw({ notes: ["one\ntwo"], help: "mend it" })).toBe(
      ["error[some-code]: it is wrong", "    = note: one", "      two", "    = help: mend it"].join(
        "\n",
      ),
    );
  });

  test("shows several labels, nearest line first, as the design draws it", () => {
    const drawn = draw({
      span: span("price"),
      label: "this",
      others: [{ span: span("Promise<Payment>"), text: "that" }],
      help: "mend it",
    });
    expect(drawn).toBe(
      [
        "error[some-code]: it is wrong",
        "    ┌─ src/trip.ts:2:16",
        "    │",
        "  1 │ @action async chargeCard(card: string): Promise<Payment> {",
        "    │                                         ---------------- that",
        "  2 │     const total = price;",
        "    │                   ^^^^^ this",
        "    │",
        "    = help: mend it",
      ].join("\n"),
    );
  });

  test("counts wide characters as a terminal does", () => {
    const [, , , line = "", under = ""] = draw({ span: span("bad") }).split("\n");
    expect(line).toBe("  3 │   const 価格 = bad;");
    // Two characters, four columns.
    expect(under).toBe("    │                ^^^");
  });

  test("cuts a long line around what is underlined", () => {
    const [, , , line = "", under = ""] = draw({ span: span("wrong") }).split("\n");
    expect(line.length).toBeLessThan(125);
    expect(line).toMatch(/│ ….*wrong.*…$/);
    expect(line.slice(under.indexOf("^"), under.lastIndexOf("^") + 1)).toBe("wrong");
  });

  test("marks the first and the last line of a span over several", () => {
    const text = "this.first(\n    second,\n  )";
    const lines = draw({ span: span(text), label: "all of it" }).split("\n");
    expect(lines.slice(3)).toEqual([
      "  5 │   return this.first(",
      "    │          ^^^^^^^^^^^",
      "  6 │     second,",
      "  7 │   );",
      "    │   ^ all of it",
    ]);
  });

  test("shows other files after the first", () => {
    const others = [{ span: span("Receipt", "/p/src/other.ts"), text: "declared here" }];
    const lines = draw({ span: span("price"), others }).split("\n");
    expect(lines.slice(5)).toEqual([
      "    │",
      "    ┌─ src/other.ts:2:14",
      "    │",
      "  2 │ export class Receipt {}",
      "    │              ------- declared here",
    ]);
  });

  test("has colour only if asked for", () => {
    const change = { span: span("price"), label: "this", help: "mend it" };
    const coloured = draw(change, true);
    expect(draw(change)).not.toContain("\u001b");
    expect(coloured).toContain("\u001b");
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(draw(change));
  });
});

test("JSON has all places, 1-based", () => {
  const others = [{ span: span("Receipt", "/p/src/other.ts"), text: "declared here" }];
  expect(toJson(diagnostic({ span: span("price"), label: "this", others }), places, "/p")).toEqual({
    code: "some-code",
    severity: "error",
    message: "it is wrong",
    file: "src/trip.ts",
    line: 2,
    column: 16,
    endLine: 2,
    endColumn: 21,
    labels: [
      { file: "src/trip.ts", line: 2, column: 16, endLine: 2, endColumn: 21, text: "this" },
      {
        file: "src/other.ts",
        line: 2,
        column: 14,
        endLine: 2,
        endColumn: 21,
        text: "declared here",
      },
    ],
    notes: [],
  });
});

test("a report is in source order, each finding once", () => {
  const late = diagnostic({ span: span("second") });
  const early = diagnostic({ span: span("price") });
  const other = diagnostic({ span: span("Receipt", "/p/src/other.ts") });
  expect(inOrder([late, early, other, { ...late }])).toEqual([other, early, late]);
});
