/** Reads all sagas of a loaded project. How one class is read is in `read-class.ts`. */
import type { Lowered } from "./index.js";
import type { Project } from "./load.js";

export function lowerProject(_project: Project): Lowered {
  return { sources: [], broken: [], diagnostics: [], text: () => undefined };
}
