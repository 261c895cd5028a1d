/**
 * The client of the booking server: the dependency that is injected into the saga's class.
 * It is plain HTTP and knows nothing of sagas; retries and undoing are the saga's business.
 */
export type Kind = "payment" | "hotel" | "flight" | "car" | "summary";

export interface Booking {
  readonly id: string;
  readonly kind: Kind;
  readonly what: string;
}

/** A booking as the server lists it. */
export interface Entry extends Booking {
  readonly status: "booked" | "cancelled";
}

export class AgencyError extends Error {
  override readonly name = "AgencyError";
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export class Agency {
  constructor(private readonly url: string) {}

  /** Books; with a key that the server has seen before, answers with the booking made then. */
  async book(kind: Kind, what: string, key: string): Promise<Booking> {
    const { id } = (await this.call("POST", "/bookings", { kind, what, key })) as Entry;
    return { id, kind, what };
  }

  /** Cancels; it is fine to cancel what is cancelled. */
  async cancel(id: string): Promise<void> {
    await this.call("DELETE", `/bookings/${id}`);
  }

  /** Everything that was ever booked, in the order in which it was. */
  async list(): Promise<readonly Entry[]> {
    return (await this.call("GET", "/bookings")) as readonly Entry[];
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const request = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(new URL(path, this.url), request);
    const answer = (await response.json()) as { readonly error?: string };
    if (!response.ok) throw new AgencyError(answer.error ?? response.statusText, response.status);
    return answer;
  }
}
