/*
 * `dlq show`: one dead letter, what this version says of it, its first bytes, and its records as far as they decode,
 * masked as all answers are.
 */
import { createInflateRaw, createZstdDecompress } from 'node:zlib';
import { skipValue } from '@imscope/schemas/avro-skip.js';
import { CODECS } from '@imscope/schemas/container-codec.js';
import {
  containerForm,
  decodeLong,
  inspectContainer,
  opensWith,
  readHeader,
} from '@imscope/schemas/container.js';
import { decodeRecord } from '@imscope/schemas/container-decoder.js';
import { ALL_SCHEMAS, schemaByFingerprint } from '@imscope/schemas/avro-schema.js';
import { maskIpAddress } from '@imscope/schemas/ip-address.js';
import { type DeadLetter, formatPlace } from './dead-letter-entry.js';
import type { Finding } from './inspect-letter.js';
import { type TerminalStyle, count, paint, plural, printable, wrap } from './terminal-text.js';

const HEX_BYTES_MAX = 256;
const RECORDS_MAX = 5;
const UNPACKED_BYTES_MAX = 1 << 20;
const HEADERS_MAX = 40;
const LABEL_WIDTH = 12;
const FORMS = ALL_SCHEMAS.flatMap((schema) => CODECS.map((codec) => containerForm(schema, codec)));

/** @param finding undefined where its origin is not one of our topics */
export async function describeLetter(
  letter: DeadLetter,
  finding: Finding | undefined,
  style: TerminalStyle,
): Promise<string> {
  const { place, diedMs, reason, origin, batch, recordsClaimed, value } = letter;
  const line = (label: string, text: string): string =>
    wrap(style, `  ${label.padEnd(LABEL_WIDTH - 2)}${text}`, LABEL_WIDTH);
  const from =
    origin === undefined
      ? 'unknown'
      : `${printable(origin.topic, 100)} ${origin.partition}:${origin.offset}, appended ${new Date(origin.appendedMs).toISOString()}`;
  const claims = recordsClaimed === undefined ? '' : `, says it holds ${plural(recordsClaimed, 'record')}`;
  const lines = [
    paint(style, 'bold', `dead letter ${formatPlace(place)}`),
    line('died', `${new Date(diedMs).toISOString()}, ${printable(reason, 40)}`),
    line('from', from),
    line(
      'batch',
      batch === undefined ? 'unknown' : `${batch.boot}:${batch.partition}:${batch.sequence}${claims}`,
    ),
    line('now', describeFinding(finding)),
    ...describeHeaders(letter, style),
    '',
    ...(value === null ? [paint(style, 'bold', 'no bytes')] : describeBytes(value, style)),
    '',
    ...(await describeRecords(value)),
  ];
  return `${lines.join('\n')}\n`;
}

function describeFinding(finding: Finding | undefined): string {
  if (finding === undefined) return 'not inspected: its topic is none that the aggregator reads';
  if (finding.kind === 'unreadable') return `${finding.fault}: ${finding.text}`;
  const records = plural(finding.records, 'record');
  return finding.kind === 'readable'
    ? `readable, ${records}: \`redrive\` sends it as it is`
    : `${finding.fault}: ${finding.text}. The container decodes completely, ${records}: \`redrive --mend\` writes its headers again`;
}

function describeHeaders({ headers }: DeadLetter, style: TerminalStyle): string[] {
  const all = Object.entries(headers);
  const width = (style.columns ?? 120) - 1;
  return [
    `  headers${all.length === 0 ? '   none' : ''}`,
    ...all.slice(0, HEADERS_MAX).map(([name, value]) => {
      const text = Array.isArray(value) ? value.map(String).join(', ') : String(value ?? '');
      return printable(`    ${printable(name, 40)} = ${printable(text, 1_000)}`, width);
    }),
    ...(all.length > HEADERS_MAX ? [`    and ${count(all.length - HEADERS_MAX)} more`] : []),
  ];
}

/** A header of our containers tells nothing: the dump begins after it. */
function describeBytes(value: Buffer, style: TerminalStyle): string[] {
  const known = FORMS.find((form) => opensWith(value, form));
  const from = known === undefined ? 0 : known.header.length;
  const to = Math.min(value.length, from + HEX_BYTES_MAX);
  const header =
    known === undefined
      ? ''
      : `, the first ${count(from)} the header of ${known.schema.name} version ${known.schema.version}, packed by ${known.codec}`;
  const shown = to - from < value.length - from ? `; ${HEX_BYTES_MAX} of them` : '';
  return [paint(style, 'bold', `${count(value.length)} bytes${header}${shown}`), ...hexDump(value, from, to)];
}

/** As `hexdump -C` writes: 78 columns. */
function hexDump(value: Buffer, from: number, to: number): string[] {
  const lines: string[] = [];
  for (let at = from; at < to; at += 16) {
    const row = value.subarray(at, Math.min(at + 16, to));
    const hex = [row.subarray(0, 8), row.subarray(8)]
      .map((half) =>
        Array.from(half, (byte) => byte.toString(16).padStart(2, '0'))
          .join(' ')
          .padEnd(23),
      )
      .join('  ');
    const text = row.toString('latin1').replaceAll(/[^ -~]/g, '.');
    lines.push(`${String(at).padStart(8)}  ${hex}  |${text}|`);
  }
  return lines;
}

async function describeRecords(value: Buffer | null): Promise<string[]> {
  if (value === null) return [];
  const { total, records } = await decodeFirst(value);
  if (records.length === 0) return ['no record can be decoded'];
  const of = total === undefined ? '' : ` of ${count(total)}`;
  return [`first ${plural(records.length, 'record')}${of}`, ...records.map((record) => `  ${record}`)];
}

/** The first records of the first block, of whatever of it unpacks. */
async function decodeFirst(value: Buffer): Promise<{ total: number | undefined; records: string[] }> {
  const header = readHeader(value);
  const schema = header.ok ? schemaByFingerprint(header.header.sync) : undefined;
  if (!header.ok || schema === undefined) return { total: undefined, records: [] };
  const block = decodeLong(value, header.header.length);
  const size = block === undefined ? undefined : decodeLong(value, block.next);
  if (block === undefined || size === undefined) return { total: undefined, records: [] };
  const packed = value.subarray(size.next, size.next + Math.max(0, size.value));
  const plain = await unpackFirst(header.header.codec, packed);
  const records: string[] = [];
  for (let position = 0; records.length < RECORDS_MAX && position < plain.length;) {
    const end = skipValue(schema.type, plain, position);
    if (end === undefined) break;
    const decoded = decodeRecord(schema.type, plain, position);
    records.push(
      decoded === undefined ? 'a number of it is beyond 2^53' : JSON.stringify(decoded.value, maskAddress),
    );
    position = end;
  }
  const inspected = inspectContainer(value);
  return { total: inspected.ok ? inspected.shape.records : undefined, records: records.map(bounded) };
}

function bounded(record: string): string {
  return printable(record, 2_000);
}

/** JSON's replacer sees a Buffer as what its toJSON gave. */
function maskAddress(key: string, value: unknown): unknown {
  if (key !== 'exit_ip' || typeof value !== 'object' || value === null || !('data' in value)) return value;
  return Array.isArray(value.data) ? maskIpAddress(Buffer.from(value.data as number[])) : value;
}

/** The records before the fault, if any. */
async function unpackFirst(codec: string, packed: Buffer): Promise<Buffer> {
  const unpacking = codec === 'deflate' ? createInflateRaw() : createZstdDecompress();
  const parts: Buffer[] = [];
  let bytes = 0;
  unpacking.end(packed);
  try {
    for await (const part of unpacking as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= UNPACKED_BYTES_MAX) break;
    }
  } catch {
    // The fault itself is described elsewhere.
  }
  return Buffer.concat(parts);
}
