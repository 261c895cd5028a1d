/** What the actions of the kit answer: pure functions of what they are given, in any world. */

/** The output of an action: the same for the same method and inputs. */
export function outputOf(method: string, inputs: readonly unknown[]): unknown {
  const seed = hash(`${method}${JSON.stringify(inputs)}`);
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
    default:
      return undefined;
  }
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
