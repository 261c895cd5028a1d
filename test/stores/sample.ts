/** Sample rows for the tests of stores, and a folder that goes away after the test. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { LoggedEvent } from "../../runtime/events.js";
import type { Manifest } from "../../runtime/manifest.js";
import type { RunRow } from "../../runtime/stores/store.js";

export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "steno-store-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function sampleRun(id: string, fields: Partial<RunRow> = {}): RunRow {
  return {
    id,
    saga: "BookTrip.bookTrip",
    hash: "sha256-1",
    nonce: "n0nce",
    params: '{"hotel":"Ritz"}',
    status: "running",
    reason: undefined,
    output: undefined,
    error: undefined,
    createdAt: 1_700_000_000_000,
    updatedAt: 1_700_000_000_000,
    wakeAt: 0,
    ...fields,
  };
}

/** Events number `from` to `to - 1` of some run. */
export function sampleEvents(from: number, to: number): LoggedEvent[] {
  return Array.from({ length: to - from }, (_, index) => ({
    seq: from + index,
    at: 1_700_000_000_000 + from + index,
    type: "started",
    node: `node-${from + index}`,
    attempt: 1,
    value: '["Ritz"]',
  }));
}

export const sampleManifest: Manifest = {
  steno: 1,
  name: "BookTrip.bookTrip",
  hash: "sha256-1",
  nodes: [{ name: "hotel", kind: "action", action: "bookHotel", undo: "cancelHotel", after: [] }],
};
