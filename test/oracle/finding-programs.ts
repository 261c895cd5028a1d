/** Programs written by hand in which a variable is set in a loop that is left, or has a value before. */
import { programOf } from "./programs.js";

export const findingPrograms: Readonly<Record<string, string>> = {
  // What a loop finds is set where it is left; of several ways to leave it, each sets what it sets.
  findFirst: programOf(
    `let found: number | undefined;
let how = "none";
for (const [i, x] of params.nums.entries()) {
  const r = await this.num(\`t\${i}\`, x);
  if (r > 70) {
    found = r;
    how = "big";
    break;
  }
  if (r > 40) {
    how = "some";
    break;
  }
  if (r > 30) break;
  await this.note(\`no\${i}\`);
}
await this.note("end", found ?? -1, how);
return [found ?? 0];`,
    "number[]",
  ),
  findFirstTried: programOf(
    `let got: number | null = null;
for (const x of params.nums) {
  try {
    got = await this.num(\`t\${x}\`, x);
    break;
  } catch (e) {
    await this.note(\`c\${x}\`, (e as Error).message);
    if (x === 1) {
      got = -1;
      break;
    }
  }
}
await this.note("end", got ?? -2);
return got === null ? [] : [got];`,
    "number[]",
  ),
  findFirstNested: programOf(
    `let found: { x: number; y: number } | undefined;
for (const [i, x] of params.nums.entries()) {
  for (const [j, y] of params.nums.entries()) {
    const seen = await this.num(\`s\${i}.\${j}\`, x * y);
    if (seen % 3 === 1 && (await this.flag(\`f\${i}.\${j}\`, seen))) {
      found = { x, y };
      break;
    }
  }
  if (found) break;
  await this.note(\`next\${i}\`);
}
if (!found) return [];
await this.note("end", found.x);
return [found.x, found.y];`,
    "number[]",
  ),
  findFirstTest: programOf(
    `let item: Item | undefined;
for (const x of params.nums) {
  const seen = await this.item(\`t\${x}\`, x);
  item = seen.id > 2 ? seen : undefined;
  if (item !== undefined) break;
}
let size = item?.id ?? 0;
if (params.on) size = await this.num("on", size);
let mode = "fast";
try {
  mode = await this.text("mode", mode);
} catch {
  await this.note("slow");
}
if (mode === "slow") await this.note("never");
return [size];`,
    "number[]",
  ),
};
