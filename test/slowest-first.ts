/**
 * The order in which test files are run: those that take longest come first, so that at the end no core
 * has to wait for one that has just begun. Vitest knows by itself only what it has run here before.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes more than some ten seconds, the longest first. */
const SLOWEST: readonly string[] = [
  "package/readme",
  "simulate/simulate",
  "fuzz/many",
  "fuzz/many-more",
  "compiler/cli",
  "fuzz/fuzz",
  "hosts/hosts",
  "checks",
  "package/guide",
  "compiler/catalogue",
  "restate/crash",
  "compiler/shares",
  "stores/fleet-crash",
  "cli/operate",
  "stores/fleet",
  "examples/crash",
  "compiler/bundle",
  "examples/demo",
  "cli/look",
  "restate/docs",
  "cli/stuck",
  "oracle/oracle",
  "compiler/modules",
  "compiler/incremental",
  "compiler/names",
  "simulate/sabotage",
  "compiler/one-cause",
  "restate/restate",
  "values/types",
  "bench/bench",
  "cli/debugging",
  "examples/verify",
  "fuzz/sabotage",
  "runtime/verify",
  "kills/kills",
  "conformance/conformance",
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
