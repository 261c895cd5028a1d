/**
 * Scenes, as `play.ts` plays them: `UPDATE_SCENES=1` writes what comes; a reviewer reads it as an operator would.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { files, folder, play, sceneOf } from "./play.js";

test("there are scenes", () => expect(files.length).toBeGreaterThanOrEqual(25));

test.each(files)("%s", (name) => {
  const text = sceneOf(name);
  const played = play(text);
  if (process.env["UPDATE_SCENES"] === "1") writeFileSync(join(folder, name), played);
  else expect(played).toBe(text);
});
