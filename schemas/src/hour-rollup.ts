/* Facts of the table `hour_rollup` (schemas/clickhouse/0011_hour_rollup.sql and 0016) that its writer and its readers share. */

/**
 * Sums of an application are built of so many milliseconds too (`application_10m`), and the hour that runs is built up to a
 * multiple of them.
 */
export const ROLLUP_SLICE_MS = 600_000;
