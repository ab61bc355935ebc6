/*
 * The dimensions of the contract in the store: for each the expression that gives its value, and the form in which
 * answers show it.
 */
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import type { Dimension, GroupValues } from '@imscope/schemas/query-api/dimensions.js';
import { ispSql } from './network-sql.js';

/** A value as the store gives it. */
export type StoredValue = string | number;

type DimensionColumn = {
  /** Over the logs. */
  readonly logs: string;
  /** Over the metrics, named `m`; null where metrics do not have it. */
  readonly metrics: string | null;
  /** ClickHouse's type of the value. */
  readonly type: 'String' | 'UInt64' | 'Int64' | 'Int8';
};

/** Beyond 32 bits, so no code. */
const NO_CODE = 4_294_967_296;

const text = (column: string): DimensionColumn => ({ logs: column, metrics: null, type: 'String' });

const COLUMNS: Readonly<Record<Dimension, DimensionColumn>> = {
  application: { logs: 'sdk_app_id', metrics: 'm.sdk_app_id', type: 'UInt64' },
  interface: { ...text('interface'), metrics: 'm.interface' },
  code: { logs: `ifNull(toInt64(code), ${NO_CODE})`, metrics: null, type: 'Int64' },
  outcome: { logs: 'toInt8(outcome)', metrics: null, type: 'Int8' },
  exception: text('exception'),
  node: text('node'),
  region: { ...text('region'), metrics: 'm.region' },
  isp: text(ispSql('exit_ip')),
  platform: text('platform'),
  sdk_version: text('sdk_version'),
};

export function columnOf(dimension: Dimension): DimensionColumn {
  return COLUMNS[dimension];
}

/** Whether metrics can be grouped by all of them. */
export function metricsGroupBy(dimensions: readonly Dimension[]): boolean {
  return dimensions.every((dimension) => COLUMNS[dimension].metrics !== null);
}

/** @param values one for each dimension, in the same order */
export function groupValuesOf(dimensions: readonly Dimension[], values: readonly StoredValue[]): GroupValues {
  return Object.assign(
    {},
    ...dimensions.map((dimension, index) => shownValue(dimension, values[index] ?? '')),
  );
}

function shownValue(dimension: Dimension, value: StoredValue): GroupValues {
  if (dimension === 'application') return { application: Number(value) };
  if (dimension === 'code') return { code: value === NO_CODE ? null : Number(value) };
  if (dimension === 'outcome') return { outcome: OUTCOMES[Number(value)] ?? 'unknown' };
  return { [dimension]: String(value) };
}
