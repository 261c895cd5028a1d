/**
 * What a saga method asks of the runtime, where the method is called as it is: a sleep is over at
 * once, an event comes when a world says so, another run is a call. It judges nothing.
 */
import * as runtime from "steno-runtime";

/** What `event()` makes. */
export class PlainEvent implements PromiseLike<unknown> {
  receive: (payload: unknown) => void = () => {};
  readonly #received = new Promise<unknown>((resolve) => (this.receive = resolve));

  then<A, B>(
    resolved?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#received.then(resolved, rejected);
  }

  within(): Promise<unknown> {
    return this.#received;
  }
}

type PlainSaga = (params: unknown) => Promise<unknown>;

function start(saga: PlainSaga, params: unknown, { id = "" } = {}): object {
  const run = saga(params);
  // Whoever does not wait for it does not notice.
  run.catch(() => {});
  const begun = Promise.resolve(id);
  return { then: begun.then.bind(begun), result: () => run };
}

/** `steno-runtime`, for classes that are not compiled. */
export const plainRuntime = {
  ...runtime,
  event: () => new PlainEvent(),
  sleep: () => Promise.resolve(),
  start,
};

/** Lets `start(this.saga, …)` call methods of an object, and of those that it has, as their own. */
export function bindSagas(object: object, sagas: ReadonlyMap<string, readonly string[]>): void {
  const own = object as Record<string, unknown>;
  for (const name of sagas.get(object.constructor.name) ?? []) {
    own[name] = (own[name] as PlainSaga).bind(object);
  }
  for (const value of Object.values(own)) {
    if (typeof value === "object" && value !== null && sagas.has(value.constructor.name)) {
      bindSagas(value, sagas);
    }
  }
}
