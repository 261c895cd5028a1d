/**
 * Compiled fixtures against their own plain methods: the same calls in the same order (where there is one),
 * and the same result or error. What is undone besides is the business of scenes.
 */
import { Coordinator, memoryStore, type SagaDefinition } from "steno-runtime";
import { expect, test } from "vitest";
import * as loopSagas from "../fixtures/saga/loops/input.saga.js";
import { type Params, Rooms } from "../fixtures/saga/loops/input.js";
import * as mapSagas from "../fixtures/saga/maps/input.saga.js";
import { Rooms as MapRooms } from "../fixtures/saga/maps/input.js";
import * as scopeSagas from "../fixtures/saga/scopes/input.saga.js";
import { Rooms as ScopeRooms } from "../fixtures/saga/scopes/input.js";

/** The fixture's class with bodies: a room's price is the length of its name, and `bad` has none. */
function faked(Class: new () => Pick<Rooms, "book" | "cancel" | "note">) {
  const calls: string[] = [];
  const rooms = new Class();
  rooms.book = async (name, nights) => {
    calls.push(`book ${name} ${nights}`);
    if (name.startsWith("bad")) throw new Error(`no room ${name}`);
    return { id: `id-${name}`, price: name.length };
  };
  rooms.cancel = async ({ id }) => void calls.push(`cancel ${id}`);
  rooms.note = async (text) => {
    calls.push(`note ${text}`);
    return text;
  };
  return { rooms, calls };
}

const bed = { size: 2 };
const room = (name: string, nights: number) => ({ name, nights, beds: [bed, { size: 1 }] });
const paramsList: readonly Params[] = [
  { name: "n", names: [], rooms: [] },
  { name: "long enough", names: ["bad", "a", "b"], rooms: [room("x", 0), room("y", 2)] },
  { name: "bad", names: ["bad", "bad2"], rooms: [room("", 3), room("z", 1), room("y", 2)] },
  { name: "bad", names: [], rooms: [room("q".repeat(101), 2), room("y", 2)] },
  { name: "m", names: ["abcdefghijkl", "b"], rooms: [room("a", 2), room("b", 2)] },
];

const groups = { loops: loopSagas, maps: mapSagas, scopes: scopeSagas };
const classes = { loops: Rooms, maps: MapRooms, scopes: ScopeRooms };
const all = Object.entries(groups).flatMap(([group, sagas]) =>
  Object.entries(sagas).map(([method, definition]) => ({
    group: group as keyof typeof groups,
    method,
    definition: definition as unknown as SagaDefinition<object, Params, unknown>,
  })),
);

test.each(all)("$group $method", async ({ group, method, definition }) => {
  for (const params of paramsList) {
    const plain = faked(classes[group]);
    const body = Reflect.get(plain.rooms, method) as (params: Params) => Promise<unknown>;
    const expected = await body.call(plain.rooms, params).catch((error: Error) => error.message);
    const compiled = faked(classes[group]);
    const coordinator = await Coordinator.open({
      store: memoryStore(),
      sagas: [definition.on(compiled.rooms)],
    });
    const run = await coordinator.start(definition, params);
    const result = await run.result().catch((error: Error) => (error.cause as Error).message);
    await coordinator.close();
    const calls = compiled.calls.filter((call) => !call.startsWith("cancel"));
    expect(result).toEqual(expected);
    // Items of a map begin side by side, with what is beside the map: the order is of no meaning.
    if (group === "maps") expect(calls.sort()).toEqual(plain.calls.sort());
    else expect(calls).toEqual(plain.calls);
  }
});
