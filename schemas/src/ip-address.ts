/*
 * Addresses: text to the 16 bytes that are stored, and the masked text that answers show (/24 of IPv4, /48 of
 * IPv6), so that no answer names a single household.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** 16 bytes in network order, IPv4 mapped into ::ffff:0:0/96; undefined where the text is no address. */
export function parseIpAddress(text: string): Buffer | undefined {
  if (isIPv4(text)) {
    const bytes = Buffer.alloc(16);
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    writeIpv4(text, bytes);
    return bytes;
  }
  if (text.length > 45 || text.includes('%') || !isIPv6(text)) return undefined;
  return parseIpv6(text);
}

/** Longest address with a port: 45 characters, a zone of up to 16, brackets, `:65535`. */
const WITH_PORT_LENGTH_MAX = 69;
const BRACKETED = /^\[([^[\]]+)\](?::(\d{1,5}))?$/;
const IPV4_WITH_PORT = /^([\d.]+):(\d{1,5})$/;

/**
 * The address of `192.0.2.1:5678`, `[2001:db8::1]:5678` and `[2001:db8::1]`; undefined where the text has no port and no
 * brackets. IPv6 without brackets has no port: `2001:db8::1:5678` is an address. What it returns is not checked further.
 */
export function addressBeforePort(text: string): string | undefined {
  if (text.length > WITH_PORT_LENGTH_MAX) return undefined;
  const [, ipv6, port6 = '0'] = BRACKETED.exec(text) ?? [];
  if (ipv6 !== undefined) return ipv6.includes(':') && Number(port6) <= PORT_MAX ? ipv6 : undefined;
  const [, ipv4, port4] = IPV4_WITH_PORT.exec(text) ?? [];
  return Number(port4) <= PORT_MAX ? ipv4 : undefined;
}

const PORT_MAX = 65_535;

function writeIpv4(text: string, into: Buffer): void {
  let position = 12;
  let octet = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (char === 46) {
      into[position++] = octet;
      octet = 0;
    } else octet = octet * 10 + char - 48;
  }
  into[position] = octet;
}

function parseIpv6(text: string): Buffer {
  const bytes = Buffer.alloc(16);
  let groupsText = text;
  const dotted = text.includes('.') ? text.slice(text.lastIndexOf(':') + 1) : undefined;
  if (dotted !== undefined) {
    writeIpv4(dotted, bytes);
    groupsText = `${text.slice(0, text.length - dotted.length)}0:0`;
  }
  const [head = '', tail] = groupsText.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  left.forEach((group, index) => bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2));
  right.forEach((group, index) => {
    const place = (8 - right.length + index) * 2;
    if (dotted === undefined || place < 12) bytes.writeUInt16BE(Number.parseInt(group, 16), place);
  });
  if (dotted !== undefined && tail === undefined) writeIpv4(dotted, bytes);
  return bytes;
}

/** ClickHouse expression that masks an IPv6 column to /24 (mapped IPv4) or /48 and gives text with the prefix. */
export function maskedIpSql(column: string): string {
  // Cuts 10 bytes of an IPv6 address, 1 of a mapped IPv4; only the mapped keep this beginning after the cut.
  const cut = `cutIPv6(${column}, 10, 1)`;
  const mapped = '::ffff:';
  return `if(startsWith(${cut}, '${mapped}'), concat(substring(${cut}, ${mapped.length + 1}), '/24'), concat(${cut}, '/48'))`;
}

/** The same of the 16 bytes that are stored, as text: `203.0.113.0/24`, `2001:db8:7::/48`. */
export function maskIpAddress(bytes: Buffer): string {
  if (isMappedIpv4(bytes)) return `${[...bytes.subarray(12, 15), 0].join('.')}/24`;
  const groups = [0, 2, 4].map((at) => bytes.readUInt16BE(at).toString(16));
  while (groups.at(-1) === '0') groups.pop();
  return `${groups.join(':')}::/48`;
}

/** Whether the 16 bytes at `start` are an IPv4 address within ::ffff:0:0/96. */
export function isMappedIpv4(bytes: Buffer, start = 0): boolean {
  for (let at = start; at < start + 10; at++) if (bytes[at] !== 0) return false;
  return bytes[start + 10] === 0xff && bytes[start + 11] === 0xff;
}
