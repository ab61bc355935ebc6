/*
 * Causes for properties: pieces that the patterns of shapes are about, and any text around them. The same at every run.
 */
import fc from 'fast-check';

const PIECES = fc.constantFrom(
  'error',
  'ErrorCode',
  'code',
  'status',
  'HTTP',
  'HTTP/1.1',
  'answered',
  'returned',
  'errno',
  'with',
  '错误码',
  '状态码：',
  '91000',
  '(70001)',
  '[60008]',
  '503',
  '(503)',
  '404 Not Found',
  '0x1f',
  'E11000',
  'ORA-00942',
  'IPv6',
  'utf-8',
  'sha256',
  'p99',
  '10.251.73.220:50010',
  '2001:db8::1',
  '00:0c:29:ab:cd:ef',
  'de23498d66ee6a39',
  '3f2a1c9',
  'blk_-123',
  'a1b2c3d4',
  '4xx',
  '123e4567-e89b-12d3-a456-426614174000',
  '01HZX3T0K9V3J5W8Q2',
  '1.5',
  '200 ms',
  '-7',
  '群组',
  'ſtatus 5',
  'Kode 7',
  '😀9',
  '\u0001',
  '#',
);
const GLUE = fc.constantFrom(
  ' ',
  '=',
  ':',
  ': ',
  ', ',
  '/',
  '-',
  '_',
  '(',
  ')',
  '"',
  "'",
  '',
  '.',
  '\n',
  '\\',
);
const CAUSE = fc
  .array(fc.oneof(PIECES, GLUE, fc.string({ maxLength: 5 }), fc.string({ unit: 'binary', maxLength: 3 })), {
    maxLength: 12,
  })
  .map((parts) => parts.join('').replaceAll('\u0000', '').toWellFormed());

export function someCauses(count: number): string[] {
  return fc.sample(CAUSE, { numRuns: count, seed: 11 });
}
