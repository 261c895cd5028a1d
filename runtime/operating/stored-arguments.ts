/**
 * The arguments of commands for a host elsewhere: values are as they are stored there, which only the
 * definition of the run says. What a command means is in `control.ts`.
 */
import { ActiveRun } from "../execution/active-run.js";
import type { LoadedSaga } from "../execution/loaded-saga.js";
import { type CommandArguments, eventOf, payloadCodec } from "../control.js";
import { foldLog } from "../reading/history.js";
import type { RunRow, StoreReader } from "../stores/store.js";
import { type Given, storedText } from "./given.js";

/**
 * Arguments whose values are as they are stored; of a run whose definition is not here, values are JSON.
 * @throws StenoError `no-such-event`, `payload-invalid`, and of `settle` all that it is refused for
 */
export async function storedArguments(
  reader: Pick<StoreReader, "events">,
  row: RunRow | undefined,
  loaded: LoadedSaga | undefined,
  command: string,
  args: CommandArguments,
): Promise<CommandArguments> {
  if (row === undefined || loaded === undefined) return args;
  if (args.payload !== undefined) return storedPayload(row.id, loaded, args);
  if (command !== "settle" || args.output === undefined) return args;
  const events = await reader.events(row.id);
  const run = new ActiveRun(loaded, row, foldLog(loaded.plan, events), events.length);
  // What comes of it there, if nothing else happens before, has the output as it is stored.
  const event = eventOf(run, command, args, Date.now());
  const text = event !== undefined && "value" in event ? event.value : undefined;
  const { output } = JSON.parse(text ?? "{}") as { readonly output?: unknown };
  return { ...args, output: given(output === undefined ? undefined : JSON.stringify(output)) };
}

function storedPayload(id: string, loaded: LoadedSaga, args: CommandArguments): CommandArguments {
  const { payload = given(undefined), ...rest } = args;
  const codec = payloadCodec(id, loaded, args.event);
  const text = storedText(codec, payload, `the event \`${args.event}\``, "payload-invalid");
  return text === undefined ? rest : { ...rest, payload: given(text) };
}

function given(text: string | undefined): Given {
  return text === undefined ? { value: undefined } : { json: text };
}

/** As `parseArguments` reads it: a payload that is `undefined` is none, an output is said to be nothing. */
export function argumentsText({ payload, output, ...rest }: CommandArguments): string {
  const [sent, settled] = [payload && jsonOf(payload), output && jsonOf(output)];
  return JSON.stringify({
    ...rest,
    ...(sent !== undefined && { payload: sent }),
    ...(settled !== undefined && { output: settled }),
    ...(output !== undefined && settled === undefined && { outputsNothing: true }),
  });
}

function jsonOf(value: Given): unknown {
  return "json" in value ? (JSON.parse(value.json) as unknown) : value.value;
}
