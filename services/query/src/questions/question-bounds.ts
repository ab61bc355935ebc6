/*
 * The bounds of each question's answer, with their arithmetic. A step of time with a full histogram has 1,150 buckets of
 * about 14 bytes; a row of the store's JSON repeats the names of its columns.
 */
import { type AnswerBounds, FLAT_ROWS, HISTOGRAM_ROWS } from '../store/answer-bounds.js';

const KIB = 1 << 10;
const MIB = 1 << 20;

/** 1,000 applications with a histogram each, and for each step a sparkline's row of 165 bytes for each of them. */
export const APPLICATIONS_BOUNDS: AnswerBounds = {
  pointsMax: 120,
  rowsMax: 121_000,
  bytes: 10 * MIB,
  bytesPerPoint: 180 * KIB,
  memoryPerByte: FLAT_ROWS,
};

/** Two sums with histograms, and codes. */
export const OVERVIEW_BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 1_000,
  bytes: MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

/** 1,000 interfaces with histograms; the most frequent code of every interface there is. */
export const INTERFACES_BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 200_000,
  bytes: 16 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

export const TIMESERIES_BOUNDS: AnswerBounds = {
  pointsMax: 1_500,
  // The last step may be asked for from both sources.
  rowsMax: 2_000,
  bytes: MIB,
  bytesPerPoint: 16 * KIB,
  memoryPerByte: HISTOGRAM_ROWS,
};

/** As `timeseries`, with interfaces, regions and codes, and all of it a day before without histograms. */
export const MONITOR_BOUNDS: AnswerBounds = {
  ...TIMESERIES_BOUNDS,
  bytes: 8 * MIB,
};

/** 200 groups with three causes of 2,048 characters each. */
export const EXCEPTIONS_BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 1_000,
  bytes: 8 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};

/** 5,000 boots of 130 bytes; 2,000 pairs of application and reason, with 350 bytes of words in the answer. */
export const REFUSALS_BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 5_000,
  bytes: 2 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};

/** A point is one request: 3,300 characters at most, found in up to three goes. */
export const REQUESTS_BOUNDS: AnswerBounds = {
  pointsMax: 1_000,
  rowsMax: 1_001,
  bytes: MIB,
  bytesPerPoint: 32 * KIB,
  memoryPerByte: FLAT_ROWS,
};
