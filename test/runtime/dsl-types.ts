/**
 * What plain `tsc` says about the decorators, as `npm run typecheck` holds it: what must be accepted
 * compiles, and what must be refused has `@ts-expect-error`, which is an error if there is none.
 */
import { action, saga, undo } from "steno-runtime";
import * as v from "valibot";
import { z } from "zod";

const Price = z.object({ amount: z.number(), at: z.string().transform((at) => new Date(at)) });
const Nights = v.pipe(v.number(), v.minValue(1));

interface Payment {
  readonly id: string;
}

export class Accepted {
  @action
  async charge(_card: string, _amount: number): Promise<Payment> {
    return { id: "1" };
  }
  @undo("charge")
  async refund(_payment: Payment, _card: string): Promise<void> {}

  @action({ retry: { attempts: 5, delay: "1 second" }, timeout: "30s" })
  async book(): Promise<string> {
    return "";
  }
  @undo("book", { when: "started", retry: { attempts: 9 } })
  async unbook(_booking: string | undefined): Promise<void> {}

  @action({ undo: "none" })
  async tell(): Promise<void> {}

  @action({ undo: "none", output: Price })
  async quote(): Promise<{ amount: number; at: Date }> {
    return JSON.parse("{}");
  }
  @action({ undo: "none", output: Nights })
  async nights(): Promise<number | undefined> {
    return 1;
  }
  @action({ undo: "none", output: Nights, timeout: "1s" })
  async untold(): Promise<unknown> {
    return 1;
  }

  @saga
  async whole(params: { readonly card: string }): Promise<Payment> {
    return this.charge(params.card, 1);
  }
  @saga({ name: "Other.name" })
  async bare(): Promise<void> {}
}

export class Refused {
  // @ts-expect-error the schema gives another type than the method returns
  @action({ undo: "none", output: Price })
  async beforeTransform(): Promise<{ amount: number; at: string }> {
    return { amount: 1, at: "" };
  }

  // @ts-expect-error it is no schema
  @action({ undo: "none", output: { parse: () => 1 } })
  async noSchema(): Promise<number> {
    return 1;
  }

  @action
  async charge(_card: string): Promise<Payment> {
    return { id: "1" };
  }

  // @ts-expect-error the undo takes what the action does not give
  @undo("charge")
  async wrongOutput(_output: { readonly receipt: number }): Promise<void> {}

  // @ts-expect-error the second parameter is not the action's input
  @undo("charge")
  async wrongInput(_output: Payment, _card: number): Promise<void> {}

  // @ts-expect-error the output may be missing
  @undo("charge", { when: "started" })
  async mayBeMissing(_output: Payment): Promise<void> {}

  // @ts-expect-error there is no such action
  @undo("chrage")
  async misspelled(_output: Payment): Promise<void> {}

  // @ts-expect-error an action is async
  @action
  notAsync(): number {
    return 1;
  }

  // @ts-expect-error an action belongs to an object
  @action
  static async ofTheClass(): Promise<void> {}

  // @ts-expect-error a saga takes its params, and nothing else
  @saga
  async twoParams(_one: string, _two: string): Promise<void> {}

  // @ts-expect-error a duration has a unit
  @action({ timeout: "soon" })
  async badTimeout(): Promise<void> {}
}
