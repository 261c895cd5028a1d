/**
 * npm run fuzz -- [--programs=N] [--seed=S] [--failures=N] [--broken]
 * [--store=memory|sqlite|postgres]: long random runs. Exit 1 if a judge
 * complains; the program is printed, and how to have it again. The only file here that prints.
 */
import { parseArgs } from "node:util";
import { groundsOf, type StoreName, STORES } from "../oracle/grounds.js";
import { campaign, type Failure, type Summary } from "./campaign.js";

const { values } = parseArgs({
  options: {
    programs: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    /** It ends after so many. */
    failures: { type: "string", default: "3" },
    /** Only programs that were broken; else every fourth. */
    broken: { type: "boolean", default: false },
    /** What all is run on. */
    store: { type: "string", default: "memory" },
  },
});
const programs = Number(values.programs);
const seed = Number(values.seed);
const failures = Number(values.failures);
if (![programs, seed + 1, failures].every((each) => Number.isSafeInteger(each) && each > 0)) {
  console.error("fuzz: --programs, --seed and --failures take whole numbers");
  process.exit(2);
}
const store = values.store as StoreName;
if (!STORES.includes(store)) {
  console.error(`fuzz: there is no store \`${store}\`: there are ${STORES.join(", ")}`);
  process.exit(2);
}

const grounds = await groundsOf(store);
const take = grounds.take;
const kinds = values.broken ? [true] : [false, true];
let failed = false;
for (const broken of kinds) {
  // Most broken programs are refused at once: fewer of them find as much.
  const count = broken && !values.broken ? Math.ceil(programs / 3) : programs;
  let shown = 0;
  const summary = await campaign({ programs: count, seed, broken, failures, take }, (so) => {
    tell(so, broken);
    for (const failure of so.failures.slice(shown)) show(failure);
    shown = so.failures.length;
  });
  failed ||= summary.failures.length > 0;
}
await grounds.close();
process.exit(failed ? 1 : 0);

function tell(
  { programs: done, compiled, holds, endings, failures }: Summary,
  broken: boolean,
): void {
  const ends = [...endings].map(([status, count]) => `${count} ${status}`).join(", ");
  console.log(
    `${done} ${broken ? "broken programs" : "programs"}, ${compiled} compiled, ` +
      `${holds} gates, runs with faults: ${ends}; ${failures.length} failures`,
  );
}

function show({ seed: found, broken, text, complaints }: Failure): void {
  console.log(`\n${text}\n`);
  for (const { by, text: said } of complaints.slice(0, 10)) console.log(`${by}: ${said}`);
  const flag = (broken ? " --broken" : "") + (store === "memory" ? "" : ` --store=${store}`);
  console.log(`\nagain: npm run fuzz -- --programs=1 --seed=${found}${flag}\n`);
}
