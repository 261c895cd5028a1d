/**
 * Replaces a region of a volume by a new one, as a sequence of polls: until the new one is in place,
 * and until what it has to copy is copied. Each poll is a loop over its attempts, which sleeps.
 */
import { saga, sleep } from "steno-runtime";
import { Operations } from "./cloud.js";

export interface ReplaceParams {
  readonly region: string;
  readonly name: string;
  /** In milliseconds. */
  readonly pause: number;
  readonly attempts: number;
}

export class ReplaceRegion extends Operations {
  /** Whether the thing comes to a state before the attempts are used up. */
  @saga
  async comesTo(params: {
    readonly id: string;
    readonly state: string;
    readonly pause: number;
    readonly attempts: readonly number[];
  }): Promise<boolean> {
    for (const attempt of params.attempts) {
      const thing = await this.read(params.id);
      if (thing.state === params.state) return true;
      if (thing.state === "broken") throw new Error(`${thing.id} broke in attempt ${attempt}`);
      await sleep(params.pause);
    }
    return false;
  }

  @saga
  async replaceRegion(params: ReplaceParams): Promise<string> {
    const { pause } = params;
    const attempts = Array.from({ length: params.attempts }, (_, index) => index + 1);
    const old = await this.read(params.region);
    const region = await this.create("region", params.name, old.of);
    const placed = await this.comesTo({ id: region.id, state: "ready", pause, attempts });
    if (!placed) throw new Error(`${region.id} is not ready`);
    const swapped = await this.change(old.id, { of: "nobody", state: "replaced" });
    await this.change(region.id, { state: `copying ${swapped.id}` });
    const copied = await this.comesTo({ id: region.id, state: "copied", pause, attempts });
    if (!copied) throw new Error(`${region.id} copies for too long`);
    await this.remove(old.id);
    return region.id;
  }
}
