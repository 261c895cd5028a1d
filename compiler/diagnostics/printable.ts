/** Text that others wrote, made safe to print: what it holds must not steer the terminal. */

/** With a mark for each control character but line ends and tabs. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\uFFFD");
}
