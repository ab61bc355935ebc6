/* Statements of the accounting library as questions of this service: bounded, checked and counted like all others. */
import type { Ask as AskAccounting, Statement } from '@imscope/accounting/statement.js';
import type { Static, TSchema } from 'typebox';
import { type Ask, defineStoreQuery, type StoreQuery } from '../store/ask-store.js';

/** By the shape of their rows, which each statement has one of: its check is compiled once. */
const questions = new WeakMap<TSchema, unknown>();

export function accountingAsk(ask: Ask): AskAccounting {
  return (statement, params) => ask(questionOf(statement), statement.sql, params);
}

function questionOf<Row extends TSchema>({ name, row }: Statement<Row>): StoreQuery<Static<Row>> {
  const known = questions.get(row);
  // Only questions of this very shape are stored under it.
  if (known !== undefined) return known as StoreQuery<Static<Row>>;
  const question = defineStoreQuery(name, row);
  questions.set(row, question);
  return question;
}
