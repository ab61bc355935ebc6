/* The callbacks through which the live tail observes the intake of one request. */
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import type { Rejection } from './reject-reasons.js';

export type IntakeWatch = {
  readonly accepted: (record: NewRequestLog, weight: number) => void;
  /** @param sdkAppId 0 if the application is unknown */
  readonly refused: (rejection: Rejection, sdkAppId: number) => void;
};
