/*
 * Whose requests a question is about: those of one application, or of all that the caller may read. Terminated
 * applications are not readable; the refusal reads the same for both.
 */
import { type Grant, mayNotRead, requireApplication } from '@imscope/access/grant.js';
import type { QueryParams } from '../store/ask-store.js';

/**
 * Terminated applications that a question about all leaves out; beyond, those that were terminated first are not left
 * out. Their records have been refused since, so they are gone when their term is over.
 */
const LEFT_OUT_MAX = 10_000;

export type ReadScope =
  | { readonly kind: 'only'; readonly applications: readonly number[] }
  | { readonly kind: 'all_but'; readonly applications: readonly number[] };

export type Subject =
  | { readonly kind: 'application'; readonly sdkAppId: number }
  | { readonly kind: 'fleet'; readonly scope: ReadScope };

type Condition = { readonly sql: string; readonly params: QueryParams };

/** @param terminated in the order of their termination */
export function readScope(grant: Grant, terminated: ReadonlySet<number>): ReadScope {
  if (grant.applications === 'all') {
    return { kind: 'all_but', applications: [...terminated].slice(-LEFT_OUT_MAX) };
  }
  const applications = [...grant.applications].filter((sdkAppId) => !terminated.has(sdkAppId));
  return { kind: 'only', applications };
}

/** Throws `HttpError` not_allowed. */
export function requireReadable(grant: Grant, sdkAppId: number, terminated: ReadonlySet<number>): void {
  requireApplication(grant, sdkAppId);
  if (terminated.has(sdkAppId)) throw mayNotRead(grant, sdkAppId);
}

/** The condition of the scope on a column, and its bound values. */
export function scopeSql(column: string, scope: ReadScope): Condition {
  const { kind, applications } = scope;
  if (kind === 'all_but' && applications.length === 0) return { sql: 'true', params: {} };
  const operator = kind === 'only' ? 'IN' : 'NOT IN';
  return {
    sql: `${column} ${operator} {scope_ids:Array(UInt64)}`,
    params: { scope_ids: applications },
  };
}

/** The condition on `sdk_app_id`, of logs and of metrics. */
export function subjectSql(subject: Subject): Condition {
  if (subject.kind === 'fleet') return scopeSql('sdk_app_id', subject.scope);
  return { sql: 'sdk_app_id = {sdk_app_id:UInt64}', params: { sdk_app_id: subject.sdkAppId } };
}

/** The applications of a subject. */
export function scopeOf(subject: Subject): ReadScope {
  return subject.kind === 'fleet' ? subject.scope : { kind: 'only', applications: [subject.sdkAppId] };
}

/** Equal for equal subjects; a key of what is remembered. */
export function subjectKey(subject: Subject): string {
  if (subject.kind === 'application') return String(subject.sdkAppId);
  return `${subject.scope.kind} ${subject.scope.applications.toSorted((a, b) => a - b).join(',')}`;
}
