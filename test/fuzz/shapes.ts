/**
 * The table of statements whose shape depends on values: what is decided, repeated, tried, waited
 * for, and left early. To make programs have another one, add a row.
 */
import { Body, type Held, type Part, type Row, TYPE_TEXT, TYPES, type Type } from "./body.js";
import { argument, call, expression } from "./expressions.js";
import { awaitAllOf, awaitRest, block, close, fill, plainValue } from "./statements.js";

export const shapes: readonly Row[] = [
  { name: "if", weight: 5, make: branch },
  { name: "let", weight: 3, make: once },
  { name: "switch", weight: 2, make: choose },
  { name: "switch-kind", weight: 2, make: chooseByKind },
  { name: "correlated", weight: 2, make: correlated },
  { name: "choose-in-expression", weight: 3, make: inExpression },
  { name: "leave", weight: 4, make: (body) => leaveIf(body) },
  { name: "map", weight: 4, make: map },
  { name: "loop", weight: 4, make: (body) => loop(body) },
  { name: "find", weight: 4, make: find },
  { name: "try", weight: 5, make: attempt },
  { name: "sleep", weight: 1, make: sleep },
  { name: "event", weight: 4, make: event },
  { name: "start", weight: 6, make: startRun },
];

/** A condition. Now and then it is waited for. */
function condition(body: Body): string {
  if (body.choices.oneIn(5)) return `await ${call(body, "flag")}`;
  return expression(body, "flag", 3);
}

function branch(body: Body): void {
  const test = condition(body);
  let left = false;
  const then = block(body, { maybe: true }, 2, (inner) => void (left = maybeLeave(inner)));
  if (body.choices.oneIn(3)) {
    body.add(`if (${test}) ${then}`);
    return;
  }
  // Where every side leaves, what follows would never be reached.
  const last = left ? undefined : maybeLeave;
  const more = body.choices.oneIn(4)
    ? ` else if (${expression(body, "flag")}) ${block(body, { maybe: true }, 2)}`
    : "";
  body.add(`if (${test}) ${then}${more} else ${block(body, { maybe: true }, 2, last)}`);
}

/** `let x; if (c) x = …; else x = …` */
function once(body: Body): void {
  const { choices } = body;
  const type = choices.pick(TYPES);
  const name = body.name();
  const assign = (inner: Body): void => {
    const value = choices.oneIn(3) ? plainValue(inner, type) : `await ${call(inner, type)}`;
    inner.add(`${name} = ${value};`);
  };
  const arm = (): string => block(body, { maybe: true }, 1, assign);
  if (choices.oneIn(4)) {
    // What it is declared with is what it is where nothing else is set.
    body.add(`let ${name}: ${TYPE_TEXT[type]} = ${expression(body, type)};`);
    const part = { maybe: true, zone: true, tried: true } as const;
    if (choices.oneIn(3))
      body.add(`try ${block(body, part, 1, assign)} catch ${block(body, part, 1)}`);
    else body.add(`if (${condition(body)}) ${arm()}`);
    body.declare(type, name);
    return;
  }
  body.add(`let ${name}: ${TYPE_TEXT[type]};`);
  if (choices.oneIn(4)) {
    // A handler's assignment takes the place of the other.
    const part = { maybe: true, zone: true, tried: true } as const;
    const inside = block(body, part, 1, assign);
    body.add(`try ${inside} catch ${block(body, part, 1, assign)}`);
  } else if (choices.oneIn(3)) {
    const value = expression(body, "num");
    // A `break` in it would leave the `switch` with nothing set.
    const clause = (): string => block(body, { maybe: true, clause: true }, 1, assign);
    body.add(`switch (${value} % 2) { case 0: ${clause()} break; default: ${clause()} }`);
  } else body.add(`if (${condition(body)}) ${arm()} else ${arm()}`);
  body.declare(type, name);
}

function choose(body: Body): void {
  const { choices } = body;
  const clause = (leave = maybeLeave): string =>
    block(body, { maybe: true, clause: true }, 2, leave);
  const text = choices.oneIn(3);
  const value = text
    ? `(${expression(body, "text")}) as string`
    : `(${expression(body, "num")}) % 3`;
  const [first, second, third] = text ? ['"some"', '"s1"', '""'] : ["0", "1", "2"];
  const labels = choices.oneIn(2) ? `case ${first}: case ${second}:` : `case ${first}:`;
  const last = choices.oneIn(2) ? ` default: ${clause(() => false)}` : ""; // What follows can be reached.
  body.add(
    `switch (${value}) { ${labels} ${clause()} break; case ${third}: ${clause()} break;${last} }`,
  );
}

/** On a discriminated union: what is read is there in that clause only. */
function chooseByKind(body: Body): void {
  const { choices } = body;
  const known = body.variablesOf("shape")[0]?.name;
  const called = call(body, "shape");
  const name = known ?? body.declare("shape");
  if (known === undefined) body.add(`const ${name} = await ${called};`);
  const key = body.key();
  const circle = `await this.num(${key}, ${name}.radius);`;
  const square = choices.oneIn(2)
    ? `await this.text(${body.key()}, ${name}.label);`
    : block(body, { maybe: true, clause: true }, 0, (inner) =>
        inner.add(`await this.note(${inner.key()}, ${name}.side, ${name}.label);`),
      );
  const last = choices.oneIn(2) ? ` case "none": break;` : "";
  body.add(
    `switch (${name}.kind) { case "circle": ${circle} break; case "square": ${square} break;${last} }`,
  );
}

/** Two ifs on one value: what the second one needs is there if the first one was taken. */
function correlated(body: Body): void {
  const { choices } = body;
  const value = condition(body);
  const test = body.declare("flag");
  body.add(`const ${test}: boolean = ${value};`);
  body.add(`if (${test}) ${block(body, { maybe: true }, 2)}`);
  fill(body, choices.below(2));
  const other = choices.oneIn(3) ? `!${test}` : test;
  body.add(`if (${other}) ${block(body, { maybe: true }, 2, maybeLeave)}`);
}

function inExpression(body: Body): void {
  const { choices } = body;
  const type = choices.pick(["num", "text", "flag"] as const);
  const maybe = (of: Type | "void"): string =>
    call(new Body(body.around, body, { maybe: true }), of);
  switch (choices.below(5)) {
    case 0: {
      const test = condition(body);
      const [first, second] = [`await ${maybe(type)}`, expression(body, type)];
      const sides = choices.oneIn(2) ? [first, second] : [second, first];
      body.add(`const ${body.declare(type)} = ${test} ? ${sides.join(" : ")};`);
      break;
    }
    case 1: {
      const value = `(${condition(body)}) && (await ${maybe("flag")})`;
      body.add(`const ${body.declare("flag")} = ${value};`);
      break;
    }
    case 2:
      body.add(`(${condition(body)}) || (await ${maybe("void")});`);
      break;
    case 3: {
      const list = body.variablesOf("list")[0]?.name ?? body.around.param("nums");
      const value = `${list}[0] ?? (await ${maybe("num")})`;
      body.add(`const ${body.declare("num")} = ${value};`);
      break;
    }
    default: {
      const test = expression(body, "flag");
      const [first, second] = [maybe("num"), maybe("num")];
      body.add(`const ${body.declare("num")} = await (${test} ? ${first} : ${second});`);
    }
  }
}

/** Whether it leaves. */
function maybeLeave(body: Body): boolean {
  const leaves = body.choices.oneIn(4);
  if (leaves) leave(body);
  return leaves;
}

function leaveIf(body: Body): void {
  body.add(`if (${condition(body)}) ${block(body, { maybe: true }, 1, leave)}`);
}

/** The last statement of a block, which leads out of what it is in. */
function leave(body: Body): void {
  const { choices } = body;
  const after = (owed: readonly Held[], last: (body: Body) => string): void => {
    awaitAllOf(body, owed);
    body.add(last(body));
  };
  const out = body.owed("function");
  const next = body.owed("loop");
  const which = choices.below(4);
  if (which < 2 && next !== undefined) {
    after(next, () => (choices.oneIn(2) && body.mayBreak ? breaking(body) : "continue;"));
  } else if (which < 3 && out !== undefined && body.result !== undefined) {
    const { result } = body;
    after(out, () => `return ${result(body)};`);
  } else if (out !== undefined || choices.oneIn(2)) {
    awaitAllOf(body, body.owed("function") ?? []);
    const again = body.error !== undefined && choices.oneIn(2);
    body.add(
      again ? `throw ${body.error};` : `throw new Error(\`t\${${expression(body, "num")}}\`);`,
    );
  }
}

/** `break`, which may leave something in a variable that is declared outside of the loop. */
function breaking(body: Body): string {
  const { found, choices } = body;
  if (found === undefined || choices.oneIn(3)) return "break;";
  const { name, type } = found;
  const value = choices.oneIn(3) ? `await ${call(body, type)}` : plainValue(body, type);
  return `${name} = ${value}; break;`;
}

/** A list for items: with their numbers, or without two that are the same. */
function items(body: Body, text: string, numbered: boolean): string {
  return numbered ? `(${text})` : `[...new Set(${text})]`;
}

/** `Promise.all(xs.map(…))` */
function map(body: Body): void {
  const { choices } = body;
  const numbered = !choices.oneIn(3);
  const list = items(body, expression(body, "list", 3), numbered);
  const [item, index] = [body.name(), body.name()];
  const type = choices.pick(["num", "num", "void", "text"] as const);
  const key = numbered ? `\${${index}}` : `\${${item}}`;
  const early = (from: Body): string => (type === "void" ? "" : plainValue(from, type));
  const ends = choices.oneIn(3) ? early : "to its end";
  const inner = new Body(body.around, body, { maybe: true, zone: true, function: ends, key });
  inner.variables.push({ name: item, type: "num" });
  if (numbered) inner.variables.push({ name: index, type: "num" });
  let callback: string;
  if (choices.oneIn(3)) callback = call(inner, type);
  else {
    fill(inner, 3);
    awaitRest(inner);
    const result =
      type === "void" ? `await ${call(inner, "void")};` : `return ${plainValue(inner, type)};`;
    callback = `{ ${inner.lines.join("\n")}\n${result} }`;
  }
  close(inner);
  const given = numbered ? `(${item}, ${index})` : `(${item})`;
  const how = choices.pick(["now", "now", "now", "each", "each", "held"]);
  // Beside something else, or held, what an item computes must be the failure of that item.
  const beside = how !== "held" && type !== "num" && choices.oneIn(3);
  const isAsync = /^\{|\bawait /.test(callback) || how === "held" || beside;
  const prefix = isAsync ? "async " : "";
  const run = `${prefix}${given} => ${callback}`;
  if (how === "held") {
    body.add(
      `const ${body.hold(type === "num" ? "list" : "void", undefined, true)} = ${list}.map(${run});`,
    );
    return;
  }
  const lists =
    how === "each"
      ? `each(${list}, { ${eachOptions(body, numbered)} }, ${run})`
      : `Promise.all(${list}.map(${run}))`;
  if (how === "each" && choices.oneIn(4))
    body.add(`const ${body.hold(type === "num" ? "list" : "void")} = ${lists};`);
  else if (type === "num") body.add(`const ${body.declare("list")} = await ${lists};`);
  else if (beside) body.add(`await Promise.all([${lists}, ${call(body, "void")}]);`);
  else body.add(`await ${lists};`);
}

/** Of an `each`; names are those of items, or their numbers. */
function eachOptions({ choices }: Body, numbered: boolean): string {
  const limit = choices.oneIn(3) ? [] : [`concurrency: ${1 + choices.below(3)}`];
  const key = numbered ? "key: (x, i) => `${i}[${x}]`" : "key: (x) => `no/${x}`";
  return [...limit, ...(choices.oneIn(2) ? [key] : [])].join(", ");
}

/** `let x = …; for (…) { …; x = …; break; }`: the first that is found, or what was there before. */
function find(body: Body): void {
  const { choices } = body;
  const type = choices.pick(TYPES);
  const name = body.name();
  const text = TYPE_TEXT[type];
  const optional = choices.oneIn(2);
  const before = optional ? "undefined" : expression(body, type);
  const given = optional && choices.oneIn(2) ? "" : ` = ${before}`;
  body.add(`let ${name}: ${text}${optional ? " | undefined" : ""}${given};`);
  const leaveFound = (inner: Body): void => {
    const part = { maybe: true } as const;
    const leaving = block(inner, part, 1, (last) => {
      awaitAllOf(last, last.owed("loop") ?? []);
      last.add(breaking(last));
    });
    inner.add(`if (${condition(inner)}) ${leaving}`);
    if (type !== "num" || !choices.oneIn(2)) return;
    // What it is set to is narrowed by the test around.
    awaitAllOf(inner, inner.owed("loop") ?? []);
    const seen = inner.name();
    inner.add(`const ${seen} = (${expression(inner, "list")})[0];`);
    inner.add(`if (${seen} !== undefined && ${seen} > 2) { ${name} = ${seen}; break; }`);
  };
  const found = { name, type };
  if (optional && choices.oneIn(3)) {
    loop(body, {}, (outer) => {
      loop(outer, { found }, leaveFound);
      awaitRest(outer);
      outer.add(`if (${name} !== undefined) break;`);
    });
  } else loop(body, { found }, leaveFound);
  if (!optional) body.declare(type, name);
  else {
    const otherwise = expression(body, type);
    body.add(`const ${body.declare(type)}: ${text} = ${name} ?? ${otherwise};`);
  }
}

/** `for (const x of xs) { … }` */
function loop(body: Body, part: Part = {}, more?: (inner: Body) => void): void {
  const { choices } = body;
  const numbered = !choices.oneIn(3);
  const list = items(body, expression(body, "list", 3), numbered);
  const [item, index] = [body.name(), body.name()];
  const key = numbered ? `\${${index}}` : `\${${item}}`;
  const inner = new Body(body.around, body, { ...part, maybe: true, zone: true, loop: true, key });
  inner.variables.push({ name: item, type: "num" });
  if (numbered) inner.variables.push({ name: index, type: "num" });
  fill(inner, more === undefined ? 3 : 1);
  more?.(inner);
  if (more !== undefined) fill(inner, 1);
  awaitRest(inner);
  close(inner);
  const given = numbered ? `[${index}, ${item}]` : item;
  const from = numbered ? `${list}.entries()` : list;
  body.add(`for (const ${given} of ${from}) { ${inner.lines.join("\n")} }`);
}

/** `try { … } catch { … }` */
function attempt(body: Body): void {
  const { choices } = body;
  let left = false;
  const tried = { maybe: true, zone: true, tried: true } as const;
  const inside = block(body, tried, 3, (inner) => void (left = maybeLeave(inner)));
  const error = choices.oneIn(3) ? undefined : body.name();
  // What was started outside cannot be awaited in a handler either.
  const part = { ...tried, ...(error !== undefined && { error }) } as const;
  const handler = block(body, part, 2, left ? undefined : maybeLeave);
  body.add(`try ${inside} catch ${error === undefined ? "" : `(${error}) `}${handler}`);
}

/** `this.approval`, which is waited for once: so it does not matter which of two would have it. */
function event(body: Body): void {
  const { choices } = body;
  const { event: declared } = body.around;
  if (declared === undefined || !body.once) return sleep(body);
  const type = choices.pick(["num", "text", "item", "flag", "stamp"] as const);
  const within = choices.oneIn(2) ? "" : `.within("${2 + choices.below(90)}m")`;
  const waited = `this.${declared(type)}${within}`;
  if (choices.oneIn(3)) body.add(`const ${body.hold(type)} = ${waited};`);
  else if (choices.oneIn(4)) body.add(`await Promise.all([${waited}, ${call(body, "void")}]);`);
  else body.add(`const ${body.declare(type)} = await ${waited};`);
}

/** `start(this.inner, params, { id })`: a run of its own. */
function startRun(body: Body): void {
  const { choices, around } = body;
  if (around.subsagas.length === 0) return sleep(body);
  const { callee, result } = choices.pick(around.subsagas);
  const params = `{ ...${around.param("")}, tag: ${body.key()}, n: ${argument(body, "num")} }`;
  const named = choices.oneIn(2);
  const started = `start(${callee}, ${params}${named ? `, { id: ${body.key()} }` : ""})`;
  // Its failure would be caught by whoever embeds this.
  const isOutermost = around.event !== undefined;
  if (isOutermost && !body.tried && choices.oneIn(2)) {
    if (choices.oneIn(3)) body.add(`const ${body.hold(result)} = ${started}.result();`);
    else body.add(`const ${body.declare(result)} = await ${started}.result();`);
  } else if (!named) body.add(`await ${started};`);
  else if (choices.oneIn(3)) body.add(`const ${body.hold("text")} = ${started};`);
  else body.add(`const ${body.declare("text")} = await ${started};`);
}

function sleep(body: Body): void {
  const text = `sleep("${1 + body.choices.below(60)}s")`;
  if (body.choices.oneIn(3)) body.add(`const ${body.hold("void")} = ${text};`);
  else body.add(`await ${text};`);
}
