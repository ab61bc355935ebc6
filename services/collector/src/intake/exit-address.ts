/*
 * Exit addresses as they are encoded: IPv4 as its number, read in one pass, for nearly all are; IPv6 as 16 bytes,
 * with those seen lately remembered, since taking the same text apart again would be a fifth of a record's whole
 * cost. Bounded: when full, the older generation is forgotten as a whole, which costs nothing a look-up.
 */
import { addressBeforePort, isMappedIpv4, parseIpAddress } from '@imscope/schemas/ip-address.js';

/** Two generations of 20,000 addresses at about 150 bytes: at most 6 MB. */
const GENERATION_MAX = 20_000;

const DOT = 46;
const ZERO = 48;

let young = new Map<string, Buffer>();
let old = new Map<string, Buffer>();

/** An address that came in its 16 bytes, told from texts and numbers by its class. */
export class EncodedAddress {
  /** As `exitAddress` has it. */
  readonly encoded: number | Buffer;

  private constructor(encoded: number | Buffer) {
    this.encoded = encoded;
  }

  /** The 16 bytes at `start`, which have to stay as they are until the record is encoded. */
  static of(bytes: Buffer, start: number): EncodedAddress {
    return new EncodedAddress(
      isMappedIpv4(bytes, start) ? bytes.readUInt32BE(start + 12) : bytes.subarray(start, start + 16),
    );
  }
}

/**
 * A number for IPv4, 16 bytes in network order for IPv6 (do not write into them), undefined for what is neither. A port
 * behind the address is dropped.
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

/** 0 to 2^32 - 1; undefined where the text is not four numbers up to 255 without leading zeros, with dots between. */
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
