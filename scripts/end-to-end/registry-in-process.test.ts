/*
 * What pages and command show of callbacks and purges. The registry runs in this process, because only here it is told to
 * allow the address of a receiver on this machine, and that months have passed.
 */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test, type TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { startCommand } from '../../services/cli/test/run-command.js';
import { ADMIN_TOKEN, openRegistry, type RegistryUnderTest } from '../../services/registry/test/backends.js';
import { startReceiver } from '../../services/registry/test/callbacks/receiver.js';
import { newApplication } from '../../services/registry/test/new-application.js';
import { until } from '../pipeline/until.js';
import { freePort } from '../stack/ports.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { Stack } from '../stack/stack.js';
import { testBroker } from '../stack/test-broker.js';
import { openBrowser } from './browser.js';

let stack: Stack;
let registry: RegistryUnderTest;
let browser: Browser;
let page: Page;
let queryUrl: string;
/** Of the registry's clock. */
let aheadMs = 0;
const THREE_MONTHS_MS = 92 * 86_400_000;

before(async () => {
  stack = new Stack({
    name: 'registry-in-process',
    mode: 'source',
    broker: testBroker(),
    topicPrefix: `registry-in-process-${process.pid}.`,
  });
  const { sessionKey } = stack.credentials;
  registry = await openRegistry('embedded', 'in-process', {
    env: { SESSION_KEY: sessionKey },
    now: () => Date.now() + aheadMs,
    lifecycleEveryMs: 50,
    callbacks: {
      resolveHost: async () => ['127.0.0.1'],
      isAddressAllowed: (address) => address === '127.0.0.1',
    },
  });
  await stack.startStore();
  await stack.prepare();
  const query = await stack.startQuery({
    env: {
      REGISTRY_URL: registry.url,
      REGISTRY_FILE: registry.env['REGISTRY_FILE'] ?? '',
      SESSION_KEY: sessionKey,
      DASHBOARD_DIR: `${REPO_ROOT}/services/dashboard/dist`,
    },
  });
  queryUrl = query.url;
  browser = await openBrowser();
  page = await browser.newPage();
  await page.goto(queryUrl);
  await page.getByTestId('sign-in-token').fill(ADMIN_TOKEN);
  await page.getByTestId('sign-in-submit').click();
  await page.getByTestId('fleet-page').waitFor();
});

after(async () => {
  await browser.close();
  await stack.end();
  await registry.stop();
});

/** @param url null: none is set */
async function created(id: number, url: string | null): Promise<void> {
  const callback = { enabled: url !== null, url, timeout_ms: 10_000 };
  await registry.call('createApplication', { body: newApplication(id, { configuration: { callback } }) });
}

async function receiving(t: TestContext, status: number): Promise<string> {
  const { port } = await startReceiver(t, (_request, response) => {
    response.statusCode = status;
    response.end('{}');
  });
  return `http://callback.example.com:${port}/im`;
}

async function testOnPage(id: number): Promise<void> {
  await page.goto(`${queryUrl}/registry/${id}`);
  await page.getByTestId('callback-test-start').click();
}

async function testByCommand(id: number) {
  const args = ['app', 'callback-test', String(id), '--registry', registry.url];
  return startCommand(args, Readable.from([]), { IMSCOPE_ADMIN_TOKEN: ADMIN_TOKEN }).ended;
}

test('a callback that answers is shown by status, address and duration', async (t) => {
  await created(1, await receiving(t, 200));
  await testOnPage(1);
  const answer = page.getByTestId('callback-test-answer');
  await answer.waitFor();
  assert.match(await answer.innerText(), /^Status 200 from 127\.0\.0\.1 after \d+ ms\.$/);
  const { code, stdout, stderr } = await testByCommand(1);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^status 200 from 127\.0\.0\.1 after \d+ ms\n$/);
});

test('a callback that answers an error is shown by its status, and fails the command', async (t) => {
  await created(2, await receiving(t, 500));
  await testOnPage(2);
  await page.locator('[data-testid="callback-test-answer"][data-value="500"]').waitFor();
  await page.getByText('Only a status from 200 to 299 is success').waitFor();
  const { code, stdout, stderr } = await testByCommand(2);
  assert.equal(code, 1);
  assert.match(stdout, /^status 500 from 127\.0\.0\.1 /);
  assert.match(stderr, /the callback answered 500: a status from 200 to 299 is success/);
});

test('a callback that does not answer is said in words, and fails the command', async () => {
  await created(3, `http://callback.example.com:${await freePort()}/im`);
  await testOnPage(3);
  const failure = page.getByTestId('callback-test-failure');
  await failure.waitFor();
  assert.match(await failure.innerText(), /the callback failed: .*ECONNREFUSED.*; look at its server/);
  const { code, stdout, stderr } = await testByCommand(3);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /the callback failed: .*ECONNREFUSED.*; look at its server/);
});

test('without a saved URL there is nothing to test, and unsaved changes are not tested', async (t) => {
  await created(4, null);
  await page.goto(`${queryUrl}/registry/4`);
  await page.getByText('Save a URL first.').waitFor();
  assert.equal(await page.getByTestId('callback-test-start').isDisabled(), true);
  await created(5, await receiving(t, 200));
  await page.goto(`${queryUrl}/registry/5`);
  await page
    .getByTestId('field-configuration.callback.url')
    .locator('input')
    .fill('https://other.example.com/');
  await page.getByText('The URL that is saved is called, not your unsaved changes.').waitFor();
});

test('a purge is listed with its dates, and each place with its state', async () => {
  await page.goto(`${queryUrl}/registry`);
  await page.getByText('No application was purged yet.').waitFor();
  await created(6, null);
  const reason = 'the contract ended';
  await registry.call('terminateApplication', { params: { sdk_app_id: 6 }, body: { reason }, revision: 1 });
  aheadMs = THREE_MONTHS_MS;
  await until('application 6 is purged', async () => {
    const { purges } = await registry.call('listPurges', {});
    return purges.some((one) => one.sdk_app_id === 6 && one.completed_at !== null);
  });
  // The session of the page began before, and ends after hours.
  aheadMs = 0;
  await page.reload();
  const purge = page.getByTestId('purge-6');
  await purge.waitFor();
  const { completed_at: completedAt } = await registry.call('getPurge', { params: { sdk_app_id: 6 } });
  assert.equal(await purge.getAttribute('data-value'), completedAt);
  assert.equal(await purge.getByTestId('purge-place-trtc').getAttribute('data-value'), 'not_used');
  const documents = purge.getByTestId('purge-place-documents');
  assert.equal(await documents.getAttribute('data-value'), 'done');
  assert.match(await documents.innerText(), /^documents: \d+ deleted$/);
  assert.equal(await page.getByTestId('registry-row-6').count(), 0);
});
