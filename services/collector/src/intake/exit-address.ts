/*
 * Parses exit addresses into the form in which they are encoded: IPv4, by far the most frequent, as its number in one pass;
 * IPv6 as 16 bytes. Recent IPv6 addresses are cached, because parsing the same text again would be a fifth of the cost of a
 * record. The cache has two generations; when the younger one is full, the older one is dropped, so a lookup needs no
 * bookkeeping.
 */
import { addressBeforePort, isMappedIpv4, parseIpAddress } from '@imscope/schemas/ip-address.js';

/** Two generations of 20,000 addresses at about 150 bytes: at most 6 MB. */
const GENERATION_MAX = 20_000;

const DOT = 46;
const ZERO = 48;

let young = new Map<string, Buffer>();
let old = new Map<string, Buffer>();

/** An address that was received as 16 bytes. Its class distinguishes it from texts and numbers. */
export class EncodedAddress {
  /** As `exitAddress` returns it. */
  readonly encoded: number | Buffer;

  private constructor(encoded: number | Buffer) {
    this.encoded = encoded;
  }

  /** The 16 bytes at `start`. They must not change until the record is encoded. */
  static of(bytes: Buffer, start: number): EncodedAddress {
    return new EncodedAddress(
      isMappedIpv4(bytes, start) ? bytes.readUInt32BE(start + 12) : bytes.subarray(start, start + 16),
    );
  }
}

/**
 * A number for IPv4, 16 bytes in network order for IPv6 (shared, do not write into them), undefined for any other text. A
 * port after the address is dropped.
 */
export function exitAddress(text: string): number | Buffer | undefined {
  return plainAddress(text) ?? withPort(text);
}

function plainAddress(text: string): number | Buffer | undefined {
  return ipv4Number(text) ?? addressBytes(text);
}

function withPort(text: string): number | Buffer | undefined {
  const address = addressBeforePort(text);
  return address === undefined ? undefined : plainAddress(address);
}

/** 0 to 2^32 - 1; undefined unless the text is four numbers up to 255 without leading zeros, separated by dots. */
function ipv4Number(text: string): number | undefined {
  const { length } = text;
  if (length > 15) return undefined;
  let address = 0;
  let octet = -1;
  let dots = 0;
  for (let index = 0; index < length; index++) {
    const character = text.charCodeAt(index);
    if (character === DOT) {
      if (octet < 0) return undefined;
      address = address * 256 + octet;
      octet = -1;
      dots += 1;
      continue;
    }
    const digit = character - ZERO;
    if (digit < 0 || digit > 9 || octet === 0) return undefined;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return undefined;
  }
  return dots === 3 && octet >= 0 ? address * 256 + octet : undefined;
}

function addressBytes(text: string): Buffer | undefined {
  const known = young.get(text);
  if (known !== undefined) return known;
  const bytes = old.get(text) ?? parseIpAddress(text);
  if (bytes === undefined) return undefined;
  if (young.size >= GENERATION_MAX) {
    old = young;
    young = new Map();
  }
  young.set(text, bytes);
  return bytes;
}
