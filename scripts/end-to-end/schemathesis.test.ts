/* Both OpenAPI documents hold for schemathesis, which knows nothing of us but them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Report, runSchemathesis } from '../api-properties/run-schemathesis.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline();
});
after(() => pipeline.end());

/** Its report is the message of a failure: it has a command line for each request. */
function assertPassed({ code, text }: Report): void {
  const [cases = 'no test cases'] = /\d+ generated, .*/.exec(text) ?? [];
  console.log(cases);
  assert.equal(code, 0, `schemathesis ended with ${code}:\n${text}`);
  assert.match(text, /\d{2,} generated, /);
}

test('schemathesis finds no answer of the collector that its OpenAPI document does not describe', async () => {
  assertPassed(await runSchemathesis(pipeline.collectorUrl, pipeline.credentials.writeToken));
});

test('schemathesis finds no answer of the query service that its OpenAPI document does not describe', async () => {
  assertPassed(await runSchemathesis(pipeline.queryUrl, pipeline.credentials.readToken));
});
