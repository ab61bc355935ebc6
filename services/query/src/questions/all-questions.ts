/*
 * All questions by the names of the contract. The compiler refuses a contract that nothing here answers.
 */
import type { QuestionName } from '@imscope/schemas/query-api/questions.js';
import { applications } from './applications.js';
import { breakdown, fleetBreakdown } from './breakdown.js';
import { callbacks } from './callbacks.js';
import { collectors } from './collectors.js';
import { exceptionGroup, fleetExceptionGroup } from './exception-group.js';
import { exceptions, fleetExceptions } from './exceptions.js';
import { fleetNodes } from './fleet-nodes.js';
import { fleetRefusals } from './fleet-refusals.js';
import { fleetHeatmap, heatmap } from './heatmap.js';
import { interfaces } from './interfaces.js';
import { monitor } from './monitor.js';
import { fleetNetwork, network } from './network.js';
import { overview } from './overview.js';
import type { Question } from './question.js';
import { refusals } from './refusals.js';
import { fleetTimeseries, timeseries } from './timeseries.js';
import { requestContext } from './request-context.js';
import { fleetRequests, requestById, requests } from './requests.js';
import { versions } from './versions.js';

export const ALL_QUESTIONS: Readonly<Record<QuestionName, Question>> = {
  applications,
  network,
  fleetNetwork,
  overview,
  interfaces,
  timeseries,
  fleetTimeseries,
  heatmap,
  fleetHeatmap,
  breakdown,
  fleetBreakdown,
  fleetNodes,
  monitor,
  callbacks,
  exceptions,
  exceptionGroup,
  fleetExceptions,
  fleetExceptionGroup,
  versions,
  requests,
  fleetRequests,
  requestById,
  requestContext,
  refusals,
  fleetRefusals,
  collectors,
};
