/**
 * Calls of the workflow through Restate's ingress, and what the errors of that mean. What cannot be
 * reached now is tried again: a call that changes something carries a key, so that it does so once.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { StenoError } from "steno-runtime";
import type {
  Answer,
  Command,
  Missing,
  ReadAnswer,
  ReadQuery,
  RestQuery,
  RowAnswer,
  RowQuery,
  Start,
} from "./protocol.js";

export interface IngressOptions {
  /** Where Restate takes calls: `http://127.0.0.1:8080`. */
  readonly ingress: string;
  /** The workflow's name: `steno` unless told. */
  readonly service: string;
  /** Sent with each call. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long a call is tried again when Restate cannot be reached, in milliseconds. */
  readonly patienceMs: number;
}

/** How long is waited for a run that was accepted and has not begun. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;
/** What Restate says of the output of a workflow that is under way. */
const NO_OUTPUT_YET = 470;
/** How long an answer with long values may take: Restate keeps it first, some megabytes a second when it is busy. */
const LONG_MS = 60_000;

interface How {
  /** Under one key a call is done once. */
  readonly key?: string | undefined;
  /** The answer may take so long, in milliseconds, when all is well. */
  readonly atMost?: number | undefined;
}

export class Ingress {
  readonly #options: IngressOptions;

  constructor(options: IngressOptions) {
    this.#options = options;
  }

  /** Starts a run; whether it is new. */
  async start(id: string, start: Start): Promise<boolean> {
    const answer = await this.#call(id, "run/send", start);
    return (answer as { readonly status: string }).status === "Accepted";
  }

  /** `undefined`: there is no such run. */
  row(id: string, query: RowQuery): Promise<RowAnswer | undefined> {
    const isLong = query.params === true || query.output === true;
    return this.#known<RowAnswer>(id, "row", query, isLong ? { atMost: LONG_MS } : {});
  }

  /** `undefined`: there is no such run. */
  async read(id: string, query: ReadQuery): Promise<ReadAnswer | undefined> {
    const how = query.brief === true ? {} : { atMost: LONG_MS };
    const answer = await this.#known<ReadAnswer>(id, "read", query, how);
    return answer?.all === true ? this.#known<ReadAnswer>(id, "readAll", query, how) : answer;
  }

  /** While nobody serves the sagas, the run goes nowhere: then it is as if it did not rest yet. */
  async rest(id: string, query: RestQuery): Promise<{ readonly rests: boolean } | undefined> {
    try {
      return await this.#known(id, "rest", query, { atMost: query.atMost });
    } catch (error) {
      if ((error as Partial<StenoError>).code === "restate-no-answer") return { rests: false };
      throw error;
    }
  }

  /** Gives a command to the run, once. */
  tell(id: string, command: Command): Promise<Answer | undefined> {
    return this.#known<Answer>(id, "tell", command, { key: randomUUID() });
  }

  definition(id: string): Promise<unknown> {
    return this.#call(id, "definition", null);
  }

  /** Asks a run, also one that was accepted and is only about to begin. */
  async #known<T extends object>(
    id: string,
    handler: string,
    body: unknown,
    { key, atMost }: How = {},
  ): Promise<T | undefined> {
    const until = Date.now() + this.#options.patienceMs;
    for (let turn = 0; ; turn++) {
      // With another key each time: what was answered under one is answered again.
      const how = { atMost, key: key && `${key}-${turn}` };
      const answer = (await this.#call(id, handler, body, how)) as T | Missing;
      if (!("missing" in answer)) return answer;
      if (!(await this.#isAccepted(id))) return undefined;
      if (Date.now() > until) {
        throw new StenoError(
          "run-not-begun",
          `Restate has accepted run \`${id}\`, and nobody has begun it: see the invocation in Restate; ` +
            "is an endpoint that has its definition registered, and does it run?",
        );
      }
      await pause(turn);
    }
  }

  async #isAccepted(id: string): Promise<boolean> {
    const { service } = this.#options;
    const path = `restate/workflow/${service}/${encodeURIComponent(id)}/output`;
    const { status, text } = await this.#fetch("GET", path, undefined);
    if (status === 404) return false;
    if (status < 300 || status === NO_OUTPUT_YET) return true;
    throw new StenoError(
      "restate-refused",
      `run \`${id}\` has ended before it began: Restate has of it ${status}: ${text.slice(0, 500)}; nothing of it ` +
        "was done; use another id, or purge the invocation in Restate",
    );
  }

  async #call(id: string, handler: string, body: unknown, how?: How): Promise<unknown> {
    const path = `${this.#options.service}/${encodeURIComponent(id)}/${handler}`;
    const { status, text } = await this.#fetch("POST", path, JSON.stringify(body), how);
    if (status < 300) return JSON.parse(text) as unknown;
    throw refused(status, text, this.#options.service);
  }

  async #fetch(
    method: string,
    path: string,
    body: string | undefined,
    { key, atMost = 0 }: How = {},
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { ingress, headers, patienceMs } = this.#options;
    const until = Date.now() + patienceMs;
    for (let turn = 0; ; turn++) {
      const signal = AbortSignal.timeout(atMost + patienceMs);
      try {
        const response = await fetch(`${ingress.replace(/\/$/, "")}/${path}`, {
          method,
          headers: {
            ...(body !== undefined && { "content-type": "application/json" }),
            ...(key !== undefined && { "idempotency-key": key }),
            ...headers,
          },
          ...(body !== undefined && { body }),
          signal,
        });
        const text = await response.text();
        if (response.status !== 503 || Date.now() > until) return { status: response.status, text };
      } catch (error) {
        if (signal.aborted) throw unanswered(atMost + patienceMs);
        if (Date.now() > until) throw unreachable(ingress, error);
      }
      await pause(turn);
    }
  }
}

function pause(turn: number): Promise<void> {
  return sleep(Math.min(FIRST_PAUSE_MS * 2 ** turn, LONGEST_PAUSE_MS));
}

function unanswered(ms: number): StenoError {
  return new StenoError(
    "restate-no-answer",
    `Restate has not answered for ${ms / 1000} s: does a process serve the sagas, at an address that is ` +
      "registered with it? Runs are safe, and go on when they are served; what was asked of one may be done yet",
  );
}

function unreachable(ingress: string, error: unknown): StenoError {
  const cause = (error as { readonly cause?: unknown }).cause ?? error;
  return new StenoError(
    "restate-unreachable",
    `Restate does not answer at ${ingress} (${String(cause)}): is it running, and is this its ingress?`,
    { cause: error },
  );
}

function refused(status: number, text: string, service: string): StenoError {
  if (status === 404 && /not found/i.test(text) && /service/i.test(text)) {
    return new StenoError(
      "restate-service-missing",
      `Restate does not know the workflow \`${service}\`: register the address at which its sagas are served`,
    );
  }
  return new StenoError(
    "restate-refused",
    `Restate answered with ${status}: ${text.slice(0, 500)}`,
  );
}
