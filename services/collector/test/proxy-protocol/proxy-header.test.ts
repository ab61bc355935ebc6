import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../src/proxy-protocol/crc32c.js';
import { HEADER_BYTES_MAX, readProxyHeader } from '../../src/proxy-protocol/proxy-header.js';
import { binaryHeader, field, LOCAL_COMMAND, tcpHeader, textHeader } from './header-bytes.js';

const SEED = { seed: 20_261_125, numRuns: 2_000 };

function read(header: string | Buffer): unknown {
  const reading = readProxyHeader(Buffer.from(header as string, 'latin1'));
  if (reading.kind === 'fault') return reading.fault;
  return reading.kind === 'header' ? (reading.source ?? 'peer') : reading.kind;
}

function readBytes(header: Buffer): unknown {
  const reading = readProxyHeader(header);
  if (reading.kind === 'fault') return reading.fault;
  return reading.kind === 'header' ? (reading.source ?? 'peer') : reading.kind;
}

test('version 1: the specification’s own lines, the longest ones included', () => {
  const f = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  const lines: readonly [string, string][] = [
    ['PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n', '192.168.0.1'],
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', '255.255.255.255'],
    [`PROXY TCP6 ${f} ${f} 65535 65535\r\n`, f],
    ['PROXY TCP6 2001:DB8:0:0::7 ::1 0 443\r\n', '2001:db8::7'],
    ['PROXY TCP6 ::ffff:192.0.2.7 ::1 1 443\r\n', '192.0.2.7'],
    ['PROXY UNKNOWN\r\n', 'peer'],
    [`PROXY UNKNOWN ${f} ${f} 65535 65535\r\n`, 'peer'],
    ['PROXY UNKNOWN anything at all\r\n', 'peer'],
  ];
  for (const [line, source] of lines) assert.equal(read(line), source, line);
  assert.equal(`PROXY UNKNOWN ${f} ${f} 65535 65535\r\n`.length, 107);
});

test('version 1: whatever does not match the specification exactly is a fault', () => {
  const malformed = [
    'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\n',
    'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 \r\n',
    'PROXY TCP4  192.168.0.1 192.168.0.11 56324 443\r\n',
    'PROXY TCP4 192.168.00.1 192.168.0.11 56324 443\r\n',
    'PROXY TCP4 192.168.0.1 192.168.0.11 056324 443\r\n',
    'PROXY TCP4 192.168.0.1 192.168.0.11 56324 65536\r\n',
    'PROXY TCP4 192.168.0.256 192.168.0.11 56324 443\r\n',
    'PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::8 1 2\r\n',
    'PROXY TCP6 192.168.0.1 192.168.0.11 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP5 192.168.0.1 192.168.0.11 1 2\r\n',
    'PROXY UDP4 192.168.0.1 192.168.0.11 1 2\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY \r\n',
    'PROXY UNKNOWN a\rb\r\n',
  ];
  for (const line of malformed) assert.equal(read(line), 'malformed', line);
  for (const text of ['GET / HTTP/1.1\r\n', 'PROXX', 'proxy TCP4', ' PROXY', 'PROXYTCP4', '\0'])
    assert.equal(read(text), 'no_header', text);
  assert.equal(read(`PROXY UNKNOWN ${'x'.repeat(92)}`), 'incomplete');
  assert.equal(read(`PROXY UNKNOWN ${'x'.repeat(93)}`), 'too_long');
  assert.equal(read(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`), 'too_long');
});

test('version 2: TCP over IPv4 and IPv6 name the source; other transports do not', () => {
  assert.equal(readBytes(tcpHeader('203.0.113.7')), '203.0.113.7');
  assert.equal(readBytes(tcpHeader('2001:db8::7')), '2001:db8::7');
  assert.equal(readBytes(tcpHeader('::ffff:203.0.113.7')), '203.0.113.7');
  for (const [family, bytes] of [
    [0x00, 0],
    [0x00, 99],
    [0x01, 3],
    [0x10, 12],
    [0x12, 12],
    [0x22, 36],
    [0x31, 216],
    [0x32, 216],
  ] as const) {
    assert.equal(readBytes(binaryHeader({ family, addresses: Buffer.alloc(bytes, 0xff) })), 'peer');
  }
});

test('version 2: a LOCAL connection, such as a health check, keeps its peer', () => {
  for (const family of [0x00, 0x11, 0x21, 0xff])
    for (const bytes of [0, 3, 12, 1_024]) {
      const addresses = Buffer.alloc(bytes, 0xff);
      const header = binaryHeader({ versionAndCommand: LOCAL_COMMAND, family, addresses });
      assert.deepEqual(readProxyHeader(header), { kind: 'header', length: 16 + bytes, source: undefined });
    }
});

test('version 2: unknown versions, commands, families and wrong lengths are faults', () => {
  const addresses = Buffer.alloc(12);
  const faults: readonly [Parameters<typeof binaryHeader>[0], string][] = [
    [{ versionAndCommand: 0x11, family: 0x11, addresses }, 'malformed'],
    [{ versionAndCommand: 0x31, family: 0x11, addresses }, 'malformed'],
    [{ versionAndCommand: 0x22, family: 0x11, addresses }, 'malformed'],
    [{ family: 0x13, addresses }, 'malformed'],
    [{ family: 0x41, addresses }, 'malformed'],
    [{ family: 0x11, addresses: Buffer.alloc(11) }, 'malformed'],
    [{ family: 0x21, addresses: Buffer.alloc(35) }, 'malformed'],
    [{ family: 0x31, addresses: Buffer.alloc(215) }, 'malformed'],
    [{ family: 0x11, addresses, length: 1_025 }, 'too_long'],
    [{ versionAndCommand: LOCAL_COMMAND, length: 65_535 }, 'too_long'],
    [{ family: 0x11, addresses, fields: [Buffer.from([4, 0])] }, 'malformed'],
    [{ family: 0x11, addresses, fields: [Buffer.from([4, 0, 2, 0])] }, 'malformed'],
    [{ family: 0x11, addresses, fields: [field(3, 'abc')] }, 'malformed'],
  ];
  for (const [parts, expected] of faults)
    assert.equal(readBytes(binaryHeader(parts)), expected, JSON.stringify(parts));
  // Refused before the bytes it claims have come.
  assert.equal(readBytes(binaryHeader({ family: 0x11, length: 60_000 })), 'too_long');
  assert.equal(readBytes(Buffer.from('\r\n\r\nGET / HTTP/1.1')), 'no_header');
});

test('version 2: fields are skipped, a right checksum is accepted and a wrong one refused', () => {
  // The check value of RFC 4960's polynomial over "123456789".
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  const fields = [
    field(2, 'gateway.example'),
    field(5, Buffer.alloc(128)),
    field(3, Buffer.alloc(4)),
    field(4, ''),
  ];
  const header = tcpHeader('203.0.113.7', fields);
  assert.equal(readBytes(header), 'bad_checksum');
  const at = header.length - 3 - 4;
  header.writeUInt32BE(crc32c(header), at);
  assert.equal(readBytes(header), '203.0.113.7');
  header[20] = (header[20] ?? 0) ^ 1;
  assert.equal(readBytes(header), 'bad_checksum');
});

const octets = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => bytes.join('.'));
const groups = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes))
  .map((bytes) => Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':'));
const fields = fc
  .array(fc.tuple(fc.integer({ min: 0x20, max: 0xff }), fc.uint8Array({ maxLength: 60 })), { maxLength: 6 })
  .map((all) => all.map(([type, value]) => field(type, Buffer.from(value))));
const validHeader = fc.oneof(
  octets.map((source) => Buffer.from(textHeader(source))),
  groups.map((source) => Buffer.from(textHeader(source))),
  fc.tuple(octets, fields).map(([source, all]) => tcpHeader(source, all)),
  fc.tuple(groups, fields).map(([source, all]) => tcpHeader(source, all)),
  fields.map((all) => binaryHeader({ versionAndCommand: LOCAL_COMMAND, fields: all })),
);

test('any prefix of a valid header is incomplete, and the header is read the same whatever follows', () => {
  fc.assert(
    fc.property(validHeader, fc.uint8Array({ maxLength: 200 }), (header, rest) => {
      for (let length = 0; length < header.length; length++)
        assert.equal(readProxyHeader(header.subarray(0, length)).kind, 'incomplete');
      const alone = readProxyHeader(header);
      assert.equal(alone.kind === 'header' && alone.length, header.length);
      assert.deepEqual(readProxyHeader(Buffer.concat([header, rest])), alone);
    }),
    { ...SEED, numRuns: 300 },
  );
});

test('random bytes, and valid headers with some of them changed, never throw and are decided within the bound', () => {
  const damaged = fc
    .tuple(
      validHeader,
      fc.array(fc.tuple(fc.nat({ max: 300 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
    )
    .map(([header, changes]) => {
      const bytes = Buffer.from(header);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  const starts = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11',
  );
  const random = fc
    .tuple(starts, fc.uint8Array({ maxLength: 300 }))
    .map(([start, bytes]) => Buffer.concat([Buffer.from(start, 'latin1'), bytes]));
  fc.assert(
    fc.property(fc.oneof(damaged, random), (bytes) => {
      readProxyHeader(bytes);
      const filled = Buffer.concat([bytes, Buffer.alloc(HEADER_BYTES_MAX, 0x61)]);
      const reading = readProxyHeader(filled);
      assert.notEqual(reading.kind, 'incomplete');
      if (reading.kind === 'header') assert.ok(reading.length <= HEADER_BYTES_MAX);
    }),
    SEED,
  );
});
