/* A DNS server on UDP that answers what a test says, question by question. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import type { TestContext } from 'node:test';

const TYPE_A = 1;
const TYPE_AAAA = 28;

/** @param answer addresses for a name; called for each question */
export async function startStubDns(
  t: TestContext,
  answer: (name: string, family: 4 | 6) => readonly string[] | 'silent' | 'failed',
): Promise<{ address: string }> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const { name, type, end } = readQuestion(question);
    const found = answer(name, type === TYPE_AAAA ? 6 : 4);
    if (found === 'silent') return;
    const addresses = found === 'failed' ? [] : found;
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(found === 'failed' ? 0x8182 : 0x8180, 2);
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt16BE(0, 8);
    header.writeUInt16BE(0, 10);
    const records = addresses.map((address) => record(type, address));
    socket.send(Buffer.concat([header, question.subarray(12, end), ...records]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}` };
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** Points to the question's name; lives 0 seconds. */
function record(type: number, address: string): Buffer {
  const data = type === TYPE_A ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const lastGroup = address.split(':').at(-1) ?? '';
  const text = isIPv4(lastGroup) ? address.slice(0, -lastGroup.length) + ipv4Groups(lastGroup) : address;
  const [left = '', right] = text.split('::');
  const after = right === undefined ? [] : groups(right);
  const missing = right === undefined ? 0 : 8 - groups(left).length - after.length;
  const all = [...groups(left), ...Array.from({ length: missing }, () => '0'), ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function groups(part: string): string[] {
  return part === '' ? [] : part.split(':');
}

function ipv4Groups(address: string): string {
  const hex = Buffer.from(address.split('.').map(Number)).toString('hex');
  return `${hex.slice(0, 4)}:${hex.slice(4)}`;
}
