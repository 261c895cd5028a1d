/** The command `steno`: the process around `program.ts`. */
import { EXIT } from "./problem.js";
import { main } from "./program.js";

// A reader such as `head` that has seen enough is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.fine);
  throw error;
});

const exitCode = await main(process.argv.slice(2));
// Ends also when the bundle's own code keeps something open, once the output is written.
process.stdout.write("", () => process.exit(exitCode));
