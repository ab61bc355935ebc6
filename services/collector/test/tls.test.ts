import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { createLogger } from '@imscope/runtime/logger.js';
import { openCertificate } from '../src/connections/certificate.js';
import { runCollector, WRITE_TOKEN } from './running-collector.js';
import { sampleRecord } from './sample-record.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-tls-'));
const logger = createLogger('test', 'fatal');
after(() => rmSync(directory, { recursive: true }));

/** A certificate of its own authority for 127.0.0.1. */
async function makeCertificate(name: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject]);
  return { cert, key };
}

/** Posts one record; who answered, by the name in the certificate. */
function post(url: string, agent: Agent): Promise<{ status: number; name: string; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${WRITE_TOKEN}`, 'content-type': 'application/json' };
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      const { CN: name } = (response.socket as TLSSocket).getPeerCertificate().subject;
      response.resume().on('end', () => {
        resolve({ status: response.statusCode ?? 0, name: String(name), reused: sent.reusedSocket });
      });
    });
    sent.on('error', reject).end(JSON.stringify(sampleRecord({ time: Date.now() })));
  });
}

test('with a certificate the collector speaks TLS only; a new one is used for new connections, and open ones stay', async () => {
  const [first, second] = [await makeCertificate('first'), await makeCertificate('second')];
  const [certFile, keyFile] = [join(directory, 'server.crt'), join(directory, 'server.key')];
  const install = (pair: { cert: string; key: string }): void => {
    copyFileSync(pair.cert, certFile);
    copyFileSync(pair.key, keyFile);
  };
  install(first);
  const collector = await runCollector({ environment: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } });
  const ca = [readFileSync(first.cert), readFileSync(second.cert)];
  const open = new Agent({ ca, keepAlive: true, maxSockets: 1 });
  try {
    const url = collector.url.replace('http:', 'https:');
    await assert.rejects(collector.post('{}'), /fetch failed/);
    await assert.rejects(post(url, new Agent()), /self-signed certificate/);
    assert.deepEqual(await post(url, open), { status: 202, name: 'first', reused: false });
    install(second);
    const deadline = performance.now() + 30_000;
    for (;;) {
      const { status, name } = await post(url, new Agent({ ca }));
      assert.equal(status, 202);
      if (name === 'second') break;
      assert(performance.now() < deadline, 'the new certificate was not taken in 30 s');
      assert.deepEqual(await post(url, open), { status: 202, name: 'first', reused: true });
    }
    assert.deepEqual(await post(url, open), { status: 202, name: 'first', reused: true });
  } finally {
    open.destroy();
    await collector.remove();
  }
});

function openPair(certFile: string, keyFile: string): unknown {
  return openCertificate({ certFile, keyFile }, logger);
}

test('one file without the other, or a key of another certificate, prevents the start with the reason', async () => {
  const [first, second] = [await makeCertificate('third'), await makeCertificate('fourth')];
  assert.equal(openPair('', ''), undefined);
  assert.throws(
    () => openPair(first.cert, ''),
    /TLS_CERT_FILE is set alone: set TLS_CERT_FILE and TLS_KEY_FILE/,
  );
  assert.throws(() => openPair('', first.key), /TLS_KEY_FILE is set alone/);
  assert.throws(
    () => openPair(first.cert, second.key),
    /cannot be used: the key is not that of the certificate/,
  );
  assert.throws(() => openPair('/nowhere/x.crt', first.key), /\/nowhere\/x.crt .* cannot be used: ENOENT/);
});

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!done()) {
    assert(performance.now() < deadline, 'nothing happened in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a certificate that does not match its key leaves the last good pair in use', async () => {
  const [first, second] = [await makeCertificate('fifth'), await makeCertificate('sixth')];
  const [certFile, keyFile] = [join(directory, 'watched.crt'), join(directory, 'watched.key')];
  copyFileSync(first.cert, certFile);
  copyFileSync(first.key, keyFile);
  const errors: string[] = [];
  const watching = createLogger('test', 'error', { write: (line) => errors.push(line) });
  const certificate = openCertificate({ certFile, keyFile }, watching, 10);
  assert(certificate !== undefined);
  const changed: string[] = [];
  certificate.watch(({ cert }) => changed.push(cert));
  writeFileSync(certFile, readFileSync(second.cert));
  await until(() => errors.length > 0);
  assert.deepEqual(changed, []);
  writeFileSync(keyFile, readFileSync(second.key));
  await until(() => changed.length > 0);
  assert.deepEqual(changed, [readFileSync(second.cert, 'utf8')]);
  certificate.stop();
});
