/* Numbers as people read them. */

/** `2,401,812` */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}
