import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type CallbackServices, callCallback } from '../../src/callbacks/call-callback.js';
import { checkCallbackUrl } from '../../src/callbacks/check-callback-url.js';
import { createHostResolver } from '../../src/callbacks/host-resolver.js';
import { createAddressCheck } from '../../src/callbacks/public-address.js';
import { createCertificate, startReceiver } from './receiver.js';
import { startStubDns } from './stub-dns.js';

const NAME = 'callback.example.com';

/** DNS says the loopback, which this test allows: the only way to a receiver of its own. */
async function allowingLoopback(t: TestContext): Promise<CallbackServices> {
  const dns = await startStubDns(t, (_name, family) => (family === 4 ? ['127.0.0.1'] : []));
  return {
    resolveHost: createHostResolver({ timeoutMs: 2_000, tries: 2, servers: [dns.address] }),
    isAddressAllowed: (address) => address === '127.0.0.1',
  };
}

const call = (url: string, timeoutMs = 5_000) => ({
  url,
  body: '{"event":"test"}',
  headers: { 'content-type': 'application/json' },
  timeoutMs,
});

test('an HTTPS receiver gets the call under its own name', async (t) => {
  const tls = createCertificate(t, NAME);
  const receiver = await startReceiver(t, (_request, response) => response.writeHead(202).end('ok'), tls);
  const services = { ...(await allowingLoopback(t)), ca: tls.cert };
  const answer = await callCallback(call(`https://${NAME}:${receiver.port}/im?app=7`), services);
  assert.equal(answer.status, 202);
  assert.equal(answer.body, 'ok');
  assert.equal(answer.address, '127.0.0.1');
  assert.deepEqual(receiver.received, [
    { method: 'POST', path: '/im?app=7', host: `${NAME}:${receiver.port}`, body: '{"event":"test"}' },
  ]);
});

test('a certificate of another name is refused before anything is sent', async (t) => {
  const tls = createCertificate(t, 'other.example.com');
  const receiver = await startReceiver(t, (_request, response) => response.end(), tls);
  const services = { ...(await allowingLoopback(t)), ca: tls.cert };
  await assert.rejects(callCallback(call(`https://${NAME}:${receiver.port}/`), services), {
    code: 'unavailable',
    message: /does not match certificate/,
  });
  assert.equal(receiver.received.length, 0);
});

test('a certificate of an unknown authority is refused', async (t) => {
  const tls = createCertificate(t, NAME);
  const receiver = await startReceiver(t, (_request, response) => response.end(), tls);
  await assert.rejects(callCallback(call(`https://${NAME}:${receiver.port}/`), await allowingLoopback(t)), {
    code: 'unavailable',
  });
  assert.equal(receiver.received.length, 0);
});

test('a name that is public at save and inside at use is refused at use', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => response.end());
  let isRebound = false;
  const dns = await startStubDns(t, (_name, family) =>
    family === 6 ? [] : isRebound ? ['127.0.0.1'] : ['8.8.8.8'],
  );
  const services = {
    resolveHost: createHostResolver({ timeoutMs: 2_000, tries: 2, servers: [dns.address] }),
    isAddressAllowed: createAddressCheck(),
  };
  const url = `http://${NAME}:${receiver.port}/`;
  await checkCallbackUrl(url, services);
  isRebound = true;
  await assert.rejects(callCallback(call(url), services), { code: 'invalid_parameter' });
  assert.equal(receiver.connections(), 0);
});

test('an answer that turns inside between the check and the connection is not used: the address is pinned', async (t) => {
  // Both addresses are of this machine; only the first is allowed, and only the second is listened on.
  const receiver = await startReceiver(t, (_request, response) => response.end());
  let questions = 0;
  const dns = await startStubDns(t, (_name, family) => {
    if (family === 6) return [];
    questions += 1;
    return questions === 1 ? ['127.0.0.2'] : ['127.0.0.1'];
  });
  const services = {
    resolveHost: createHostResolver({ timeoutMs: 2_000, tries: 1, servers: [dns.address] }),
    isAddressAllowed: (address: string) => address === '127.0.0.2',
  };
  await assert.rejects(callCallback(call(`http://${NAME}:${receiver.port}/`), services), {
    code: 'unavailable',
    message: /127\.0\.0\.2/,
  });
  assert.equal(questions, 1);
  assert.equal(receiver.connections(), 0);
});

test('every call looks up and connects again', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => response.end());
  const services = await allowingLoopback(t);
  const url = `http://${NAME}:${receiver.port}/`;
  await callCallback(call(url), services);
  await callCallback(call(url), services);
  assert.equal(receiver.connections(), 2);
});

test('a redirect is an answer and is not followed', async (t) => {
  const inside = await startReceiver(t, (_request, response) => response.end());
  const receiver = await startReceiver(t, (_request, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${inside.port}/` }).end(),
  );
  const answer = await callCallback(call(`http://${NAME}:${receiver.port}/`), await allowingLoopback(t));
  assert.equal(answer.status, 307);
  assert.equal(inside.connections(), 0);
});

test('a receiver that does not answer ends the call after its time', async (t) => {
  const receiver = await startReceiver(t, () => undefined);
  const services = await allowingLoopback(t);
  await assert.rejects(callCallback(call(`http://${NAME}:${receiver.port}/`, 300), services), {
    code: 'timeout',
  });
});

test('a receiver that answers byte by byte ends the call after its time', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => {
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  });
  const services = await allowingLoopback(t);
  await assert.rejects(callCallback(call(`http://${NAME}:${receiver.port}/`, 300), services), {
    code: 'timeout',
  });
});

test('DNS that does not answer ends the call after its time', async (t) => {
  const dns = await startStubDns(t, () => 'silent');
  const services = {
    resolveHost: createHostResolver({ timeoutMs: 3_000, tries: 1, servers: [dns.address] }),
    isAddressAllowed: createAddressCheck(),
  };
  await assert.rejects(callCallback(call(`https://${NAME}/`, 200), services), { code: 'timeout' });
});

test('an answer longer than its bound ends the call', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => response.end(Buffer.alloc(1_000_000)));
  const services = await allowingLoopback(t);
  await assert.rejects(callCallback(call(`http://${NAME}:${receiver.port}/`), services), {
    code: 'unavailable',
    message: /longer than 65536 bytes/,
  });
});
