/** What the reference knows of the kit's actions: what their decorators say, in its own words. */
import type { ActionText } from "./calls.js";

interface KitAction extends ActionText {
  readonly timeout?: true;
  readonly undoTimeout?: true;
}

const once = { attempts: 1, delayMs: 0, factor: 1 };
const patient = { attempts: 5, delayMs: 200, factor: 2 };

export const kitActions: Readonly<Record<string, KitAction>> = {
  num: { undo: "done", retry: once, undoRetry: patient },
  text: {
    undo: "done",
    retry: { attempts: 3, delayMs: 70, factor: 2 },
    undoRetry: { attempts: 2, delayMs: 90, factor: 2 },
  },
  item: { undo: "started", retry: once, undoRetry: once },
  list: { undo: "none", retry: once, undoRetry: once },
  flag: { undo: "none", retry: { attempts: 2, delayMs: 50, factor: 2 }, undoRetry: once },
  note: { undo: "none", retry: once, undoRetry: once },
  shape: { undo: "done", retry: once, undoRetry: patient },
  date: { undo: "none", retry: { attempts: 2, delayMs: 30, factor: 2 }, undoRetry: once },
  stamp: { undo: "done", retry: once, undoRetry: patient },
  see: { undo: "none", retry: once, undoRetry: once },
  slow: {
    undo: "done",
    retry: { attempts: 2, delayMs: 60, factor: 2 },
    undoRetry: { attempts: 3, delayMs: 40, factor: 2 },
    timeout: true,
    undoTimeout: true,
  },
  half: {
    undo: "started",
    retry: { attempts: 2, delayMs: 60, factor: 2 },
    undoRetry: patient,
    timeout: true,
  },
  probe: { undo: "none", retry: once, undoRetry: once, timeout: true },
};
