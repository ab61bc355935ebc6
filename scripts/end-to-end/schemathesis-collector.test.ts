/* Checks the collector against its OpenAPI document with schemathesis. */
import { after, before, test } from 'node:test';
import { assertSchemathesisPasses } from '../api-properties/run-schemathesis.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline();
});
after(() => pipeline.end());

test('schemathesis finds no answer of the collector outside its OpenAPI document', async () => {
  await assertSchemathesisPasses(pipeline.collectorUrl, pipeline.credentials.writeToken);
});
