/*
 * The questions as commands: `imscope query overview 1400000001`. A question about one application and the same one about
 * the fleet are one command, and the application decides. Names come from the one list of questions.
 */
import { ApplicationPath } from '@imscope/schemas/query-api/parameters.js';
import type { QuestionContract } from '@imscope/schemas/query-api/question-contract.js';
import { bodySchema, type QuestionName, QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { type TSchema, Type } from 'typebox';

/** A question as it is asked with these parameters in its path. */
export type QuestionForm = {
  readonly question: QuestionName;
  readonly contract: QuestionContract;
  /** Names in the path, in order. */
  readonly pathParameters: readonly string[];
  /** By name, without those of the path. */
  readonly options: Readonly<Record<string, TSchema>>;
};

export type QuestionCommand = {
  readonly name: string;
  /** One, or two: about an application, and about the fleet. */
  readonly forms: readonly QuestionForm[];
};

/** All commands, in the order of the list of questions. */
export function questionCommands(): QuestionCommand[] {
  const byName = new Map<string, QuestionForm[]>();
  for (const [question, contract] of Object.entries(QUESTIONS)) {
    if (!isQuestion(question)) continue;
    const name = commandName(question);
    byName.set(name, [...(byName.get(name) ?? []), formOf(question, contract)]);
  }
  return [...byName].map(([name, forms]) => ({ name, forms }));
}

/** The form with as many path parameters as were given; undefined: there is none. */
export function formFor({ forms }: QuestionCommand, given: readonly string[]): QuestionForm | undefined {
  return forms.find(({ pathParameters }) => pathParameters.length === given.length);
}

/** All parameters of a form, as the client takes them. */
export function parametersSchema({ contract, pathParameters }: QuestionForm) {
  const path = Object.fromEntries(pathParameters.map((name) => [name, pathSchema(name)]));
  return Type.Object({ ...bodySchema(contract).properties, ...path }, { additionalProperties: false });
}

export function pathSchema(name: string): TSchema {
  return name === 'sdk_app_id' ? ApplicationPath.properties.sdk_app_id : Type.String({ minLength: 1 });
}

function formOf(question: QuestionName, contract: QuestionContract): QuestionForm {
  const pathParameters = [...contract.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  // `times` is for other programs: tables show times, and --json gives them as text.
  const { times: _, ...options } = bodySchema(contract).properties;
  return { question, contract, pathParameters, options };
}

/** `fleetRefusals` → `refusals`, as `refusals` is; `requestById` → `request-by-id`. */
function commandName(question: QuestionName): string {
  const base = question.replace(/^fleet(?=[A-Z])/, '');
  return base.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^-/, '');
}

function isQuestion(name: string): name is QuestionName {
  return name in QUESTIONS;
}
