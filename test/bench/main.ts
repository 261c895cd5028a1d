/**
 * npm run bench [-- [--json] [name…]]: runs the benchmarks whose name contains one of the words,
 * all of them if none is given. It measures what `npm run build` made, each against a limit that
 * is measured in the same run; ratios count, not absolutes. The only file here that prints.
 */
import { bulkBenches } from "./bulk.js";
import { compileBenches } from "./compile.js";
import { compileMemoryBenches } from "./compile-memory.js";
import { durableBenches } from "./durable.js";
import { fleetBenches } from "./fleet.js";
import { growthBenches } from "./growth.js";
import { latencyBenches } from "./latency.js";
import { memoryBenches } from "./memory.js";
import type { Bench, Measured } from "./measure.js";
import { processBenches } from "./process.js";
import { sizeBenches } from "./size.js";
import { watchBenches } from "./watch.js";

const benches: readonly Bench[] = [
  ...durableBenches,
  ...latencyBenches,
  ...memoryBenches,
  ...growthBenches,
  ...bulkBenches,
  ...processBenches,
  ...fleetBenches,
  ...compileBenches,
  ...compileMemoryBenches,
  ...watchBenches,
  ...sizeBenches,
];

// `tsx` turns them on, and then each error whose stack is read costs 0.3 ms: that is not what is measured.
process.setSourceMapsEnabled(false);

const args = process.argv.slice(2);
const json = args.includes("--json");
const words = args.filter((arg) => !arg.startsWith("-"));
const unknown = args.find((arg) => arg.startsWith("-") && arg !== "--json");
const chosen = benches.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);
if (unknown !== undefined || chosen.length === 0) {
  const wrong =
    unknown === undefined ? "no benchmark matches" : `there is no option \`${unknown}\``;
  console.error(`${wrong}; there are: ${benches.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

if (!json) console.log(row("benchmark", "value", "limit", "ratio", "target", ""));
for (const bench of chosen) {
  const measured = await bench.run();
  console.log(
    json ? JSON.stringify({ name: bench.name, ...measured }) : line(bench.name, measured),
  );
}

function line(name: string, { value, unit, limit, ratio, target, ok }: Measured): string {
  return row(
    name,
    `${round(value)} ${unit}`,
    limit === undefined ? "" : `${round(limit)} ${unit}`,
    ratio === undefined ? "" : `${round(ratio)}`,
    target ?? "",
    ok === undefined ? "" : ok ? "ok" : "MISSED",
  );
}

function row(name: string, ...cells: string[]): string {
  return name.padEnd(22) + cells.map((cell) => cell.padStart(18)).join("");
}

/** Three digits that count. */
function round(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : `${Number(value.toPrecision(3))}`;
}
