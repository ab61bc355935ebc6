/* The OpenAPI document of the collector holds for schemathesis, which knows nothing of us but it. */
import { after, before, test } from 'node:test';
import { assertSchemathesisPasses } from '../api-properties/run-schemathesis.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline();
});
after(() => pipeline.end());

test('schemathesis finds no answer of the collector that its OpenAPI document does not describe', async () => {
  await assertSchemathesisPasses(pipeline.collectorUrl, pipeline.credentials.writeToken);
});
