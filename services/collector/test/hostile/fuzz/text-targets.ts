/* The parsers of single texts, of the applications file and of containers, each by itself. */
import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { parseApplicationsFile } from '@imscope/access/applications-file-content.js';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import { inspectContainer, readHeader } from '@imscope/schemas/container.js';
import { interfaceName } from '@imscope/schemas/interface-name.js';
import { addressBeforePort } from '@imscope/schemas/ip-address.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import fc from 'fast-check';
import { exitAddress } from '../../../src/intake/exit-address.js';
import { parseRfc3339 } from '../../../src/intake/parse-time.js';
import { scrubText } from '../../../src/intake/scrub-text.js';
import { storedRecord } from '../../sample-record.js';
import { mutated, pieced } from './inputs.js';
import type { FuzzTarget } from './target.js';

const ORDINARY_TEXT = 'upstream 10.1.2.3:8080 timed out after 3000 ms, usersig=eJxAbc123 of user alice_01';
const ORDINARY_APPLICATIONS_FILE = Buffer.from(
  JSON.stringify({
    tokens: Array.from({ length: 20 }, (_, n) => ({
      name: `token ${n}`,
      sha256: n.toString(16).padStart(64, '0'),
      scope: 'write',
      applications: [1, 2],
      expires: '2030-01-02T03:04:05Z',
    })),
    applications: [{ sdk_app_id: 1, quota_per_second: 5, limit_per_second: 10, codes: { '1': 'success' } }],
  }),
);
const container = ((): Buffer => {
  const builder = new BlockBuilder(REQUEST_LOG_SCHEMA);
  for (let n = 0; n < 20; n++) builder.append(storedRecord({ cause: `timeout ${n}` }));
  return builder.finish();
})();

function runTime(input: Buffer): string {
  const time = parseRfc3339(input.toString());
  if (time === undefined) return 'refused';
  assert(Number.isInteger(time), String(time));
  return 'read';
}

function runAddress(input: Buffer): string {
  const text = input.toString();
  const address = exitAddress(text);
  const alone = addressBeforePort(text) ?? text;
  assert.equal(address !== undefined, isIPv4(alone) || (isIPv6(alone) && !alone.includes('%')), text);
  return address === undefined ? 'refused' : 'read';
}

function runInterface(input: Buffer): string {
  const name = interfaceName(input.toString());
  if (typeof name !== 'string') return name.reason;
  assert(name.length <= REQUEST_LOG_BOUNDS.interfaceLengthMax && /^[\w.{}/-]+$/.test(name), name);
  return 'read';
}

/** As long as a cause may be. */
function runScrubber(input: Buffer): string {
  const once = scrubText(input.toString().slice(0, REQUEST_LOG_BOUNDS.causeLengthMax)).text;
  assert.equal(scrubText(once).replaced, 0, 'scrubbing twice is not scrubbing once');
  return 'read';
}

function runApplicationsFile(input: Buffer): string {
  try {
    parseApplicationsFile(input.toString());
    return 'read';
  } catch (error) {
    assert(error instanceof Error && /^(?:it is not JSON|at \/)/.test(error.message), String(error));
    assert(error.message.length < 2_000, 'a message without bound');
    return 'refused';
  }
}

function runContainer(input: Buffer): string {
  const bounds = { bytesMax: 1 << 20, recordsMax: 10_000 };
  const [header, shape, decoded] = [
    readHeader(input),
    inspectContainer(input),
    decodeContainer(input, undefined, bounds),
  ];
  if (decoded.ok) assert(header.ok && shape.ok && shape.shape.records === decoded.records.length);
  return decoded.ok ? 'read' : decoded.fault;
}

const READ = new Set(['read', 'refused']);
const FAULTS = [
  'bad_magic',
  'bad_header',
  'unknown_schema',
  'truncated',
  'bad_sync',
  'bad_packing',
  'bad_record',
  'too_large',
];

/** @param texts what it is made of, besides pieces */
function textTarget(
  name: string,
  run: FuzzTarget['run'],
  texts: readonly string[],
  words = READ,
): FuzzTarget {
  const seeds = texts.map((text) => Buffer.from(text));
  const [ordinary] = seeds;
  assert(ordinary !== undefined);
  return { name, inputs: fc.oneof(mutated(seeds), pieced(30)), run, words, ordinary };
}

export const TEXT_TARGETS: readonly FuzzTarget[] = [
  textTarget('time', runTime, ['2024-05-06T07:08:09.123456Z', '2024-02-29t23:59:60+23:59']),
  textTarget('address', runAddress, [
    '203.0.113.7',
    '2001:db8::1',
    '::ffff:1.2.3.4',
    '1:2:3:4:5:6:7:8',
    '[::1]:80',
    '1.2.3.4:5',
  ]),
  textTarget(
    'interface',
    runInterface,
    ['/v4/openim/sendmsg', 'group/12345/members', '@TGS#1/a%40b', 'a/0123456789abcdef0123456789abcdef'],
    new Set(['read', 'invalid_interface', 'too_long']),
  ),
  textTarget('scrubber', runScrubber, [
    ORDINARY_TEXT,
    '手机号13800138000 用户u_7abc',
    'POST /a?b=c&usersig=Zq7 HTTP/1.1',
  ]),
  textTarget('registry', runApplicationsFile, [ORDINARY_APPLICATIONS_FILE.toString()]),
  {
    name: 'container',
    inputs: fc.oneof(
      mutated([container]),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    ),
    run: runContainer,
    words: new Set(['read', ...FAULTS]),
    ordinary: container,
  },
];
