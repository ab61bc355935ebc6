/* PROXY headers as a balancer writes them, made here byte by byte, apart from the code under test. */
import { isIPv4 } from 'node:net';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';

export type BinaryParts = {
  readonly versionAndCommand?: number;
  readonly family?: number;
  readonly addresses?: Buffer;
  readonly fields?: readonly Buffer[];
  /** The length the header claims; its own where left out. */
  readonly length?: number;
};

export const PROXY_COMMAND = 0x21;
export const LOCAL_COMMAND = 0x20;

export function textHeader(source: string, destination = source): string {
  return `PROXY ${isIPv4(source) ? 'TCP4' : 'TCP6'} ${source} ${destination} 56324 443\r\n`;
}

export function binaryHeader({
  versionAndCommand = PROXY_COMMAND,
  family = 0,
  addresses = Buffer.alloc(0),
  fields = [],
  length,
}: BinaryParts): Buffer {
  const rest = Buffer.concat([addresses, ...fields]);
  const fixed = Buffer.from([
    13,
    10,
    13,
    10,
    0,
    13,
    10,
    0x51,
    0x55,
    0x49,
    0x54,
    10,
    versionAndCommand,
    family,
    0,
    0,
  ]);
  fixed.writeUInt16BE(length ?? rest.length, 14);
  return Buffer.concat([fixed, rest]);
}

/** TCP from `source` to itself. */
export function tcpHeader(source: string, fields: readonly Buffer[] = []): Buffer {
  const bytes = parseIpAddress(source) ?? Buffer.alloc(16);
  const address = isIPv4(source) ? bytes.subarray(12) : bytes;
  const ports = Buffer.from([0xdc, 0x04, 0x01, 0xbb]);
  const addresses = Buffer.concat([address, address, ports]);
  return binaryHeader({ family: isIPv4(source) ? 0x11 : 0x21, addresses, fields });
}

/** One field behind the addresses. */
export function field(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
