/**
 * Restate's SDK uses `Promise.withResolvers`, which Node has from version 22 on. Imported before the
 * SDK, this gives it to an older one; where it is there, nothing is done.
 */
interface Resolvers {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

if (!("withResolvers" in Promise)) {
  const value = (): Resolvers => {
    let resolve: Resolvers["resolve"] = () => {};
    let reject: Resolvers["reject"] = () => {};
    const promise = new Promise((onResolved, onRejected) => {
      resolve = onResolved;
      reject = onRejected;
    });
    return { promise, resolve, reject };
  };
  Object.defineProperty(Promise, "withResolvers", { value, writable: true, configurable: true });
}

export {};
