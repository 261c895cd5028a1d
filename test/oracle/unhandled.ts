/**
 * Runs something while rejections that nobody handles are let pass. The plain method of a saga has
 * them when a failure overtakes an `await`: in plain code that is a crash, and the oracles want to
 * know what ran before it.
 */
export async function lettingRejectionsPass<T>(run: () => Promise<T>): Promise<T> {
  const listeners = process.listeners("unhandledRejection");
  const ignore = (): void => {};
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", ignore);
  try {
    return await run();
  } finally {
    // Node tells of them after the turn in which they happened.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", ignore);
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
}
