/*
 * A question as the description of the API has it: parameters, answer, errors and an example of each.
 */
import { errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import type { QuestionContract } from '@imscope/schemas/query-api/question-contract.js';
import {
  answerSchema,
  bodySchema,
  pathSchema,
  type QuestionName,
  querySchema,
} from '@imscope/schemas/query-api/questions.js';
import { SECURITY } from '../access/security.js';
import { readExample, withExample, withMemberExamples } from './answer-examples.js';
import { withEitherTimes } from './answer-times.js';

/** Of requests with a body. */
const BODY_ERRORS = [413, 415] as const;
const ANSWER_ERRORS = [400, 401, 403, 422, 503, 504] as const;

export function describeQuestion(name: QuestionName, contract: QuestionContract, method: 'GET' | 'POST') {
  const { operationId, summary, tokenScope, mayNotBeFound } = contract;
  const path = pathSchema(contract);
  const example = readExample(name);
  const parameters = example?.parameters ?? {};
  const inPath = new Set(Object.keys(path?.properties ?? {}));
  const inBody = Object.fromEntries(Object.entries(parameters).filter(([one]) => !inPath.has(one)));
  const answer = withEitherTimes(answerSchema(contract));
  const body = bodySchema(contract);
  const errorStatuses = [
    ...(method === 'GET' ? [] : BODY_ERRORS),
    ...(mayNotBeFound === true ? ([404] as const) : []),
    ...ANSWER_ERRORS,
  ];
  return {
    operationId: method === 'GET' ? operationId : `${operationId}ByPost`,
    summary: method === 'GET' ? summary : `${summary}. The same with its parameters in the body`,
    tags: ['applications'],
    security: tokenScope === 'requests' ? SECURITY.requestReader : SECURITY.reader,
    response: {
      200: example === undefined ? answer : withExample(answer, example.answer),
      ...errorAnswers(...errorStatuses),
    },
    ...(path === undefined ? {} : { params: withMemberExamples(path, parameters) }),
    ...(method === 'GET'
      ? { querystring: withMemberExamples(querySchema(contract), parameters) }
      : { body: example === undefined ? body : withExample(body, inBody) }),
  };
}
