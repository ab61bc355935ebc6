/*
 * Reads the evidence of a scope. Accounts are read before the ledger and the ledger before the accounts' own rows, so
 * what arrives meanwhile appears as more, never as a loss.
 */
import { readRetirements } from '../retirement/booked-retirement.js';
import { type Scope, scopeParams } from '../scope.js';
import type { Ask, StatementParams } from '../statement.js';
import {
  ACCOUNT_SEGMENTS,
  INCARNATIONS,
  KNOWN_INCARNATIONS,
  MARKS,
  RECENT_ACCOUNTS,
} from './account-statements.js';
import type { BatchSegment, Evidence, Incarnation } from './evidence.js';
import { BATCH_SEGMENTS, DUPLICATES, KEYED_BATCHES, LOSSES, OLDEST_BLOCK } from './ledger-statements.js';

/**
 * One statement after another, each over the complete scope. Rejects where `ask` rejects.
 * @param slices statements that the batches are read in, at least 1; more of them need less memory in the store
 */
export async function readEvidence(ask: Ask, scope: Scope, slices: number): Promise<Evidence> {
  const within = scopeParams(scope);
  const incarnations = await ask(INCARNATIONS, within);
  const params = { ...within, ...accountBounds(incarnations) };
  const recent = await ask(RECENT_ACCOUNTS, within);
  const marks = await ask(MARKS, params);
  const batches: BatchSegment[] = [];
  for (let slice = 0; slice < slices; slice++) {
    batches.push(...(await ask(BATCH_SEGMENTS, { ...params, slices, slice })));
  }
  const losses = await ask(LOSSES, params);
  const keyed = await ask(KEYED_BATCHES, within);
  const [duplicates] = await ask(DUPLICATES, within);
  const [oldest] = await ask(OLDEST_BLOCK, within);
  const accounts = await ask(ACCOUNT_SEGMENTS, within);
  const known = await ask(KNOWN_INCARNATIONS, {});
  const retirements = await readRetirements(ask);
  return {
    incarnations,
    marks,
    batches,
    losses,
    keyed,
    duplicateRows: duplicates?.rows ?? 0,
    sinceStart: oldest?.since_start === true,
    accounts,
    recent,
    known: new Set(known.map(({ boot }) => boot)),
    retirements,
  };
}

/** The accounts that all statements of one reading compare with. An incarnation that started within has no base. */
function accountBounds(incarnations: readonly Incarnation[]): StatementParams {
  return {
    boots: incarnations.map(({ boot }) => boot),
    base_accounts: incarnations.map(({ started_within, base_account }) =>
      started_within ? -1 : base_account,
    ),
    last_accounts: incarnations.map(({ last_account }) => last_account),
  };
}
