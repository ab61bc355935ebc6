/* Metrics of the records that were read: how many, why some were refused, what was removed from them. */
import type { MetricMaker } from '../metrics/metric-maker.js';
import { type Intake, received } from './intake.js';

export type IntakeMetrics = ReturnType<typeof createIntakeMetrics>;

export function createIntakeMetrics(metrics: MetricMaker) {
  return {
    recordsReceived: metrics.counter('records_received_total', 'records read from bodies, good and bad'),
    recordsRejected: metrics.counter('records_rejected_total', 'records refused, by reason', ['reason']),
    fieldsDropped: metrics.counter(
      'personal_fields_dropped_total',
      'fields about a person that were removed from records',
    ),
    attributesIgnored: metrics.counter(
      'attributes_ignored_total',
      'attributes of OTLP logs that are neither a field of a record nor about a person',
    ),
    piecesScrubbed: metrics.counter(
      'text_pieces_scrubbed_total',
      'pieces about a person, or credentials, that were removed from texts',
    ),
    interfaceIdsTaken: metrics.counter(
      'interface_ids_taken_total',
      'records whose interface had ids or numbers in its path',
    ),
    interfacesOverflowed: metrics.counter(
      'interfaces_overflowed_total',
      'records counted under other/overflow because there are too many interfaces',
    ),
  };
}

/** Adds the records of a request, or of a batch of a tailed file. */
export function countIntake(intake: Intake, metrics: IntakeMetrics): void {
  for (const [reason, records] of intake.rejectedByReason) metrics.recordsRejected.inc({ reason }, records);
  metrics.recordsReceived.inc(received(intake));
  if (intake.fieldsDropped > 0) metrics.fieldsDropped.inc(intake.fieldsDropped);
  if (intake.attributesIgnored > 0) metrics.attributesIgnored.inc(intake.attributesIgnored);
  if (intake.piecesScrubbed > 0) metrics.piecesScrubbed.inc(intake.piecesScrubbed);
  if (intake.idsReplaced > 0) metrics.interfaceIdsTaken.inc(intake.idsReplaced);
}
