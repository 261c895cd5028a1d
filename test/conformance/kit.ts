/**
 * What the written sagas extend: values as JSON, and bodies that hand everything to a `World`. Its
 * text is copied beside them, so that they import it as `./kit.js`. It knows no case.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Where the bodies lead to: what happens in them, the case says. */
export interface World {
  act(path: string, params: Json, inputs: Json[]): Promise<Json>;
  undo(path: string, output: Json, params: Json, inputs: Json[]): Promise<void>;
}

export class Kit {
  constructor(readonly world: World) {}
}
