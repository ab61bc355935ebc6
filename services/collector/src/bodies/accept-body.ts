/*
 * A body → records appended to batches or counted only, and the list of the refused. Runs in one go, without
 * waiting: either no record of a body is accepted, or all of its good records within their applications' limits are
 * in batches.
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
  const strays = parseBody(body, bounds, (index, value) => records.accept(index, value));
  return records.finish(strays);
}
