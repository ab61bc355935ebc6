/*
 * Parses a body and accepts its records. Synchronous: either no record of a body is accepted, or all of its valid records
 * within their applications' limits are appended to batches or counted.
 */
import { type Intake, type IntakeOptions, RecordIntake } from '../intake/intake.js';
import { type ParseBounds, parseBody } from './parse-body.js';
import type { BodyFormat } from './read-body.js';

/** @throws HttpError as `parseBody`, with nothing appended */
export function acceptBody(
  body: { readonly bytes: Buffer; readonly format: BodyFormat },
  bounds: ParseBounds,
  options: IntakeOptions,
): Intake {
  const records = new RecordIntake(options);
  const unmapped = parseBody(body, bounds, (index, value) => records.accept(index, value));
  return records.finish(unmapped);
}
