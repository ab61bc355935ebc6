import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FleetPage } from '@imscope/schemas/query-api/applications.js';
import type { Exceptions } from '@imscope/schemas/query-api/exceptions.js';
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import type { RequestPage } from '@imscope/schemas/query-api/requests.js';
import type { SignInCode } from '@imscope/schemas/query-api/session.js';
import type { Browser, Page } from 'playwright-core';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendHistory } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { openBrowser } from './browser.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

const RECORDS = 20_000;
/** Directory of screenshots of every page under test, for review by people. */
const SCREENSHOTS = join(REPO_ROOT, '.imscope', 'screenshots');

let pipeline: Pipeline;
let browser: Browser;
let page: Page;
let span: string;
const problems: string[] = [];

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  pipeline = await startPipeline({
    query: { DASHBOARD_DIR: join(REPO_ROOT, 'services', 'dashboard', 'dist') },
  });
  const traffic = createTraffic({ seed: 5, applications: 8 });
  const truth = new Truth(traffic.applications, traffic.series, false);
  const client = openCollector({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    connections: 4,
    giveUpAfterMs: 30_000,
  });
  const toMs = Math.floor(Date.now() / 60_000) * 60_000;
  await sendHistory({ traffic, client, truth, fromMs: toMs - 3_600_000, toMs, count: RECORDS });
  await client.close();
  await pipeline.untilStored(RECORDS);
  span = `from=${encodeURIComponent(new Date(toMs - 3_600_000).toISOString())}&to=${encodeURIComponent(new Date(toMs).toISOString())}`;
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('401')) problems.push(message.text());
  });
});

after(async () => {
  await browser.close();
  await pipeline.end();
});

async function signInCode(): Promise<string> {
  const response = await fetch(`${pipeline.queryUrl}/v1/sign-in-codes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${pipeline.credentials.readToken}` },
  });
  assert.ok(response.ok, `sign-in code: ${response.status}`);
  return ((await response.json()) as SignInCode).code;
}

/** The exact value of a figure on the page; '' where it is null. */
async function valueOf(testId: string): Promise<string> {
  const element = page.getByTestId(testId).first();
  await element.waitFor();
  return (await element.getAttribute('data-value')) ?? assert.fail(`${testId} has no data-value`);
}

async function assertShows(testId: string, expected: number | null): Promise<void> {
  const shown = await valueOf(testId);
  assert.equal(shown, expected === null ? '' : String(expected), testId);
}

test('a sign-in link opens the fleet once, and the code does not stay in the address', async () => {
  const code = await signInCode();
  await page.goto(`${pipeline.queryUrl}/?${span}#sign-in=${code}`);
  await page.getByTestId('fleet-page').waitFor();
  assert.doesNotMatch(page.url(), /sign-in/);
  const second = await browser.newPage();
  await second.goto(`${pipeline.queryUrl}/#sign-in=${code}`);
  await second.getByTestId('sign-in-error').waitFor();
  await second.screenshot({ path: join(SCREENSHOTS, 'sign-in-expired.png') });
  await second.close();
});

test('the fleet shows the API’s figures for every application, worst first', async () => {
  const { data } = await pipeline.ask<FleetPage>(`/v1/applications?${span}`);
  assert.equal(data.totals.applications, 8);
  for (const row of data.applications) {
    await assertShows(`fleet-success-rate-${row.sdk_app_id}`, row.success_rate);
    await assertShows(`fleet-service-errors-${row.sdk_app_id}`, row.outcomes.service_error);
    await assertShows(`fleet-p95-${row.sdk_app_id}`, row.latency_ms.p95);
  }
  const rows = await page
    .locator('[data-testid^="fleet-row-"]')
    .evaluateAll((found) => found.map((row) => row.getAttribute('data-testid')));
  assert.deepEqual(
    rows,
    data.applications.map(({ sdk_app_id: id }) => `fleet-row-${id}`),
  );
  await page.screenshot({ path: join(SCREENSHOTS, 'fleet.png') });
});

test('an application opens from its row and shows the API’s figures', async () => {
  const { data } = await pipeline.ask<FleetPage>(`/v1/applications?${span}`);
  const id = data.applications.toSorted((a, b) => b.requests - a.requests)[0]?.sdk_app_id;
  await page.getByTestId(`fleet-row-${id}`).getByRole('link').first().click();
  await page.getByTestId('application-page').waitFor();
  assert.match(page.url(), new RegExp(`/applications/${id}`));
  const { data: overview } = await pipeline.ask<Overview>(`/v1/applications/${id}/overview?${span}`);
  await assertShows('tile-requests', overview.requests);
  await assertShows('tile-success-rate', overview.success_rate);
  await assertShows('tile-service-errors', overview.outcomes.service_error);
  for (const name of ['p50', 'p95', 'p99'] as const)
    await assertShows(`tile-${name}`, overview.latency_ms[name]);
  const { data: interfaces } = await pipeline.ask<InterfaceRow[]>(
    `/v1/applications/${id}/interfaces?${span}`,
  );
  for (const row of interfaces.slice(0, 8)) {
    await assertShows(`interface-requests-${row.interface}`, row.requests);
    await assertShows(`interface-success-rate-${row.interface}`, row.success_rate);
    await assertShows(`interface-p99-${row.interface}`, row.latency_ms.p99);
  }
  await page.locator('[data-testid="request-row"]').first().waitFor();
  await page.screenshot({ path: join(SCREENSHOTS, 'application.png'), fullPage: true });
});

/** Entries of this tab's history. */
async function historyLength(): Promise<number> {
  return Number(await page.evaluate('history.length'));
}

test('a drag over a chart adds one history entry, and Back undoes it', async () => {
  const before = page.url();
  const entries = await historyLength();
  const box = await page.getByTestId('chart-requests').locator('.u-over').boundingBox();
  assert.ok(box !== null);
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.3, y);
  await page.mouse.down();
  for (const share of [0.4, 0.5, 0.6, 0.7]) await page.mouse.move(box.x + box.width * share, y);
  await page.mouse.up();
  await page.waitForURL((url) => url.href !== before);
  const zoomed = page.url();
  assert.equal(await historyLength(), entries + 1);
  await page.goBack();
  await page.waitForURL(before);
  await page.goForward();
  await page.waitForURL(zoomed);
  await page.goBack();
  await page.waitForURL(before);
});

test('each sort, filter and choice adds at most one history entry, and typing adds none until it is applied', async () => {
  const steps: readonly (readonly [what: string, act: () => Promise<void>, entries: number])[] = [
    [
      'a sort',
      () =>
        page
          .getByTestId('interfaces')
          .getByRole('button', { name: /^Requests/ })
          .click(),
      1,
    ],
    [
      'an outcome',
      () =>
        page
          .getByTestId('filter-outcome')
          .selectOption('service_error')
          .then(() => undefined),
      1,
    ],
    ['typing', () => page.getByTestId('filter-code').pressSequentially('91000'), 0],
    ['Enter', () => page.getByTestId('filter-code').press('Enter'), 1],
    ['a window', () => page.getByTestId('window').getByRole('button', { name: '24 h' }).click(), 1],
  ];
  const start = page.url();
  let made = 0;
  for (const [what, act, expected] of steps) {
    const url = page.url();
    await act();
    if (expected > 0) await page.waitForURL((next) => next.href !== url).catch(() => assert.fail(what));
    else assert.equal(page.url(), url, what);
    made += expected;
  }
  for (let back = 0; back < made; back++) await page.goBack();
  await page.waitForURL(start);
});

test('“Show requests” of an exception lists the requests of its group', async () => {
  const id = await valueOf('application-page');
  const { data } = await pipeline.ask<Exceptions>(`/v1/applications/${id}/exceptions?${span}`);
  const [group] = data.groups;
  assert.ok(group !== undefined);
  const address = page.url();
  await page.getByTestId(`exception-${group.id}`).getByText('Show requests').click();
  await page.waitForURL((url) => url.href !== address);
  // The list may hold other causes of the same exception, code and outcomes.
  const alike = data.groups.filter(
    ({ exception, code }) => exception === group.exception && code === group.code,
  );
  const filters = new URLSearchParams({
    exception: group.exception,
    code: group.code === null ? 'none' : String(group.code),
    limit: '1000',
  });
  for (const [outcome, count] of Object.entries(group.outcomes))
    if (count > 0) filters.append('outcome', outcome);
  const found = await pipeline.ask<RequestPage>(
    `/v1/applications/${id}/requests?${span}&${filters.toString()}`,
  );
  const weights = found.data.requests.map(({ weight }) => weight);
  const matching = weights.reduce((sum, weight) => sum + weight, 0);
  assert.ok(matching >= group.count);
  assert.ok(matching <= alike.reduce((sum, { count }) => sum + count, 0));
  await page.locator(`[data-testid="matching"][data-value="${matching}"]`).waitFor();
  const shown = await valueOf('requests-shown');
  assert.equal(Number(shown), Math.min(weights.length, 50));
  await page.screenshot({ path: join(SCREENSHOTS, 'exception-requests.png') });
  await page.goBack();
  await page.waitForURL(address);
});

test('a page without requests says so, and shows no figures of requests', async () => {
  const address = page.url();
  const id = await valueOf('application-page');
  await page.goto(`${pipeline.queryUrl}/applications/${id}?${span}&node=no-such-node`);
  await page.getByText('No requests in this window match the filters above.').waitFor();
  await page.getByTestId('codes').getByText('No requests in this window.').waitFor();
  assert.equal(await page.getByText('Every request').count(), 0);
  await page.screenshot({ path: join(SCREENSHOTS, 'application-empty.png'), fullPage: true });
  await page.goto(`${pipeline.queryUrl}/?from=now-9d`);
  await page.getByTestId('clipped').getByText('showing 7 d').waitFor();
  await page.goto(address);
  await page.getByTestId('application-page').waitFor();
});

test('a phone’s width shows both pages without scrolling sideways', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, address] of [
    ['application', page.url()],
    ['fleet', `${pipeline.queryUrl}/?${span}`],
  ] as const) {
    await page.goto(address);
    await page.getByTestId(`${name}-page`).waitFor();
    await page.locator('[data-testid="request-row"], [data-testid^="fleet-row-"]').first().waitFor();
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    assert.equal(overflow, 0, `${name} is ${String(overflow)} pixels too wide`);
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-phone.png`) });
  }
});

test('signing out closes the pages', async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByTestId('sign-out').click();
  await page.getByTestId('sign-in-token').waitFor();
  const response = await page.request.get(`${pipeline.queryUrl}/v1/applications`);
  assert.equal(response.status(), 401);
});

test('the browser’s console has no errors', () => {
  assert.deepEqual(problems, []);
});
