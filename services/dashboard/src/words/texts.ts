/*
 * Every text that a person sees, by area. Components take texts from here and nowhere else; a text with values is a
 * function of them. A second language is a second object of type `Texts`, chosen here, and another `locale.ts`.
 */
import { applicationTexts } from './application-texts.js';
import { chartTexts } from './chart-texts.js';
import { failureTexts } from './failure-texts.js';
import { figureTexts } from './figure-texts.js';
import { firstRequestTexts } from './first-request-texts.js';
import { fleetTexts } from './fleet-texts.js';
import { headerTexts } from './header-texts.js';
import { listTexts } from './list-texts.js';
import { refusalTexts } from './refusal-texts.js';
import { requestTexts } from './request-texts.js';
import { sessionTexts } from './session-texts.js';
import { windowTexts } from './window-texts.js';

export const texts = {
  application: applicationTexts,
  chart: chartTexts,
  failure: failureTexts,
  figure: figureTexts,
  firstRequest: firstRequestTexts,
  fleet: fleetTexts,
  header: headerTexts,
  list: listTexts,
  refusal: refusalTexts,
  request: requestTexts,
  session: sessionTexts,
  window: windowTexts,
};

export type Texts = typeof texts;
