/**
 * The size of bundles: of the examples, and of one saga with many types, against the user's own
 * sources that are in them; and how much of steno and zod is in a bundle (nothing), and of zod in an
 * application that bundles everything.
 */
import { build } from "esbuild";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../../compiler/dist/compile.js";
import type { Bench, Measured } from "./measure.js";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const TYPES = 60;
const FIELDS = 12;

export const bundleBenches: readonly Bench[] = [
  { name: "bundle-trip", run: () => example("trip", "book-trip") },
  { name: "bundle-provision", run: () => example("provision", "provision") },
  { name: `bundle-${TYPES}-types`, run: manyTypes },
  { name: "bundle-steno-in-it", run: stenoInBundles },
  { name: "app-zod-in-it", run: zodInApp },
];

interface Bundle {
  readonly bytes: number;
  /** Of the user's own sources in it. */
  readonly own: number;
  /** Of packages that were taken into it. */
  readonly packages: number;
}

/** What a user is to be surprised by: a bundle that is a multiple of what was written. */
const AT_MOST = 4;

function against({ bytes, own }: Bundle): Measured {
  const ratio = bytes / own;
  const [value, limit] = [bytes / 1000, own / 1000];
  return { value, unit: "kB", limit, ratio, target: `<= ${AT_MOST}`, ok: ratio <= AT_MOST };
}

async function example(folder: string, name: string): Promise<Measured> {
  return against(await bundled(at(`examples/${folder}`), name));
}

async function bundled(cwd: string, name: string): Promise<Bundle> {
  const out = mkdtempSync(join(tmpdir(), "steno-bench-"));
  try {
    const { diagnostics } = await compile({ cwd, paths: [], bundle: out });
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
    const map = JSON.parse(readFileSync(join(out, `${name}.js.map`), "utf8")) as {
      readonly sources: readonly string[];
      readonly sourcesContent: readonly string[];
    };
    const size = (wanted: (source: string) => boolean): number =>
      map.sources.reduce(
        (sum, source, index) =>
          wanted(source) ? sum + Buffer.byteLength(map.sourcesContent[index] ?? "") : sum,
        0,
      );
    const isOwn = (source: string): boolean =>
      !/\.saga\.[cm]?ts$|\.bundle\.ts$|node_modules/.test(source);
    return {
      bytes: readFileSync(join(out, `${name}.js`)).length,
      own: size(isOwn),
      packages: size((source) => /node_modules|runtime\/(dist\/)?[\w-]+\.[jt]s$/.test(source)),
    };
  } finally {
    rmSync(out, { recursive: true });
  }
}

async function manyTypes(): Promise<Measured> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "steno-bench-")));
  try {
    writeProject(folder);
    return against(await bundled(folder, "many"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function stenoInBundles(): Promise<Measured> {
  const trip = await bundled(at("examples/trip"), "book-trip");
  const provision = await bundled(at("examples/provision"), "provision");
  const value = (trip.packages + provision.packages) / 1000;
  return { value, unit: "kB", target: "0 kB", ok: value === 0 };
}

/** What zod weighs in `steno-runtime`, all of it bundled and minified. */
async function zodInApp(): Promise<Measured> {
  const { metafile } = await build({
    absWorkingDir: at("."),
    entryPoints: ["runtime/dist/index.js"],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    external: ["libsql", "pg"],
    logLevel: "silent",
  });
  const [output] = Object.values(metafile.outputs);
  if (output === undefined) throw new Error("esbuild gave nothing");
  const zod = Object.entries(output.inputs)
    .filter(([file]) => file.includes("node_modules/zod/"))
    .reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  const value = zod / 1000;
  return { value, unit: "kB", limit: output.bytes / 1000, target: "<= 30 kB", ok: value <= 30 };
}

/** One saga whose actions have a type each, of fields of every kind; types hold one another. */
function writeProject(folder: string): void {
  const kinds = ["string", "number", "Date", "bigint", "string[]", "Map<string, number>"];
  const types = Array.from({ length: TYPES }, (_, index) => {
    const fields = Array.from(
      { length: FIELDS },
      (_, field) => `  field${field}${field % 4 === 0 ? "?" : ""}: ${kinds[field % kinds.length]};`,
    );
    const inner = index === 0 ? "" : `  inner: Type${Math.floor(index / 2)};\n`;
    return `export interface Type${index} {\n${fields.join("\n")}\n${inner}}\n`;
  });
  const actions = types.map(
    (_, index) => `  @action({ undo: "none" })
  async action${index}(name: string): Promise<Type${index}> {
    throw new Error(name);
  }
`,
  );
  const calls = types.map((_, index) => `    await this.action${index}(params);`);
  const options = { target: "ES2023", module: "NodeNext", types: [], strict: true, noEmit: true };
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(at("node_modules/steno-runtime"), join(folder, "node_modules/steno-runtime"));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write("package.json", '{ "type": "module" }');
  write("tsconfig.json", JSON.stringify({ compilerOptions: { ...options, skipLibCheck: true } }));
  write(
    "many.ts",
    `import { action, saga } from "steno-runtime";\n\n${types.join("\n")}\nexport class Many {\n${actions.join("\n")}
  @saga
  async many(params: string): Promise<void> {\n${calls.join("\n")}\n  }\n}\n`,
  );
}
