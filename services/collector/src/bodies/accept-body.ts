/*
 * A body → records appended to batches or counted only, and the list of the refused. Runs in one go, without
 * waiting: either no record of a body is accepted, or all of its good records within their applications' limits are
 * in batches.
 */
import { type Intake, type IntakeOptions, Taking } from '../intake/intake.js';
import { type BodyRoom, parseBody } from './parse-body.js';
import type { BodyFormat } from './read-body.js';

/** @throws HttpError as `parseBody`, with nothing appended */
export function acceptBody(
  body: { readonly bytes: Buffer; readonly format: BodyFormat },
  bounds: BodyRoom,
  options: IntakeOptions,
): Intake {
  const records = new Taking(options);
  const strays = parseBody(body, bounds, (index, value) => records.take(index, value));
  return records.finish(strays);
}
