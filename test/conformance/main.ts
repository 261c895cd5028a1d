/**
 * `npm run conformance -- [cases.jsonl.gz]`: what steno did, compared with what happens here, line by
 * line. Exit 1 if a line differs for no stated reason, and 2 if the call is wrong.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compareAll, count, summary, type Verdict } from "./conformance.js";
import { readLines } from "./dag.js";

/** Facts of one difference that are shown: more are seldom read. */
const SHOWN = 6;

const OWN = fileURLToPath(new URL("cases.jsonl.gz", import.meta.url));

function show({ line, compared }: Verdict): void {
  console.log(`${line.id}${line.mutation === undefined ? "" : ` (${line.mutation})`} differs:`);
  for (const { aspect, steno, here } of compared.differences) {
    for (const [who, facts] of [
      ["steno", steno],
      ["here", here],
    ] as const) {
      for (const fact of facts.slice(0, SHOWN)) console.log(`  ${aspect}, ${who}: ${fact}`);
      if (facts.length > SHOWN) console.log(`  … and ${facts.length - SHOWN} more`);
    }
  }
}

async function main([file = OWN, ...more]: readonly string[]): Promise<number> {
  if (more.length > 0 || !existsSync(file)) {
    console.error(
      `conformance: give one file of cases that exists, not ${[file, ...more].join(" ")}`,
    );
    return 2;
  }
  const lines = readLines(file);
  if (lines.length === 0) {
    console.error(`conformance: ${file} holds no case`);
    return 2;
  }
  const verdicts = await compareAll(lines);
  const counted = count(verdicts);
  for (const verdict of counted.unexplained) show(verdict);
  for (const [{ name, says }, times] of counted.reasons) console.log(`${times} ${name}: ${says}`);
  if (counted.unexplained.length > 0) {
    console.log(`${counted.unexplained.length} for no stated reason`);
  }
  console.log(summary(verdicts.length, counted, lines.length));
  return counted.unexplained.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
