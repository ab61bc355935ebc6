import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { callCallback } from '../../src/callbacks/call-callback.js';
import { type CallbackChecks, checkCallbackUrl } from '../../src/callbacks/check-callback-url.js';
import { createHostResolver } from '../../src/callbacks/host-resolver.js';
import { createAddressCheck } from '../../src/callbacks/public-address.js';
import { INSIDE_ADDRESSES, INSIDE_HOSTS, MISLEADING_URLS } from './inside-addresses.js';
import { startReceiver } from './receiver.js';
import { startStubDns } from './stub-dns.js';

/** What the system's own look-up would say, so that only our checks stand between a name and the inside. */
const LOOPBACK_DNS: CallbackChecks = {
  resolveHost: async () => ['127.0.0.1'],
  isAddressAllowed: createAddressCheck(),
};

function insideUrls(port: number): string[] {
  const hosts = INSIDE_HOSTS.flatMap((host) => [`http://${host}:${port}/`, `https://${host}/callback`]);
  return [...hosts, ...MISLEADING_URLS];
}

async function isRefused(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    return error instanceof HttpError && error.code === 'invalid_parameter';
  }
}

const body = '{}';
const call = (url: string) => ({ url, body, headers: {}, timeoutMs: 5_000 });

test('no spelling of an inside address passes at save', async () => {
  assert.ok(INSIDE_HOSTS.length >= 40);
  const passed: string[] = [];
  for (const url of insideUrls(8_080)) {
    if (!(await isRefused(checkCallbackUrl(url, LOOPBACK_DNS)))) passed.push(url);
  }
  assert.deepEqual(passed, []);
});

test('no spelling of an inside address passes at use, and a receiver on the loopback hears nothing', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => response.end());
  const passed: string[] = [];
  for (const url of insideUrls(receiver.port)) {
    if (!(await isRefused(callCallback(call(url), LOOPBACK_DNS)))) passed.push(url);
  }
  assert.deepEqual(passed, []);
  assert.equal(receiver.connections(), 0);
});

test('a name that DNS resolves to an inside address is refused, for every such address', async (t) => {
  const inside = INSIDE_ADDRESSES.filter((address) => isIP(address) !== 0 && !address.includes('%'));
  assert.ok(inside.length >= 40);
  const dns = await startStubDns(t, (name, family) => {
    const address = inside[Number(name.split('.')[0]?.slice(1))] ?? '';
    return address.includes(':') === (family === 6) ? [address] : [];
  });
  const resolveHost = createHostResolver({ timeoutMs: 2_000, tries: 2, servers: [dns.address] });
  const checks = { resolveHost, isAddressAllowed: createAddressCheck() };
  const passed: string[] = [];
  for (const [index, address] of inside.entries()) {
    if (!(await isRefused(checkCallbackUrl(`https://n${index}.example.com/`, checks)))) passed.push(address);
  }
  assert.deepEqual(passed, []);
});

test('one inside address among public ones refuses the name', async (t) => {
  const dns = await startStubDns(t, (_name, family) => (family === 4 ? ['8.8.8.8', '10.0.0.1'] : []));
  const resolveHost = createHostResolver({ timeoutMs: 2_000, tries: 2, servers: [dns.address] });
  const checks = { resolveHost, isAddressAllowed: createAddressCheck() };
  assert.ok(await isRefused(checkCallbackUrl('https://mixed.example.com/', checks)));
});

test('a public IPv6 address does not excuse an inside IPv4 address of the same name', async (t) => {
  const dns = await startStubDns(t, (_name, family) => (family === 4 ? ['127.0.0.1'] : ['2606:4700::1']));
  const resolveHost = createHostResolver({ timeoutMs: 2_000, tries: 2, servers: [dns.address] });
  const checks = { resolveHost, isAddressAllowed: createAddressCheck() };
  assert.ok(await isRefused(checkCallbackUrl('https://mixed.example.com/', checks)));
});

test('public hosts pass, with and without a port', async () => {
  const checks = { ...LOOPBACK_DNS, resolveHost: async () => ['8.8.8.8'] };
  const urls = [
    'https://callback.example.com/im?app=1',
    'http://callback.example.com:8080',
    'HTTPS://Callback.Example.com:443/a%20b',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]:8443/',
    'https://xn--bcher-kva.example/',
  ];
  for (const url of urls) await checkCallbackUrl(url, checks);
});

test('a name without an address is refused, and the message says so', async (t) => {
  const dns = await startStubDns(t, () => []);
  const resolveHost = createHostResolver({ timeoutMs: 2_000, tries: 2, servers: [dns.address] });
  const checks = { resolveHost, isAddressAllowed: createAddressCheck() };
  await assert.rejects(checkCallbackUrl('https://nobody.example.com/', checks), {
    code: 'invalid_parameter',
    message: /its host "nobody.example.com" has no address/,
  });
});

test('DNS that fails is no refusal: the caller tries again', async (t) => {
  const dns = await startStubDns(t, () => 'failed');
  const resolveHost = createHostResolver({ timeoutMs: 500, tries: 1, servers: [dns.address] });
  const checks = { resolveHost, isAddressAllowed: createAddressCheck() };
  await assert.rejects(checkCallbackUrl('https://callback.example.com/', checks), { code: 'unavailable' });
});

test('no message shows credentials of the URL', async () => {
  await assert.rejects(checkCallbackUrl('https://anna:geheim@example.com/', LOOPBACK_DNS), (error: Error) => {
    assert.doesNotMatch(error.message, /anna|geheim/);
    return true;
  });
});
