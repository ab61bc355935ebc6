/* Checks the query service against its OpenAPI document with schemathesis. */
import { after, before, test } from 'node:test';
import { assertSchemathesisPasses } from '../api-properties/run-schemathesis.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline();
});
after(() => pipeline.end());

test('schemathesis finds no answer of the query service outside its OpenAPI document', async () => {
  await assertSchemathesisPasses(pipeline.queryUrl, pipeline.credentials.readToken);
});
