/*
 * Finding short literals by their first character: engines look for one character by the machine word, and for more
 * by a call that costs more than all else that a value takes.
 */

/** True where `literal` stands at `at`. */
export function stands(line: string, literal: string, at: number): boolean {
  for (let index = 0; index < literal.length; index++) {
    if (line.charCodeAt(at + index) !== literal.charCodeAt(index)) return false;
  }
  return true;
}

/** As `line.indexOf(literal, from)`, for a literal that is not empty. */
export function find(line: string, literal: string, from: number): number {
  const first = literal.charAt(0);
  let at = line.indexOf(first, from);
  while (at !== -1 && !stands(line, literal, at)) at = line.indexOf(first, at + 1);
  return at;
}
