/**
 * Which runs a coordinator goes on with among several (`runtime/fleet/claims.ts`), with a database
 * whose answers come when the test lets them.
 */
import { expect, test } from "vitest";
import { ActiveRun } from "../../runtime/execution/active-run.js";
import type { LoadedSaga } from "../../runtime/execution/loaded-saga.js";
import { Claims, type ClaimsOptions } from "../../runtime/fleet/claims.js";
import type { ClaimedRun } from "../../runtime/stores/store.js";
import { sampleRun } from "../stores/sample.js";

/** A promise that the test resolves. */
class Answer<T> {
  resolve!: (value: T) => void;
  readonly promise = new Promise<T>((resolve) => (this.resolve = resolve));
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A coordinator that takes runs of one store, and what happens there. */
function coordinator(takeovers = 0) {
  const claimed: ClaimedRun = { row: sampleRun("r", { wakeAt: 0 }), events: [], takeovers };
  const active = new Map<string, ActiveRun>();
  const happened: string[] = [];
  const batches: Answer<readonly ClaimedRun[]>[] = [];
  const singles: Answer<ClaimedRun | "elsewhere" | undefined>[] = [];
  const commit = new Answer<void>();
  const ask = <T>(answers: Answer<T>[]): Promise<T> => {
    const answer = new Answer<T>();
    answers.push(answer);
    return answer.promise;
  };
  const options = {
    fleet: { claim: () => ask(batches), claimRun: () => ask(singles), tellDue: () => undefined },
    executor: {
      clock: { now: () => 0, setTimer: () => () => undefined },
      write: ({ kind }: { readonly kind: string }) => happened.push(kind),
      durable: () => commit.promise,
    },
    restorer: {
      restore: async () => new ActiveRun({} as LoadedSaga, claimed.row, { frames: [] } as never, 0),
    },
    crashLimit: 3,
    room: () => Promise.resolve(),
    free: () => 9,
    onError: (error: unknown) => happened.push(String(error)),
    active: (id: string) => active.get(id),
    goOn: (run: ActiveRun) => {
      active.set(run.id, run);
      happened.push("goes on");
    },
    leaveAlone: () => happened.push("is left alone"),
  };
  const claims = new Claims(options as unknown as ClaimsOptions);
  /** It only waits: it leaves memory, and others may have it as soon as that is committed. */
  const leave = (): void => {
    active.delete("r");
    claims.gone({ id: "r", refused: false });
    claims.release("r");
  };
  return { claims, claimed, happened, batches, singles, commit, leave, active };
}

test("a run that was here and has left since it was looked for is not gone on with by what was read of it", async () => {
  const { claims, claimed, happened, batches, singles, commit, leave } = coordinator();
  const looking = claims.claiming.start();
  const brought = claims.bring("r");
  await turn();
  singles[0]?.resolve(claimed);
  await brought;
  leave();
  // It was taken before it was released.
  batches[0]?.resolve([claimed]);
  await turn();
  expect(happened).toEqual(["goes on", "release"]);
  expect(singles).toHaveLength(1);
  commit.resolve();
  await turn();
  // Only now it is known whether it is this coordinator's.
  singles[1]?.resolve(claimed);
  await looking;
  expect(happened).toEqual(["goes on", "release", "goes on"]);
});

test("nor one that was asked for by itself, or that has left or ended while its log was read", async () => {
  const { claims, claimed, happened, singles, commit, leave, active } = coordinator();
  const [first, second] = [claims.bring("r"), claims.bring("r")];
  await turn();
  singles[0]?.resolve(claimed);
  await first;
  leave();
  singles[1]?.resolve(claimed);
  commit.resolve();
  await turn();
  singles[2]?.resolve("elsewhere");
  expect(await second).toBe("elsewhere");
  expect(happened).toEqual(["goes on", "release"]);

  const third = claims.bring("r");
  await turn();
  singles[3]?.resolve(claimed);
  // It has been asked for; another look was faster, and the run came to its end.
  active.delete("r");
  claims.gone({ id: "r", refused: false });
  await turn();
  singles[4]?.resolve(undefined);
  expect(await third).toBe(undefined);
  expect(happened).toEqual(["goes on", "release"]);
});

test("nor one that waited as a suspect", async () => {
  const { claims, claimed, happened, singles } = coordinator(2);
  const brought = claims.bring("r");
  await turn();
  singles[0]?.resolve(claimed);
  await brought;
  expect(claims.areWaiting).toBe(true);
  claims.gone({ id: "r", refused: false });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(claims.areWaiting).toBe(false);
  expect(happened).toEqual([]);
});

test("but one that waited does go on when a new run of its id was refused", async () => {
  const { claims, claimed, happened, singles } = coordinator(2);
  const brought = claims.bring("r");
  await turn();
  singles[0]?.resolve(claimed);
  await brought;
  claims.gone({ id: "r", refused: true });
  await expect.poll(() => happened).toEqual(["goes on"]);
});
