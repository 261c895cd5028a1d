/** Messages about the project as a whole: tsconfig, paths, TypeScript's own errors. Set-up, not sagas. */
import type { Span } from "../../model.js";
import { entry } from "../diagnostic.js";

const goodTrip = `import { action, saga } from "steno-runtime";

export class Greeting {
  @action({ undo: "none" })
  async greet(name: string): Promise<void> {
    console.log("hello", name);
  }

  @saga
  async greetAll(params: { name: string }): Promise<void> {
    await this.greet(params.name);
  }
}
`;

export const projectNotFound = entry<{ wanted: string }>(
  "project-not-found",
  "error",
  {
    reason:
      "The compiler works on a TypeScript project: it asks the checker what each name and type is, so it needs the compiler options and the files that a tsconfig.json lists. It takes the one that `--project` names, else the nearest one from the current folder upwards.",
    bad: "steno-compile --project no-such-folder",
    good: "steno-compile --project tsconfig.json",
  },
  ({ wanted }) => ({
    message: `there is no ${wanted}`,
    help: "run it in a folder that has a tsconfig.json, or name one with --project",
  }),
);

export const projectBroken = entry<{ file: string; errors: readonly string[] }>(
  "project-broken",
  "error",
  {
    reason:
      "TypeScript could not read the tsconfig.json, so that nobody can say which files and options it means. Nothing is compiled on a guess.",
    bad: "steno-compile --project broken.json",
    good: "steno-compile --project tsconfig.json",
  },
  ({ file, errors }) => ({
    message: `${file} cannot be read`,
    notes: errors,
    help: `mend ${file}; \`tsc -p ${file} --showConfig\` tells the same`,
  }),
);

export const pathNotFound = entry<{ path: string }>(
  "path-not-found",
  "error",
  {
    reason:
      "A path on the command line limits the compile to a file or a folder. One that does not exist is a misspelling more often than not, and passing over it would leave a saga uncompiled without a word.",
    bad: "steno-compile src/no-such-file.ts",
    good: "steno-compile src/book-trip.ts",
  },
  ({ path }) => ({
    message: `there is no file or folder ${path}`,
    help: "name a TypeScript source or a folder, relative to the current folder",
  }),
);

export const noSaga = entry<{ where: string }>(
  "no-saga",
  "error",
  {
    reason:
      "A compile that finds no saga is nearly always a wrong folder or a tsconfig.json that leaves the sources out; a build that succeeded on nothing would hide it. A saga is a method with `@saga` from steno-runtime in a class that is not abstract.",
    bad: `export class Greeting {
  async greet(name: string): Promise<void> {
    console.log("hello", name);
  }
}
`,
    good: goodTrip,
  },
  ({ where }) => ({
    message: `there is no @saga method in ${where}`,
    help: "import { saga } from steno-runtime and decorate a method with it; or name the right folder or --project",
  }),
);

export const experimentalDecorators = entry<{ file: string }>(
  "experimental-decorators",
  "error",
  {
    reason:
      "With `experimentalDecorators` TypeScript checks and calls decorators by the rules of an old proposal. Steno's decorators are standard ones: under the old rules the editor would not check that an undo fits its action.",
    bad: "steno-compile --project legacy/tsconfig.json",
    good: "steno-compile --project tsconfig.json",
  },
  ({ file }) => ({
    message: `${file} sets experimentalDecorators`,
    help: "remove it; if other code of the project needs it, give the sagas a tsconfig.json of their own without it and name that with --project",
  }),
);

export const notStrict = entry<{ file: string }>(
  "not-strict",
  "error",
  {
    reason:
      "Without `strictNullChecks` the checker does not know what can be undefined, and so neither which expressions can throw nor whether an undo fits its action. The generated modules are strict, too.",
    bad: "steno-compile --project loose/tsconfig.json",
    good: "steno-compile --project tsconfig.json",
  },
  ({ file }) => ({
    message: `${file} does not set strict, or at least strictNullChecks`,
    help: 'add `"strict": true` to its compilerOptions',
  }),
);

export const typescript = entry<{
  at: Span;
  text: string;
  number: number;
  notes: readonly string[];
}>(
  "typescript",
  "error",
  {
    reason:
      "TypeScript itself found an error in a source that declares a saga. What the compiler emits rests on the types being right, so a source with such errors yields nothing.",
    bad: `import { action, saga } from "steno-runtime";

export class Greeting {
  @action({ undo: "none" })
  async greet(name: string): Promise<void> {
    console.log("hello", name);
  }

  @saga
  async greetAll(params: { name: string }): Promise<void> {
    await this.greet(params.nam);
  }
}
`,
    good: goodTrip,
  },
  ({ at, text, number, notes }) => ({
    message: text,
    span: at,
    label: `TypeScript's error TS${number}`,
    notes,
    help: "mend it; `tsc --noEmit` shows the same",
  }),
);

export const internal = entry<{ at: Span | undefined; what: string; trace: string }>(
  "internal",
  "error",
  {
    reason:
      "The compiler met a state that it should never be in. That is a fault of steno-compiler, not of your program. Nothing was emitted for the saga concerned; the others were compiled.",
    bad: "",
    good: "",
  },
  ({ at, what, trace }) => ({
    message: `the compiler failed at ${what}`,
    span: at,
    notes: [trace],
    help: "report it with this output and the source of the saga, if you can; writing the statement in another way may avoid it",
  }),
);
