import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import type { Refusals } from '@imscope/schemas/query-api/refusals.js';
import type { Browser, Page } from 'playwright-core';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { openBrowser } from './browser.js';

const SCREENSHOTS = join(REPO_ROOT, '.imscope', 'screenshots');
const APPLICATION = 1_400_000_001;
const WAIT_MS = 90_000;

let pipeline: Pipeline;
let browser: Browser;
let page: Page;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  pipeline = await startPipeline({
    collector: { ACCOUNT_INTERVAL_MS: '1000' },
    query: { DASHBOARD_DIR: join(REPO_ROOT, 'services', 'dashboard', 'dist') },
  });
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
});

after(async () => {
  await browser.close();
  await pipeline.end();
});

function record(changes: Record<string, unknown> = {}): object {
  return {
    time: Date.now(),
    sdk_app_id: APPLICATION,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12.5,
    code: 0,
    ...changes,
  };
}

async function send(body: string, contentType: string): Promise<void> {
  const response = await fetch(`${pipeline.collectorUrl}/v1/request-logs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${pipeline.credentials.writeToken}`, 'content-type': contentType },
    body,
  });
  assert.equal(response.status, 202);
}

/** Waits for at least `records` refused records. @returns the answer */
async function refused(records: number): Promise<FleetRefusals> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const { data } = await pipeline.ask<FleetRefusals>('/v1/refusals?from=now-15m');
    if (data.records >= records) return data;
    if (performance.now() > deadline) throw new Error(`refused so far: ${JSON.stringify(data)}`);
    await sleep(200);
  }
}

test('refused records are counted by application and reason', async () => {
  const lines = [
    ...Array.from({ length: 40 }, () => record()),
    ...Array.from({ length: 12 }, () => record({ date: 1_700_000_000 })),
    record({ exit_ip: 'none' }),
  ];
  // NDJSON under application/json, with one line without an application.
  await send(`${lines.map((one) => JSON.stringify(one)).join('\n')}\n{"broken\n`, 'application/json');
  const { applications, records } = await refused(14);
  assert.equal(records, 14);
  assert.deepEqual(
    applications.map(({ sdk_app_id: id, reasons }) => [id, reasons.map((one) => [one.reason, one.records])]),
    [
      [
        APPLICATION,
        [
          ['unknown_field', 12],
          ['invalid_ip', 1],
        ],
      ],
      [null, [['malformed_json', 1]]],
    ],
  );
  const one = await pipeline.ask<Refusals>(`/v1/applications/${APPLICATION}/refusals?from=now-15m`);
  assert.equal(one.data.records, 13);
});

test('both pages show the refused records, and what to do when unfolded', async () => {
  const response = await fetch(`${pipeline.queryUrl}/v1/sign-in-codes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${pipeline.credentials.readToken}` },
  });
  const { code } = (await response.json()) as { code: string };
  await pipeline.untilStored(40);
  await page.goto(`${pipeline.queryUrl}/#sign-in=${code}`);
  const notice = page.getByTestId('refusals');
  await notice.waitFor();
  assert.equal(await notice.getAttribute('data-value'), '14');
  await page.getByTestId(`fleet-row-${APPLICATION}`).waitFor();
  await page.screenshot({ path: join(SCREENSHOTS, 'refusals-fleet.png') });
  await notice.locator('summary').click();
  assert.equal(await page.getByTestId('refused-none').getAttribute('data-value'), '1');
  assert.equal(await page.getByTestId('refusal-unknown_field').getAttribute('data-value'), '12');
  await page.screenshot({ path: join(SCREENSHOTS, 'refusals-fleet-open.png') });
  await page.getByTestId(`refused-${APPLICATION}`).getByRole('link').click();
  await page.getByTestId('application-page').waitFor();
  await page.getByTestId('refusals').locator('summary').click();
  await page.getByTestId('refusal-invalid_ip').waitFor();
  assert.equal(await page.getByTestId('refusals').getAttribute('data-value'), '13');
  await page.screenshot({ path: join(SCREENSHOTS, 'refusals-application.png') });
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  assert.equal(overflow, 0);
  await page.screenshot({ path: join(SCREENSHOTS, 'refusals-phone.png') });
});
