/** The process that compiles: one call after the other, each as if the command had just been started. */
const command = new URL("../../compiler/dist/main.js", import.meta.url);
let calls = 0;

process.on("message", async ({ cwd, args, env }) => {
  const said = { stdout: "", stderr: "" };
  const streams = Object.keys(said).map((name) => [name, process[name].write]);
  const before = { ...process.env };
  process.chdir(cwd);
  process.argv = [process.execPath, "steno-compile", ...args];
  Object.assign(process.env, env);
  for (const [name] of streams) process[name].write = (text) => ((said[name] += text), true);
  process.exitCode = 0;
  try {
    await import(`${command}?${++calls}`);
  } catch (error) {
    said.stderr += error.stack;
    process.exitCode = 1;
  }
  for (const [name, write] of streams) process[name].write = write;
  for (const name of Object.keys(env)) delete process.env[name];
  Object.assign(process.env, before);
  process.send({ code: process.exitCode, ...said });
  process.exitCode = 0;
});
process.on("disconnect", () => process.exit());
