/**
 * The saga: a trip is booked whole, or not at all. It says what is done, in which order, and how
 * each part is undone; it knows nothing of HTTP (that is `agency.ts`).
 */
import { action, actionContext, saga, undo } from "steno-runtime";
import type { Agency, Booking } from "./agency.js";

export interface TripParams {
  readonly card: string;
  readonly price: number;
  readonly hotel: string;
  readonly flight: string;
  readonly car: string;
}

export interface Trip {
  readonly payment: Booking;
  readonly hotel: Booking;
  readonly flight: Booking;
  readonly car: Booking;
}

export class BookTrip {
  constructor(private readonly agency: Agency) {}

  @action({ timeout: "10s" })
  async chargeCard(card: string, price: number): Promise<Booking> {
    return this.agency.book("payment", `${price} EUR, card ${card}`, key());
  }

  @undo("chargeCard")
  async refundCard(payment: Booking): Promise<void> {
    await this.agency.cancel(payment.id);
  }

  @action({ timeout: "10s" })
  async bookHotel(name: string): Promise<Booking> {
    return this.agency.book("hotel", name, key());
  }

  @undo("bookHotel")
  async cancelHotel(hotel: Booking): Promise<void> {
    await this.agency.cancel(hotel.id);
  }

  @action({ timeout: "10s" })
  async bookFlight(name: string): Promise<Booking> {
    return this.agency.book("flight", name, key());
  }

  @undo("bookFlight")
  async cancelFlight(flight: Booking): Promise<void> {
    await this.agency.cancel(flight.id);
  }

  @action({ timeout: "10s", retry: { attempts: 2, delay: "50ms" } })
  async bookCar(name: string): Promise<Booking> {
    return this.agency.book("car", name, key());
  }

  @undo("bookCar")
  async cancelCar(car: Booking): Promise<void> {
    await this.agency.cancel(car.id);
  }

  /** Nothing follows it that could fail, so nobody will ever want an e-mail back. */
  @action({ undo: "none", timeout: "10s" })
  async sendSummary(trip: Trip): Promise<void> {
    const { payment, hotel, flight, car } = trip;
    const text = [payment, hotel, flight, car].map((booking) => booking.id).join(" ");
    await this.agency.book("summary", text, key());
  }

  @saga
  async bookTrip(params: TripParams): Promise<Trip> {
    const payment = await this.chargeCard(params.card, params.price);
    const [hotel, flight, car] = await Promise.all([
      this.bookHotel(params.hotel),
      this.bookFlight(params.flight),
      this.bookCar(params.car),
    ]);
    const trip = { payment, hotel, flight, car };
    await this.sendSummary(trip);
    return trip;
  }
}

/** The same for every attempt of an action of a run: the server books once however often we ask. */
function key(): string {
  return actionContext().idempotencyKey;
}
