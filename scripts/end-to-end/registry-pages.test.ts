import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Call, createCall } from '@imscope/schemas/registry-api/call.js';
import type { Browser, Page } from 'playwright-core';
import { until } from '../pipeline/until.js';
import { createDemoApplications } from '../start-demo/demo-applications.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { Stack } from '../stack/stack.js';
import { testBroker } from '../stack/test-broker.js';
import { openBrowser } from './browser.js';

const SCREENSHOTS = join(REPO_ROOT, '.imscope', 'screenshots');
/** One application a test, so that tests do not wait for each other's versions. */
const [EDITED, CONFLICTING, ROLLED_BACK, ENDED, KEYED] = [
  1400000123, 1400010160, 1400020197, 1400030234, 1400040271,
] as const;
const CREATED = 1400999999;

let stack: Stack;
let browser: Browser;
let page: Page;
let queryUrl: string;
let call: Call;
const problems: string[] = [];

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  stack = new Stack({
    name: 'registry-pages',
    mode: 'source',
    broker: testBroker(),
    topicPrefix: `registry-pages-${process.pid}.`,
  });
  await stack.startStore();
  await stack.prepare();
  const registry = await stack.startRegistry();
  const { adminToken, sessionKey } = stack.credentials;
  const query = await stack.startQuery({
    env: {
      REGISTRY_URL: registry.url,
      SESSION_KEY: sessionKey,
      DASHBOARD_DIR: join(REPO_ROOT, 'services', 'dashboard', 'dist'),
    },
  });
  queryUrl = query.url;
  await createDemoApplications(registry.url, adminToken);
  call = createCall((path, { method, headers, body }) =>
    fetch(`${registry.url}${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${adminToken}` },
      ...(body === undefined ? {} : { body }),
    }),
  );
  browser = await openBrowser();
  page = await signedIn(adminToken);
});

after(async () => {
  await browser.close();
  await stack.end();
});

async function signedIn(token: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const opened = await context.newPage();
  opened.on('pageerror', (error) => problems.push(error.message));
  await opened.goto(queryUrl);
  await opened.getByTestId('sign-in-token').fill(token);
  await opened.getByTestId('sign-in-submit').click();
  await opened.getByTestId('fleet-page').waitFor();
  return opened;
}

async function open(id: number): Promise<void> {
  await page.goto(`${queryUrl}/registry/${id}`);
  await page.getByTestId('history').locator('tbody tr').first().waitFor();
}

const input = (path: string) => page.getByTestId(`field-${path}`).locator('input, textarea, select').first();

async function confirm(reason: string, typedId?: number): Promise<void> {
  if (typedId !== undefined) await page.getByTestId('dialog-typed-id').fill(String(typedId));
  await page.getByTestId('dialog-reason').fill(reason);
  await page.getByTestId('dialog-confirm').click();
}

async function read(id: number) {
  return call('getApplication', { params: { sdk_app_id: id } });
}

test('the list is searched and paged by the registry', async () => {
  await page.getByTestId('registry-link').click();
  await page.getByTestId(`registry-row-${EDITED}`).waitFor();
  await page.getByTestId('registry-search').fill('skyraid');
  await page.locator('[data-testid="registry-total"][data-value="1"]').waitFor();
  await page.getByTestId('registry-row-1400010160').waitFor();
  await page.getByTestId('registry-search').fill('no such application');
  await page.getByText('No application matches.').waitFor();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByTestId(`registry-row-${EDITED}`).getByRole('link').click();
  await page.getByTestId('registry-application').waitFor();
});

test('a value is checked as it is typed, and a change is saved with its reason after its diff was shown', async () => {
  await open(EDITED);
  const contacts = input('configuration.recent_contacts_max');
  await contacts.fill('501');
  await page.getByText('A whole number from 100 to 500').waitFor();
  assert.equal(await contacts.getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByTestId('review').isDisabled(), true);
  await contacts.fill('500');
  await input('settings.quota_per_second').fill('250');
  await page.getByTestId('review').click();
  await page.getByTestId('difference-/configuration/recent_contacts_max').waitFor();
  assert.equal(await page.getByTestId('differences').last().getAttribute('data-value'), '2');
  assert.equal(
    await page.getByTestId('dialog-confirm').isDisabled(),
    true,
    'without a reason nothing is saved',
  );
  await page.screenshot({ path: join(SCREENSHOTS, 'registry-review.png') });
  await confirm('a campaign begins');
  await page.getByTestId('done').waitFor();
  await page.getByTestId('version-2').waitFor();
  const { settings, configuration } = await read(EDITED);
  assert.equal(configuration.recent_contacts_max, 500);
  assert.equal(settings.quota_per_second, 250);
  await page.screenshot({ path: join(SCREENSHOTS, 'registry-application.png'), fullPage: true });
});

test('an edit is undone by itself, or all are discarded', async () => {
  await open(EDITED);
  await input('details.owner').fill('Somebody');
  await input('configuration.friend_check').check();
  await page.getByTestId('field-details.owner').getByRole('button').click();
  assert.equal(await page.getByTestId('save-bar').getAttribute('data-value'), '1');
  await page.getByTestId('discard').click();
  await page.getByTestId('save-bar').waitFor({ state: 'detached' });
  assert.equal(await input('configuration.friend_check').isChecked(), false);
});

test('where somebody else saved meanwhile, own edits stay, and what both changed is said', async () => {
  await open(CONFLICTING);
  await input('details.owner').fill('Mine');
  await input('configuration.history_days').fill('30');
  const { revision } = await read(CONFLICTING);
  await call('changeApplication', {
    params: { sdk_app_id: CONFLICTING },
    body: { details: { owner: 'Theirs', package: 'standard' }, reason: 'theirs came first' },
    revision,
  });
  await page.getByTestId('review').click();
  await confirm('mine came second');
  const conflict = page.getByTestId('conflict');
  await conflict.waitFor();
  assert.match(await conflict.innerText(), /local operator: theirs came first/);
  assert.equal(await conflict.getAttribute('data-value'), '1', 'the owner was changed by both');
  assert.equal(await input('details.owner').inputValue(), 'Mine');
  await until(
    'their change is on the page',
    async () => (await input('details.package').inputValue()) === 'standard',
  );
  assert.equal((await read(CONFLICTING)).details.owner, 'Theirs', 'nothing was overwritten');
  await page.screenshot({ path: join(SCREENSHOTS, 'registry-conflict.png') });
  await page.getByTestId('review').click();
  await confirm('mine, seen beside theirs');
  await page.getByTestId('done').waitFor();
  const { details, configuration } = await read(CONFLICTING);
  assert.deepEqual([details.owner, details.package, configuration.history_days], ['Mine', 'standard', 30]);
});

test('two versions are compared, and an earlier one is rolled back to', async () => {
  const { revision } = await read(ROLLED_BACK);
  await call('changeApplication', {
    params: { sdk_app_id: ROLLED_BACK },
    body: { configuration: { friend_check: true }, reason: 'a try' },
    revision,
  });
  await open(ROLLED_BACK);
  await page.getByTestId('comparison').getByTestId('difference-/configuration/friend_check').waitFor();
  await page.getByTestId('version-1').getByRole('button').click();
  await page.getByTestId('dialog').getByTestId('difference-/configuration/friend_check').waitFor();
  await confirm('the try is over');
  await page.getByTestId('version-3').waitFor();
  assert.equal((await read(ROLLED_BACK)).configuration.friend_check, false);
});

test('an application is terminated after its SDKAppID was typed, shows its purge, and is restored', async () => {
  await open(ENDED);
  await page.getByTestId('terminate').click();
  await page.getByTestId('dialog-reason').fill('the contract ended');
  assert.equal(await page.getByTestId('dialog-confirm').isDisabled(), true);
  await confirm('the contract ended', ENDED);
  await page.getByTestId('purge-at').waitFor();
  await page.getByTestId('notices').waitFor();
  assert.equal(await input('details.name').isDisabled(), true);
  await page.getByTestId('lifecycle').screenshot({ path: join(SCREENSHOTS, 'registry-terminated.png') });
  await page.getByTestId('restore').click();
  await confirm('it goes on');
  await page.locator('[data-testid="lifecycle"] [data-value="active"]').waitFor();
  assert.equal((await read(ENDED)).status, 'active');
});

test('a new key is shown once, and a secret is shown by its time alone', async () => {
  await open(KEYED);
  await page.getByTestId('rotate').click();
  await confirm('the old one leaked', KEYED);
  const key = await page.getByTestId('secret').innerText();
  assert.ok(key.length >= 16);
  await page.keyboard.press('Escape');
  await page.getByTestId('shown-once').waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes(key));
  await page.getByTestId('secret-callback/signing_key').getByRole('button').click();
  await page.getByTestId('secret-value').fill('a signing key of a test');
  await confirm('callbacks begin');
  await page.getByTestId('done').waitFor();
  await page.getByTestId('secret-callback/signing_key').locator('time').waitFor();
  assert.ok(!(await page.content()).includes('a signing key of a test'));
});

const newInput = (field: string) => page.getByTestId(`new-${field}`).locator('input');

async function fillNew(id: number): Promise<void> {
  await newInput('sdk_app_id').fill(String(id));
  await newInput('name').fill('Lantern');
  await newInput('app_id').fill('1250000001');
  await newInput('uin').fill('100000000001');
  await newInput('data_centre').fill('singapore');
  await newInput('owner').fill('Messaging');
}

test('an application is created by keyboard, its values are checked as they are typed, its key is shown once', async () => {
  await page.goto(`${queryUrl}/registry`);
  await page.getByTestId(`registry-row-${EDITED}`).waitFor();
  await page.getByTestId('new-application').focus();
  await page.keyboard.press('Enter');
  await newInput('sdk_app_id').fill('0');
  await page.getByTestId('new-sdk_app_id').getByText('A whole number from 1 to').waitFor();
  await newInput('data_centre').fill('Singapore');
  await page.getByTestId('new-data_centre').getByText('Not of the form: a region in lower-case').waitFor();
  await newInput('name').fill('x'.repeat(65));
  await page.getByTestId('new-name').getByText('65 characters; 64 are allowed').waitFor();
  await page.getByTestId('dialog-reason').fill('it begins');
  assert.equal(await page.getByTestId('dialog-confirm').isDisabled(), true);
  await fillNew(CREATED);
  await page.getByTestId('dialog-reason').press('Enter');
  await page.getByTestId('shown-once').getByText(`Lantern (${CREATED}) is created`).waitFor();
  const key = await page.getByTestId('secret').innerText();
  assert.ok(key.length >= 16);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByTestId('copy').click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate<string>('navigator.clipboard.readText()'), key);
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.locator(`[data-testid="registry-application"][data-value="${CREATED}"]`).waitFor();
  await page.getByTestId('version-1').waitFor();
  assert.ok(!(await page.content()).includes(key));
  const { details, app_id: appId, uin } = await read(CREATED);
  assert.deepEqual(
    [details.name, details.data_centre, details.package, details.owner, appId, uin],
    ['Lantern', 'singapore', 'trial', 'Messaging', 1250000001, 100000000001],
  );
});

test('an SDKAppID that exists already is said at its field, and what was typed stays', async () => {
  await page.goto(`${queryUrl}/registry`);
  await page.getByTestId('new-application').click();
  await fillNew(EDITED);
  await confirm('twice');
  await page
    .getByTestId('new-sdk_app_id')
    .getByText(`application ${EDITED} exists since`, { exact: false })
    .waitFor();
  assert.equal(await newInput('sdk_app_id').getAttribute('aria-invalid'), 'true');
  assert.equal(await newInput('name').inputValue(), 'Lantern');
  assert.equal(await page.getByTestId('dialog-confirm').isDisabled(), true, 'the same is not tried again');
  await newInput('sdk_app_id').fill('1400999998');
  assert.equal(await page.getByTestId('dialog-confirm').isEnabled(), true);
  await page.keyboard.press('Escape');
});

test('the audit of an application says who, what and why, newest first, page by page', async () => {
  const secret = { name: 'callback/signing_key', value: 'a signing key of a test' };
  for (let change = 1; change <= 20; change++) {
    await call('putSecret', {
      params: { sdk_app_id: CREATED },
      body: { ...secret, reason: `change ${change}` },
    });
  }
  await open(CREATED);
  const entries = page.getByTestId('audit-entry');
  await entries.first().waitFor();
  assert.match(await entries.first().innerText(), /local operator\s+secret\.put\s+change 20$/);
  assert.equal(await entries.count(), 20);
  await page.getByTestId('audit-next').click();
  await page.locator('[data-testid="audit-entry"][data-value="application.create"]').waitFor();
  assert.equal(await entries.count(), 1);
  await page.getByTestId('audit-previous').click();
  await page.getByText('change 20').waitFor();
  assert.ok(!(await page.content()).includes(secret.value));
});

test('a reader sees neither the way to the registry nor its pages', async () => {
  const reader = await signedIn(stack.credentials.readToken);
  assert.equal(await reader.getByTestId('registry-link').count(), 0);
  await reader.goto(`${queryUrl}/registry/${EDITED}`);
  await reader.getByTestId('registry-refused').waitFor();
  await reader.context().close();
});

test('a registry that is away is said, and the figures stay', async () => {
  await stack.stop('registry');
  await page.goto(`${queryUrl}/registry`);
  await page.locator('[data-testid="failure"][data-value="unavailable"]').first().waitFor();
  await page.goto(queryUrl);
  await page.getByTestId('fleet-page').waitFor();
  await stack.start('registry');
});

test('no page failed in a script', () => {
  assert.deepEqual(problems, []);
});
