import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FILTER_PARAMETERS,
  METRIC_FILTER_PARAMETERS,
  DETAIL_FILTER_PARAMETERS,
} from '@imscope/schemas/query-api/filter-parameters.js';
import { STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';
import { filterOf, metricsHave } from '../src/figures/filter.js';

const WINDOW = { fromMs: 0, toMs: 60_000 };
const FILTERED = STORED_FIELDS.filter(({ filter }) => filter !== null);

function names(accepts: (field: (typeof FILTERED)[number]) => boolean): string[] {
  return FILTERED.filter(accepts).map(({ name }) => name);
}

test('every field with a filter is a parameter of the questions that the table names, and no other but the provider', () => {
  assert.deepEqual(Object.keys(FILTER_PARAMETERS), [
    ...names(({ filter }) => filter?.questions === 'every'),
    'isp',
  ]);
  assert.deepEqual(
    Object.keys(DETAIL_FILTER_PARAMETERS),
    names(({ filter }) => filter?.questions === 'detail'),
  );
  assert.deepEqual(
    Object.keys(METRIC_FILTER_PARAMETERS),
    names(({ filter }) => filter?.inMetrics === true),
  );
});

test('a filter is a condition on its own column, with its values bound', () => {
  for (const { name, type } of FILTERED) {
    const values = type === 'int' ? ['7'] : ['seven'];
    const { sql, params } = filterOf({ kind: 'application', sdkAppId: 1 }, WINDOW, { [name]: values });
    const clause = `${name} IN {${name}:Array(${type === 'int' ? 'Int32' : 'String'})}`;
    assert.ok(sql.endsWith(`\n  AND ${clause}`), sql);
    assert.deepEqual(params[name], type === 'int' ? [7] : values);
  }
});

test('requests without a code are kept beside those with one of the codes given', () => {
  const { sql, params } = filterOf({ kind: 'application', sdkAppId: 1 }, WINDOW, { code: ['none', '20005'] });
  assert.ok(sql.endsWith('AND (code IN {code:Array(Int32)} OR code IS NULL)'), sql);
  assert.deepEqual(params['code'], [20_005]);
});

test('metrics answer a question only where they have every field that is filtered by', () => {
  for (const { name, filter } of FILTERED) {
    const query = { interface: ['openim/sendmsg'], [name]: ['1'] };
    assert.equal(metricsHave(query), filter?.inMetrics, name);
    const { metricSql } = filterOf({ kind: 'application', sdkAppId: 1 }, WINDOW, query);
    assert.equal(metricSql.includes(`${name} IN`), filter?.inMetrics, metricSql);
  }
  assert.equal(metricsHave({ isp: ['Example'] }), false);
  assert.equal(metricsHave({ node: [] }), true);
});
