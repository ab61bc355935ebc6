/* What one request's intake shows to live viewers of its sender. */
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import type { Rejection } from './reject-reasons.js';

export type IntakeWatch = {
  readonly accepted: (record: NewRequestLog, weight: number) => void;
  /** @param sdkAppId 0 where it is nobody's that can be told */
  readonly refused: (rejection: Rejection, sdkAppId: number) => void;
};
