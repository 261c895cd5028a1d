/**
 * Messages about what an action declares beside its types: classes of errors, and a schema of its
 * output. Not about the types themselves; those are in `values.ts`.
 */
import type { Span } from "../../model.js";
import { entry } from "../diagnostic.js";
import { example } from "./example.js";

export const errorClass = entry<{ at: Span; name: string; fault: string; help: string }>(
  "error-class",
  "error",
  {
    reason:
      "`errors` of an action names the classes of errors whose own data is recorded and that come back as instances, in a `catch` of the saga and in `SagaFailedError`, also after a crash. So each is a class that extends `Error`, is exported, has properties that can be stored, and a name of its own in the saga.",
    bad: example({
      top: "class Full extends Error {\n  readonly rooms = 0;\n}",
      members: '@action({ undo: "none", errors: [Full] })\nasync clean(): Promise<void> {}',
    }),
    good: example({
      top: "export class Full extends Error {\n  readonly rooms = 0;\n}",
      members: '@action({ undo: "none", errors: [Full] })\nasync clean(): Promise<void> {}',
    }),
  },
  ({ at, name, fault, help }) => ({
    message: `the error \`${name}\` ${fault}`,
    span: at,
    help,
  }),
);

const SCHEMA = `import { z } from "zod";

export const Price = z.object({ amount: z.number().positive() });`;
const quote = (schema: string, returns: string): string =>
  `@action({ undo: "none", output: ${schema} })
async quote(name: string): Promise<${returns}> {
  const answer = await fetch(\`https://example.com/\${name}\`);
  return (await answer.json()) as ${returns};
}`;
const good = example({ top: SCHEMA, members: quote("Price", "{ amount: number }") });

export const outputSchema = entry<{ at: Span; text: string; fault: string; help: string }>(
  "output-schema",
  "error",
  {
    reason:
      "`output` of an action is a schema of your own, of any library that speaks Standard Schema (zod, valibot, arktype and others): it checks what the action outputs before that is recorded. The generated module imports it, so it has a name that is exported or imported by the source, or is a property of something that is.",
    bad: example({
      top: 'import { z } from "zod";',
      members: quote("z.object({ amount: z.number() })", "{ amount: number }"),
    }),
    good,
  },
  ({ at, text, fault, help }) => ({ message: `the schema \`${text}\` ${fault}`, span: at, help }),
);

export const outputSchemaMismatch = entry<{
  at: Span;
  name: string;
  given: string;
  returned: string;
  other: Span;
}>(
  "output-schema-mismatch",
  "error",
  {
    reason:
      "What the schema of an action gives is recorded, and is what the saga, the undo and everybody else read as the output of the action. In the source they read it with the type that the method returns, so the former must fit the latter.",
    bad: example({ top: SCHEMA, members: quote("Price", "{ amount: string }") }),
    good,
  },
  ({ at, name, given, returned, other }) => ({
    message: `the schema of \`${name}\` gives \`${given}\`, which is no \`${returned}\``,
    span: at,
    others: [{ span: other, text: "what the saga reads it as" }],
    help: `let \`${name}\` return \`Promise<${given}>\`, or mend the schema`,
  }),
);
