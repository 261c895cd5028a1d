/** What the command line says when a call or its set-up is wrong, and the exit codes it ends with. */

/** The exit codes of `steno`. */
export const EXIT = { fine: 0, failed: 1, usage: 2, stuck: 3 } as const;

/** The call or the set-up is wrong. The message says what to do. */
export class Problem extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Code and message of an error that is meant for the user; `undefined` for any other. */
export function problemOf(
  error: unknown,
): { readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, name } = error as Error & { readonly code?: unknown };
  // Errors of the runtime are known by code and name: the bundle may bring a copy of its own.
  const known = error instanceof Problem || /^(Steno|Store|Saga)\w*Error$/.test(name);
  return known && typeof code === "string" ? { code, message: error.message } : undefined;
}
