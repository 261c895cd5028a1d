/** A small saga in which the pages of the catalogue show one thing at a time. Not used to compile. */

export interface Example {
  /** More decorators to import than `action`, `saga` and `undo`; and whatever stands above the class. */
  readonly top?: string;
  /** Members beside the action `book` with its undo `cancel`. */
  readonly members?: string;
  readonly params?: string;
  readonly returns?: string;
  /** The body of the saga method. */
  readonly body?: string;
  /** Replaces the undo of `book`. */
  readonly undo?: string;
  /** Replaces the saga method. */
  readonly saga?: string;
}

const UNDO = `@undo("book")
async cancel(room: Room): Promise<void> {
  await this.desk.cancel(room.id);
}`;

/** The text of a whole source file. */
export function example({
  top = "",
  members = "",
  params = "params: { name: string }",
  returns = "void",
  body = "await this.book(params.name);",
  undo = UNDO,
  saga = `@saga
async bookRoom(${params}): Promise<${returns}> {
${indent(body, "  ")}
}`,
}: Example): string {
  const parts = [ACTION, undo, members, saga].filter((part) => part !== "");
  return `import { action, saga, undo } from "steno-runtime";

export interface Room {
  id: string;
  price: number;
}

interface Desk {
  name: string;
  book(name: string): Promise<Room>;
  cancel(id: string): Promise<void>;
}
${top === "" ? "" : `\n${top}\n`}
export class Rooms {
  constructor(readonly desk: Desk) {}

${indent(parts.join("\n\n"), "  ")}
}
`;
}

const ACTION = `@action
async book(name: string): Promise<Room> {
  return this.desk.book(name);
}`;

function indent(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by);
}
