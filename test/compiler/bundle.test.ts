/** Bundles, made by the built command and run by node: self-contained, traceable, refused with reason. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { greeter, needyGreeter, Project } from "./project.js";

let project: Project;
const make = (files: Readonly<Record<string, string>>): Project => (project = new Project(files));
afterEach(() => project.remove());

/** What a script says that imports a bundle as `bundle`. */
function run(script: string, file = "./bundle/greeter.js"): string {
  const text = `import * as bundle from ${JSON.stringify(file)};\n${script}`;
  const { stdout, stderr, code } = project.node(
    "--enable-source-maps",
    "--input-type=module",
    "-e",
    text,
  );
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

test("a class without needs is bound for the user", () => {
  const { code, stderr } = make({ "src/greeter.ts": greeter() }).compile("--bundle", "bundle");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(readdirSync(project.path("bundle"))).toEqual(["greeter.js", "greeter.js.map"]);
  const text = project.read("bundle/greeter.js");
  expect(text.split("\n")[0]).toBe('/* steno-bundle {"format":1,"runtime":"0.1.0"} */');
  // Node 20 has no decorators, so they must be gone; only the runtime is imported.
  expect(text).not.toMatch(/^\s*@/m);
  const imports = [...text.matchAll(/^import .* from "([^"]+)"/gm)].map(([, module]) => module);
  expect(new Set(imports)).toEqual(
    new Set(["node:module", "steno-runtime", "steno-runtime/schema"]),
  );
  const said = run(`
    const [{ definition, instance }] = bundle.default;
    const { name, position, nodes } = definition.manifest;
    console.log(JSON.stringify([name, position.file, nodes[0].position.line, bundle.default.length]));
    console.log(instance instanceof bundle.Greeter, bundle.greeter.manifest.name);
    console.log(await instance.greet("you"));
  `);
  expect(said.split("\n")).toEqual([
    '["Greeter.greeter","src/greeter.ts",12,1]',
    "true Greeter.greeter",
    "hello you",
  ]);
});

test("a stack trace of a failing action points into the source", () => {
  make({ "src/greeter.ts": greeter() }).compile("--bundle", "bundle");
  const said = run(
    `await new bundle.Greeter().greet("").catch((error) => console.log(error.stack));`,
  );
  expect(said).toMatch(/src\/greeter\.ts:6:\d+/);
});

test("a class that needs something is made by the worker file beside it", () => {
  make({ "src/greeter.ts": needyGreeter() });
  const { code, stderr } = project.compile("--bundle", "bundle");
  expect(code).toBe(1);
  expect(stderr).toContain("error[worker-missing]");
  expect(stderr).toContain("write src/greeter.worker.ts");
  expect(existsSync(project.path("src/greeter.saga.ts"))).toBe(true);
  expect(existsSync(project.path("bundle"))).toBe(false);
  // What the message shows is ready to be pasted, but for the dependencies.
  const shown = /looks like this:\n([\s\S]*\n *\];)/.exec(stderr)?.[1] ?? "";
  const worker = shown.replace("/* its dependencies */", '"!"');
  project.write("src/greeter.worker.ts", worker);
  const second = project.compile("--bundle", "bundle");
  expect(second.stderr).toBe("");
  expect(run(`console.log(await bundle.default[0].instance.greet("you"));`)).toBe("hello you!");
  const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
  execFileSync(tsc, ["-p", project.folder]);
});

test("a source whose sagas are embedded by others needs no bundle, and says so", () => {
  const embedding = greeter("Hall")
    .replace("\n\n", '\nimport { Greeter } from "./greeter.js";\n\n')
    .replace("Hall {", 'Hall {\n  readonly guest = new Greeter("!");')
    .replace("return await this.greet(params.who)", "return await this.guest.greeter(params)");
  make({ "src/greeter.ts": needyGreeter(), "src/hall.ts": embedding });
  const { code, stdout, stderr } = project.compile("--bundle", "bundle");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(
    "  src/greeter.ts has no bundle of its own: other sagas embed its sagas\n",
  );
  expect(readdirSync(project.path("bundle"))).toEqual(["hall.js", "hall.js.map"]);
  // Alone it is wanted for itself.
  const alone = project.compile("src/greeter.ts", "--bundle", "bundle");
  expect(alone.stderr).toContain("or name the paths to bundle, without this one");
});

test("CommonJS dependencies work, also those that need Node's own modules", () => {
  const source = greeter()
    .replace(
      "\n\n",
      '\nimport shout from "shout";\nimport { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\n\n',
    )
    .replace('"hello " + who', 'shout("hello " + who) + require("node:os").EOL');
  make({
    "src/greeter.ts": source,
    "node_modules/shout/package.json":
      '{ "name": "shout", "version": "1.0.0", "main": "index.js" }',
    "node_modules/shout/index.d.ts":
      "declare function shout(text: string): string;\nexport = shout;\n",
    "node_modules/shout/index.js":
      'const path = require("path");\nmodule.exports = (text) => path.join(text.toUpperCase(), "!");\n',
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        target: "ES2023",
        module: "NodeNext",
        types: ["node"],
        strict: true,
        esModuleInterop: true,
        noEmit: true,
      },
    }),
  });
  expect(project.compile("--bundle", "bundle").stderr).toBe("");
  expect(run(`console.log(await new bundle.Greeter().greet("you"));`)).toBe("HELLO YOU/!");
});

test("a native module is refused, with what to do; external, it is left out", () => {
  make({
    "src/greeter.ts": greeter().replace("\n\n", '\nimport "@fast/thing";\n\n'),
    "node_modules/@fast/thing/package.json": '{ "name": "@fast/thing", "main": "index.js" }',
    "node_modules/@fast/thing/index.js": 'require("./build/thing.node");\n',
    "node_modules/@fast/thing/build/thing.node": "\u0000",
    "node_modules/@fast/thing/index.d.ts": "export {};\n",
  });
  const { code, stderr } = project.compile("--bundle", "bundle");
  expect(code).toBe(1);
  expect(stderr).toContain("error[native-module]");
  expect(stderr).toContain("add --external @fast/thing");
  expect(project.compile("--bundle", "bundle", "--external", "@fast/thing").code).toBe(0);
  expect(project.read("bundle/greeter.js")).toContain('import "@fast/thing"');
});

test("an import that leads nowhere is shown at its place", () => {
  make({
    "src/greeter.ts": greeter().replace(
      "\n\n",
      '\nimport { lost } from "./helper.js";\nvoid lost;\n\n',
    ),
    "src/helper.ts":
      '// @ts-expect-error: it is not there\nimport "not-installed";\nexport const lost = 1;\n',
  });
  const { code, stderr } = project.compile("--bundle", "bundle");
  expect(code).toBe(1);
  expect(stderr).toContain("error[bundle-failed]");
  expect(stderr).toContain("src/helper.ts:2:8");
});

test("sources of one name in different folders do not overwrite each other", () => {
  make({
    "src/a/greeter.ts": greeter("One"),
    "src/b/greeter.ts": greeter("Two"),
    "src/c.ts": greeter("Three"),
  });
  expect(project.compile("--bundle", "bundle").stderr).toBe("");
  const name = `console.log(bundle.default[0].definition.manifest.name);`;
  expect(run(name, "./bundle/a/greeter.js")).toBe("One.one");
  expect(run(name, "./bundle/b/greeter.js")).toBe("Two.two");
  expect(run(name, "./bundle/c.js")).toBe("Three.three");
});
