/** Messages about points of no return: what must not fail when one is passed. */
import type { Span } from "../../model.js";
import { entry } from "../diagnostic.js";
import { example } from "./example.js";

interface FailsAtPivot {
  readonly at: Span;
  /** `the action \`ship\``. */
  readonly what: string;
  readonly kind: "action" | "throw" | "event";
  readonly name: string;
  readonly pivot: string;
  /** ` for another item`, or nothing. */
  readonly when: string;
  readonly other: Span;
}

const PAY = `@action({ pivot: true })
async pay(price: number): Promise<void> {}
`;
const tell = (options: string): string => `${PAY}
@action({ undo: "none", ${options} })
async tell(name: string): Promise<void> {}`;

const AFTER = `const room = await this.book(params.name);
await this.pay(room.price);
await this.tell(room.id);`;
const BESIDE = `const room = await this.book(params.name);
await Promise.all([this.pay(room.price), this.tell(room.id)]);`;

const REASON =
  "A pivot is a point of no return: it is never undone. So nothing that would undo it may fail for good once it has succeeded, or may have: neither what follows it, nor what runs beside it, nor it itself for a further item of a list. What is retried for ever or pauses on failure does not fail for good; what fails in a `try` that begins behind the pivot undoes that `try` only.";

export const failsAfterPivot = entry<FailsAtPivot>(
  "fails-after-pivot",
  "error",
  {
    reason: `${REASON} A computed value that throws behind a pivot, and a run that was started there and fails, wait for an operator without being told to.`,
    bad: example({ members: tell("retry: { attempts: 5 }"), body: AFTER }),
    good: example({ members: tell('retry: { attempts: "forever" }'), body: AFTER }),
  },
  ({ at, what, kind, name, pivot, when, other }) => ({
    message: `${what} may fail when the pivot \`${pivot}\` has succeeded${when}, which cannot be undone`,
    span: at,
    others: [{ span: other, text: "the point of no return" }],
    help: helpFor(kind, name, pivot),
  }),
);

export const failsBesidePivot = entry<FailsAtPivot>(
  "fails-beside-pivot",
  "error",
  {
    reason: REASON,
    bad: example({ members: tell("retry: { attempts: 5 }"), body: BESIDE }),
    good: example({ members: tell('onFailure: "pause"'), body: BESIDE }),
  },
  ({ at, what, kind, name, pivot, when, other }) => ({
    message: `${what} may fail while the pivot \`${pivot}\` runs or when it has succeeded${when}, which cannot be undone`,
    span: at,
    others: [{ span: other, text: "the point of no return" }],
    help: helpFor(kind, name, pivot),
  }),
);

function helpFor(kind: FailsAtPivot["kind"], name: string, pivot: string): string {
  if (kind === "throw") {
    return `throw before \`${pivot}\` is called, or inside a \`try\` that begins behind it`;
  }
  if (kind === "event") {
    return `wait without a limit, or catch it in a \`try\` that begins behind \`${pivot}\``;
  }
  return (
    `say of \`${name}\` how it goes on: retry: { attempts: "forever" } or onFailure: "pause"; ` +
    `or call it before \`${pivot}\`, or inside a \`try\` that begins behind it`
  );
}
