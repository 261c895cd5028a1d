/** How a command that waits ends on SIGINT and SIGTERM: by itself, with what it holds closed. */

/** Tells the work to stop when the process is asked to end; its exit code is then that of shells. */
export async function untilSignal(
  exit: (code: number) => void,
  work: (stopped: AbortSignal) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController();
  const onSignal = (signal: "SIGINT" | "SIGTERM"): void => {
    exit(codeOfSignal(signal));
    stopping.abort();
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    await work(stopping.signal);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** As shells do: 128 and the number of the signal. */
export function codeOfSignal(signal: "SIGINT" | "SIGTERM"): number {
  return signal === "SIGINT" ? 130 : 143;
}
