import type { Escape } from '../src/value-shapes.js';

/** Values as nginx writes them into a log. */
export function escapeAsNginx(value: string, escape: Escape): string {
  if (escape === 'none') return value;
  if (escape === 'json') return JSON.stringify(value).slice(1, -1);
  return [...Buffer.from(value, 'utf8')]
    .map((byte) =>
      byte < 32 || byte > 126 || byte === 34 || byte === 92
        ? `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
}
