/** The definitions that this process serves, and what is said of a run whose definition is not among them. */
import { StenoError } from "steno-runtime";
import type { LoadedSaga } from "steno-runtime/host";
import { type Beginning, JOURNAL, type StoredRow } from "./protocol.js";

/** How the error begins for which a run is tried again: by it the run is known in Restate's own tables. */
export const MISSING = "definition-missing";

/** Names a definition. */
type Named = Pick<StoredRow, "saga" | "hash">;

export class Definitions {
  readonly sagas: readonly LoadedSaga[];
  readonly #warn: (message: string) => void;
  /** What was said already: Restate tries again and again. */
  readonly #said = new Set<string>();

  constructor(sagas: readonly LoadedSaga[], warn: (message: string) => void) {
    this.sagas = sagas;
    this.#warn = warn;
  }

  find({ saga, hash }: Named): LoadedSaga | undefined {
    return this.sagas.find(({ manifest }) => manifest.hash === hash && manifest.name === saga);
  }

  /**
   * The definition that a run was started with.
   * @throws StenoError `definition-missing`: Restate tries again, and the run goes on where it is served
   */
  of(id: string, named: Named): LoadedSaga {
    const found = this.find(named);
    if (found !== undefined) return found;
    throw this.#waiting(MISSING, named.hash, `run \`${id}\` ${missingOf(named)}`);
  }

  /** @throws StenoError `restate-version`: Restate tries again, and the run goes on where it can be replayed */
  checkJournal(id: string, { journal }: Beginning): void {
    if (journal === JOURNAL) return;
    const message =
      `run \`${id}\` was begun by another version of steno-restate: serve it with that one at the address ` +
      "at which it began, and this one at another; the run goes on then";
    throw this.#waiting("restate-version", `journal ${journal}`, message);
  }

  /** The error of a run that waits; of the first of its kind, who serves hears, too. */
  #waiting(code: string, kind: string, message: string): StenoError {
    if (!this.#said.has(kind)) this.#warn(`${message}; so may others`);
    this.#said.add(kind);
    return new StenoError(code, `${code}: ${message}`);
  }
}

/** `where`: who does not have it. */
export function missingOf({ saga, hash }: Named, where = "here"): string {
  return (
    `was started with the definition ${hash} of \`${saga}\`, which is not in \`sagas\` ${where}: serve ` +
    "the bundle or module that it was started with there, after the newer one; the run goes on then"
  );
}
