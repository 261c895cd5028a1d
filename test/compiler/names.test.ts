/**
 * What variables of a saga method may be called: a node of each kind takes each name that means
 * something elsewhere, in objects, in the language, in a generated module. All must compile and type-check.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch } from "../oracle/compile.js";

const NAMES = [
  ...Object.getOwnPropertyNames(Object.prototype),
  // What is a word of the language in some places only.
  ..."as async constructor from get is keyof of set type".split(" "),
  // What a generated module declares, imports, or reads.
  ..."self self2 values _values nodes output item index error errors graph handler".split(" "),
  ..."inputs compute decide items key duration instance schemas actions manifest main".split(" "),
  ..."mainGraph MainValues MainNodes innerGraph InnerValues InnerNodes computeMain z".split(" "),
  ..."defineSaga SagaDefinition Output Item Duration notReached Program Kit Inner".split(" "),
  // What is global.
  ..."Array Awaited Date Error Infinity Math NaN Number Object Parameters".split(" "),
  ..."Promise ReturnType String JSON globalThis exports name".split(" "),
  ..."length prototype call".split(" "),
  // Spelled oddly.
  ...["$", "_", "__", "名", "a$b"],
];

const program = (
  name: string,
): string => `import { event, saga, sleep, start } from "steno-runtime";
import { Kit, twice } from "./kit.js";
export interface Params { n: number; on: boolean; nums: number[] }
export class Program extends Kit {
  readonly approval = event<{ by: string }>();
  @saga async inner(params: Params): Promise<string> {
    const ${name} = sleep("2s");
    await ${name};
    return "done";
  }
  @saga async asAction(params: Params): Promise<number[]> {
    const ${name} = await this.num("k", params.n);
    if (${name} > 3) await this.note("a", ${name});
    return [${name}].map((each) => each);
  }
  @saga async asObject(params: Params): Promise<number> {
    const ${name} = await this.item("k", params.n);
    const { id } = ${name};
    return id;
  }
  @saga async asCompute(params: Params): Promise<{ ${name}: number }> {
    const ${name} = twice(params.n);
    await this.num("k", ${name});
    return { ${name} };
  }
  @saga async asGlue(params: Params): Promise<{ ${name}: number }> {
    const ${name} = params.n + 1;
    await this.num("k", ${name});
    return { ${name} };
  }
  @saga async asChoice(params: Params): Promise<number> {
    let ${name}: number;
    if (params.on) ${name} = await this.num("k", 1);
    else ${name} = twice(2);
    return ${name};
  }
  @saga async asDecision(params: Params): Promise<number> {
    const ${name} = await this.flag("k", params.n);
    if (${name}) await this.note("a");
    if (!${name}) await this.note("b");
    return 1;
  }
  @saga async asEvent(params: Params): Promise<string> {
    const ${name} = await this.approval;
    return ${name}.by;
  }
  @saga async asRun(params: Params): Promise<string> {
    const ${name} = await start(this.inner, params).result();
    return ${name};
  }
  @saga async asSubsaga(params: Params): Promise<string> {
    const ${name} = await this.inner(params);
    return ${name};
  }
  @saga async asItem(params: Params): Promise<number> {
    for (const ${name} of params.nums) await this.note("a", ${name}, twice(${name}));
    return 1;
  }
  @saga async asPart({ nums: [${name} = 7] }: Params): Promise<number> {
    await this.num("k", ${name});
    return ${name};
  }
  @saga async asError(params: Params): Promise<string> {
    try {
      await this.num("k", 1);
    } catch (${name}) {
      await this.text("a", (${name} as { message: string }).message);
    }
    return "x";
  }
}
`;

let batch: Batch;
beforeAll(() => {
  batch = new Batch(NAMES.map(program));
}, 120_000);
afterAll(() => batch.close());

test("every name is a name for what a node comes to", () => {
  const said = batch.results.flatMap(({ diagnostics, generated }, index) => {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    const found = errors.map(({ code, message }) => `${code}: ${message}`);
    const all = found.length === 0 && generated === undefined ? ["no module"] : found;
    return all.map((text) => `${NAMES[index]}: ${text}`);
  });
  expect(said).toEqual([]);
});

test("what is generated type-checks", () => {
  const name = (line: string): string =>
    line.replace(/^p(\d+)/, (_, index: string) => NAMES[Number(index)] ?? "");
  expect(batch.typeErrors().map(name)).toEqual([]);
}, 120_000);
