/** What the actions of the kit answer: pure functions of what they are given, in any world. */
import { canonical } from "./canonical.js";

/** The output of an action: the same for the same method and inputs. */
export function outputOf(method: string, inputs: readonly unknown[]): unknown {
  const seed = hash(`${method}${canonical(inputs)}`);
  switch (method) {
    case "num":
    case "slow":
    case "half":
    case "probe":
      return seed % 100;
    case "text":
      return `t${seed % 100}`;
    case "flag":
      return seed % 2 === 0;
    case "list":
      return Array.from({ length: seed % 4 }, (_, index) => (seed >> index) % 10);
    case "item":
      return {
        id: seed % 50,
        name: `n${seed % 20}`,
        sizes: Array.from({ length: seed % 3 }, (_, index) => (seed >> index) % 10),
        ...(seed % 3 === 0 && { inner: { depth: seed % 5 } }),
      };
    case "shape":
      if (seed % 3 === 0) return { kind: "none" };
      return seed % 3 === 1
        ? { kind: "circle", radius: seed % 10 }
        : { kind: "square", side: seed % 7, label: `l${seed % 5}` };
    case "date":
      return new Date(seed * 1000);
    case "stamp":
      return {
        at: new Date(seed),
        big: BigInt(seed) * 10n ** 20n,
        bytes: Uint8Array.from({ length: seed % 4 }, (_, index) => (seed >> index) % 256),
        url: new URL(`https://${seed % 7}.example/p${seed % 9}`),
        seen: new Set(Array.from({ length: seed % 3 }, (_, index) => seed % (index + 5))),
        by: new Map(seed % 2 === 0 ? [["a", new Date(seed)]] : []),
        last: seed % 3 === 0 ? undefined : seed % 8,
      };
    default:
      return undefined;
  }
}

/** What comes with an event, whose name begins with what an action is called that gives the same. */
export function payloadOf(event: string): unknown {
  return outputOf(/^[a-z]+/.exec(event)?.[0] ?? "", [event]);
}

/** The value of a tick. */
export function tickOf(key: string, value: number): number {
  return (hash(key) + value * 3 + 1) % 1000;
}

function hash(text: string): number {
  let value = 17;
  for (let index = 0; index < text.length; index++) {
    value = (value * 31 + text.charCodeAt(index)) % 1_000_003;
  }
  return value;
}
