/**
 * Proof that a campaign bites where it matters: the machine is built once more with one line wrong,
 * and random programs must tell that it is. What is wrong is written here, and nowhere in the product.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch, type Result } from "../oracle/compile.js";
import type * as compiling from "../oracle/compile.js";
import type * as comparing from "../oracle/failing.js";
import { faultsOf } from "../oracle/faults.js";
import { lettingRejectionsPass } from "../oracle/unhandled.js";
import { numbersOf } from "./choices.js";
import { params } from "./examine.js";
import { programOf } from "./program.js";

interface Sabotage {
  /** In the runtime's folder. */
  readonly file: string;
  /** One place of the file, and what is there instead. */
  readonly right: string;
  readonly wrong: string;
  /** What must be said of it: something else may be wrong then too, but this is its own. */
  readonly said: RegExp;
}

const sabotages: Readonly<Record<string, Sabotage>> = {
  "an edge is dropped": {
    file: "machine/plan.ts",
    right: "function planGraph(saga: string, { nodes, exits = [] }: Graph,",
    wrong: `function planGraph(saga: string, graph: Graph, holder: Plan["holder"]): OpenPlan {
  const nodes = graph.nodes.map((node) =>
    node.kind === "action" ? { ...node, after: node.after.slice(1) } : node);
  return planWhole(saga, { ...graph, nodes }, holder);
}
function planWhole(saga: string, { nodes, exits = [] }: Graph,`,
    said: /act .*: not in the reference/,
  },
  "undos run in any order": {
    file: "machine/unwinding.ts",
    right: "if (!open || waiting[index] !== 0) return;",
    wrong: "if (!open) return;",
    said: /undo .*: not in the reference/,
  },
  "a handler runs before its scope is undone": {
    file: "machine/unwinding.ts",
    right: "if (unwinding.unsettled > 0) return;",
    wrong: `const early = frame.parent && !frame.parent.unwinding && frame.phase.length > 1 ? 1 : 0;
    if (unwinding.unsettled !== early) return;`,
    said: /act .*: not in the reference/,
  },
  "an action that failed is undone": {
    file: "state.ts",
    right: 'node.undoWhen === "started" && node.undo !== "none"',
    wrong: 'node.undo !== "none"',
    said: /undo .*: not in the reference/,
  },
  "a retry is lost": {
    file: "machine/verdict.ts",
    right: "attempts >= policy.attempts)",
    wrong: "attempts + 1 >= policy.attempts)",
    said: /the run: stuck, and the reference has running/,
  },
};

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Where packages are found from; nothing stays there. */
const folder = mkdtempSync(path.join(root, "node_modules/.sabotage-"));
/** So many programs, each under so many schedules: at least one must tell. */
const PROGRAMS = 40;
const SCHEDULES = 4;

let programs: readonly Result[];
beforeAll(() => {
  const seeds = Array.from({ length: PROGRAMS }, (_, index) => 300 + index);
  const batch = new Batch(seeds.map((seed) => programOf(numbersOf(seed))));
  batch.close();
  programs = batch.results;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

type Oracle = Pick<typeof compiling, "load"> & Pick<typeof comparing, "compareWithReference">;

/** The reference and the runtime, which is sabotaged. */
async function oracleWith(sabotage: Sabotage | undefined, name: string): Promise<Oracle> {
  const outfile = path.join(folder, `${name.replaceAll(" ", "-")}.mjs`);
  const contents = `export { compareWithReference } from "./test/oracle/failing.ts";
export { load } from "./test/oracle/compile.ts";`;
  await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    ...{ bundle: true, format: "esm", platform: "node", outfile },
    external: [
      "ts-morph",
      "@ts-morph/common",
      "esbuild",
      "prettier",
      "typescript",
      "zod",
      "libsql",
      "ms",
    ],
    banner: {
      js: 'import { createRequire as requiring } from "node:module"; const require = requiring(import.meta.url);',
    },
    // Node has no decorators.
    target: "node20",
    tsconfig: path.join(root, "tsconfig.json"),
    plugins: sabotage === undefined ? [] : [sabotaged(sabotage)],
    logLevel: "error",
  });
  return (await import(pathToFileURL(outfile).href)) as Oracle;
}

function sabotaged({ file, right, wrong }: Sabotage): Plugin {
  const full = path.join(root, "runtime", file);
  const text = readFileSync(full, "utf8");
  if (text.split(right).length !== 2) throw new Error(`${file} has not once: ${right}`);
  return {
    name: "sabotage",
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, (found) =>
        found.path === full ? { contents: text.replace(right, () => wrong), loader: "ts" } : null,
      );
    },
  };
}

/** The first thing like this that the reference says, of programs and schedules. */
async function firstComplaint(oracle: Oracle, like: RegExp): Promise<string | undefined> {
  return lettingRejectionsPass(async () => {
    for (const [place, result] of programs.entries()) {
      const program = await oracle.load(result);
      for (let schedule = 0; schedule < SCHEDULES; schedule++) {
        const faults = faultsOf(place * SCHEDULES + schedule);
        const { differences } = await oracle.compareWithReference(program, params, faults);
        const found = differences.find((each) => like.test(each));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  });
}

test("what is right is found to be right", async () => {
  expect(await firstComplaint(await oracleWith(undefined, "nothing"), /^/)).toBeUndefined();
}, 120_000);

test.each(Object.entries(sabotages))(
  "it is found when %s",
  async (name, sabotage) => {
    const complaint = await firstComplaint(await oracleWith(sabotage, name), sabotage.said);
    expect(complaint).toBeDefined();
  },
  120_000,
);
