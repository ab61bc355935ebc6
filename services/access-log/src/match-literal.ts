/*
 * Finds short literals by their first character: V8 searches a single character a machine word at a time, and a longer
 * text by a call that costs more than the rest of reading a value.
 */

/** True where `line` has `literal` at index `at`. */
export function matchesAt(line: string, literal: string, at: number): boolean {
  for (let index = 0; index < literal.length; index++) {
    if (line.charCodeAt(at + index) !== literal.charCodeAt(index)) return false;
  }
  return true;
}

/** As `line.indexOf(literal, from)`, for a literal that is not empty. */
export function indexOfLiteral(line: string, literal: string, from: number): number {
  const first = literal.charAt(0);
  let at = line.indexOf(first, from);
  while (at !== -1 && !matchesAt(line, literal, at)) at = line.indexOf(first, at + 1);
  return at;
}
