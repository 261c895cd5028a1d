/** The binary operators: how tightly they bind, and where prettier puts parentheses around them. */
const LEVELS: readonly (readonly string[])[] = [
  ["??"],
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "===", "!=", "!=="],
  ["<", ">", "<=", ">=", "in", "instanceof"],
  ["<<"],
  ["+", "-"],
  ["*", "/", "%"],
];

const PRECEDENCE = new Map(
  LEVELS.flatMap((operators, level) => operators.map((operator) => [operator, level] as const)),
);

const EQUALITY = 6;
export const RELATIONAL = 7;
const MULTIPLICATIVE = 10;
const BITWISE = new Set(["|", "^", "&", "<<"]);
const LOGICAL = new Set(["??", "||", "&&"]);

export function precedenceOf(operator: string): number | undefined {
  return PRECEDENCE.get(operator);
}

/** Whether an expression with `inner` stands in parentheses as an operand of `outer`. */
export function needsParentheses(outer: string, inner: string, side: "left" | "right"): boolean {
  const around = PRECEDENCE.get(outer) ?? 0;
  const within = PRECEDENCE.get(inner) ?? 0;
  if (LOGICAL.has(outer) && LOGICAL.has(inner)) return outer !== inner || side === "right";
  if (around > within || (around === within && side === "right")) return true;
  if (around === within) return !flattens(outer, inner, around);
  return BITWISE.has(outer) || (inner === "%" && (outer === "+" || outer === "-"));
}

/** Whether `a inner b outer c` is clear without parentheses. */
function flattens(outer: string, inner: string, level: number): boolean {
  if (level === EQUALITY || BITWISE.has(outer))
    return outer === inner && level !== EQUALITY && outer !== "<<";
  return (
    level !== MULTIPLICATIVE ||
    (outer === inner && outer !== "%") ||
    (outer === "%" && inner === "%")
  );
}
