/* What the command lines of chaos runs have in common. */
import { InvalidArgumentError } from 'commander';

export function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number below a billion.');
  return Number(text);
}

export function seconds(text: string): number {
  const [, amount] = /^(\d{1,4})s$/.exec(text) ?? [];
  if (amount === undefined)
    throw new InvalidArgumentError('Give a duration in seconds, such as 30s or 600s.');
  return Number(amount);
}
