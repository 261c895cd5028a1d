/** Messages about what the compiler writes: generated modules and bundles. Not about sources. */
import type { Span } from "../../model.js";
import { entry } from "../diagnostic.js";

export const outOfDate = entry<{ file: string; missing: boolean }>(
  "out-of-date",
  "error",
  {
    reason:
      "A generated module is committed, and imported by the program. With `--check`, which writes nothing, a module that differs from what its source gives now is an error, so that CI notices what somebody forgot to compile.",
    bad: "steno-compile --check",
    good: "steno-compile && steno-compile --check",
  },
  ({ file, missing }) => ({
    message: missing ? `${file} is missing` : `${file} is out of date`,
    help: "run steno-compile and commit what it writes",
  }),
);

export const leftOver = entry<{ file: string }>(
  "left-over",
  "error",
  {
    reason:
      "A generated module belongs to the source of the same name. When that has moved, or declares no saga any more, the module stays behind, and would go on being imported though nothing keeps it up to date. With `--check` that is an error.",
    bad: "steno-compile && rm src/book-trip.ts && steno-compile --check",
    good: "rm src/book-trip.saga.ts && steno-compile --check",
  },
  ({ file }) => ({
    message: `${file} is left over: no source of that name declares a saga`,
    help: `remove ${file}, and import what steno-compile writes beside the source`,
  }),
);

export const sourceName = entry<{ file: string; better: string }>(
  "source-name",
  "error",
  {
    reason:
      "Files whose names end in `.saga.ts` are those that the compiler writes, and are not looked at as sources. One that declares sagas itself would be passed over without a word.",
    bad: "mv src/book-trip.ts src/book-trip.saga.ts && steno-compile",
    good: "mv src/book-trip.saga.ts src/book-trip.ts && steno-compile",
  },
  ({ file, better }) => ({
    message: `${file} seems to declare sagas, and has the name of a generated module`,
    help: `rename it, to ${better} for example: steno-compile writes ${file} beside that`,
  }),
);

export const notGenerated = entry<{ file: string }>(
  "not-generated",
  "error",
  {
    reason:
      "The compiler writes its module beside the source, under the source's name with `.saga` before the ending. A file of that name which does not begin as generated modules do may be somebody's work, and is never overwritten.",
    bad: "echo 'export {}' > src/book-trip.saga.ts && steno-compile",
    good: "rm src/book-trip.saga.ts && steno-compile",
  },
  ({ file }) => ({
    message: `${file} is in the way: steno-compile did not write it`,
    help: `rename or remove ${file}`,
  }),
);

export const cannotWrite = entry<{ file: string; reason: string }>(
  "cannot-write",
  "error",
  {
    reason:
      "The compiler could not write a file that it made. It replaces files whole, so that what was there before is still there.",
    bad: "steno-compile src --bundle package.json",
    good: "steno-compile src --bundle bundle",
  },
  ({ file, reason }) => ({
    message: `${file} cannot be written`,
    notes: [reason],
    help: "check that the folder exists and may be written to, and that the disk has room",
  }),
);

export const workerMissing = entry<{ at: Span; className: string; file: string; worker: string }>(
  "worker-missing",
  "error",
  {
    reason:
      "A bundle is run by `steno run`, which needs objects of the classes that have the actions. A class that takes no arguments is made for you. One that is given its dependencies is made by a file of yours beside the source: `book-trip.worker.ts` for `book-trip.ts`. Its default export is the list of bound sagas.",
    bad: "steno-compile needs-agency.ts --bundle bundle",
    good: "steno-compile has-worker.ts --bundle bundle",
  },
  ({ at, className, file, worker }) => ({
    message: `the bundle cannot make a ${className}: its constructor needs arguments`,
    span: at,
    notes: [`a worker file looks like this:\n${worker}`],
    help: `write ${file}, with what the constructor of ${className} needs; or name the paths to bundle, without this one`,
  }),
);

export const nativeModule = entry<{ file: string; name: string }>(
  "native-module",
  "error",
  {
    reason:
      "A native module is machine code in a file of its own, made for one platform. It cannot be part of a bundle, which is one file of JavaScript. Marked as external it is loaded from `node_modules` at run time.",
    bad: "steno-compile native.ts --bundle bundle",
    good: "steno-compile native.ts --bundle bundle --external native-thing",
  },
  ({ file, name }) => ({
    message: `the native module ${file} cannot be bundled`,
    help: `add --external ${name}, and install ${name} where the bundle runs`,
  }),
);

export const bundleFailed = entry<{
  at: Span | undefined;
  text: string;
  notes: readonly string[];
}>(
  "bundle-failed",
  "error",
  {
    reason:
      "esbuild could not make the bundle, most often because an import leads nowhere. The generated modules were written; only the bundle is missing.",
    bad: "steno-compile lost.ts --bundle bundle",
    good: "steno-compile has-worker.ts --bundle bundle",
  },
  ({ at, text, notes }) => ({
    message: `esbuild: ${text}`,
    span: at,
    notes,
    help: "mend the import, install the package, or name it with --external if it is there at run time",
  }),
);
