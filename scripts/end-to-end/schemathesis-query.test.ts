/* The OpenAPI document of the query service holds for schemathesis, which knows nothing of us but it. */
import { after, before, test } from 'node:test';
import { assertSchemathesisPasses } from '../api-properties/run-schemathesis.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline();
});
after(() => pipeline.end());

test('schemathesis finds no answer of the query service that its OpenAPI document does not describe', async () => {
  await assertSchemathesisPasses(pipeline.queryUrl, pipeline.credentials.readToken);
});
