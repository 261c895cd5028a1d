/**
 * The order in which test files are run: those that take longest come first, so that at the end no core
 * has to wait for one that has just begun. Vitest knows by itself only what it has run here before.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes more than some ten seconds, the longest first; what waits beside what computes. */
const SLOWEST: readonly string[] = [
  "package/readme",
  "fuzz/many",
  "hosts/hosts",
  "fuzz/many-more",
  "stores/fleet",
  "compiler/cli",
  "stores/fleet-crash",
  "fuzz/fuzz",
  "restate/crash",
  "package/guide",
  "compiler/catalogue",
  "examples/crash",
  "checks",
  "restate/docs",
  "compiler/shares",
  "cli/operate",
  "simulate/simulate",
  "cli/look",
  "oracle/oracle",
  "examples/demo",
  "compiler/modules",
  "compiler/bundle",
  "compiler/one-cause",
  "stores/postgres",
  "compiler/incremental",
  "cli/stuck",
  "runtime/verify",
  "stores/lost-notices",
  "restate/restate",
  "fuzz/sabotage",
  "kills/kills",
  "bench/bench",
  "compiler/names",
  "cli/debugging",
  "examples/verify",
  "restate/kills",
  "conformance/conformance",
  "values/types",
];

function place({ moduleId }: TestSpecification): number {
  const found = SLOWEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return found < 0 ? SLOWEST.length : found;
}

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
