/** Compiling many files, cold and as a whole process, against `tsc --noEmit` on the same files. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { byTurns, time, type Bench, type Measured } from "./measure.js";

export const at = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));
const run = promisify(execFile);

export const compileBenches: readonly Bench[] = [
  { name: "compile-100", run: () => compile(100, 4, 5) },
  { name: "compile-1000", run: () => compile(1000, 2, 3) },
];

async function compile(files: number, target: number, rounds: number): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), "steno-bench-"));
  try {
    generate(directory, files);
    const steno = async (): Promise<number> => {
      for (const name of readdirSync(join(directory, "src"))) {
        if (name.endsWith(".saga.ts")) rmSync(join(directory, "src", name));
      }
      return time(() => run(process.execPath, [at("compiler/dist/main.js")], { cwd: directory }));
    };
    const tsc = async (): Promise<number> =>
      time(() => run(at("node_modules/.bin/tsc"), ["--project", sources(directory)]));
    const [value, limit] = await byTurns(rounds, steno, tsc);
    const ratio = value / limit;
    return { value, unit: "ms", limit, ratio, target: `<= ${target}`, ok: ratio <= target };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The configuration for `tsc`: the same files, without what the compiler generates. */
export function sources(directory: string): string {
  return join(directory, "tsconfig.sources.json");
}

/** A project of so many sources, each with a saga. */
export function generate(directory: string, files: number): void {
  const compilerOptions = {
    target: "ES2023",
    module: "NodeNext",
    types: ["node"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  mkdirSync(join(directory, "src"));
  symlinkSync(at("node_modules"), join(directory, "node_modules"));
  const write = (name: string, content: string): void =>
    writeFileSync(join(directory, name), content);
  write("package.json", JSON.stringify({ type: "module" }));
  write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["src"] }));
  const exclude = ["src/**/*.saga.ts"];
  write("tsconfig.sources.json", JSON.stringify({ compilerOptions, include: ["src"], exclude }));
  for (let file = 0; file < files; file++) write(`src/order-${file}.ts`, source(file));
}

/** A saga as people write them: five actions with undos, two of them in parallel, some glue. */
function source(file: number): string {
  const actions = ["reserve", "charge", "pack", "label", "ship"].map(
    (name) => `
  @action({ retry: { attempts: 3 } })
  async ${name}(order: string, amount: number): Promise<Part${file}> {
    return { id: \`${name}-\${order}\`, amount, tags: ["${name}"] };
  }

  @undo("${name}")
  async undo_${name}(part: Part${file}, order: string): Promise<void> {
    this.undone.push(part.id + order);
  }
`,
  );
  return `import { action, saga, undo } from "steno-runtime";

export interface Part${file} {
  readonly id: string;
  readonly amount: number;
  readonly tags: readonly string[];
}

export interface Order${file} {
  readonly order: string;
  readonly amount: number;
}

export class Fulfil${file} {
  readonly undone: string[] = [];
${actions.join("")}
  @saga
  async fulfil${file}(params: Order${file}): Promise<{ shipped: string; total: number }> {
    const stock = await this.reserve(params.order, params.amount);
    const payment = await this.charge(stock.id, params.amount * 2);
    const [box, sticker] = await Promise.all([
      this.pack(\`\${stock.id}/\${payment.id}\`, stock.amount),
      this.label(payment.id, payment.amount + 1),
    ]);
    const weight = box.amount + sticker.amount;
    const shipment = await this.ship(box.id, weight);
    return { shipped: shipment.id, total: weight };
  }
}
`;
}
