/* Suspends an application, and resumes it. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';
import type { Handler } from '../operations/operation-call.js';
import { readChangeable } from './change-state.js';
import type { ApplicationDependencies } from './dependencies.js';
import { applicationAnswer } from './read-complete.js';
import { writeChange } from './write-change.js';

export function suspendApplication(dependencies: ApplicationDependencies): Handler<'suspendApplication'> {
  return changeStatus(dependencies, { from: 'active', to: 'suspended', action: 'application.suspend' });
}

export function resumeApplication(dependencies: ApplicationDependencies): Handler<'resumeApplication'> {
  return changeStatus(dependencies, { from: 'suspended', to: 'active', action: 'application.resume' });
}

function changeStatus(
  dependencies: ApplicationDependencies,
  { from, to, action }: { from: ApplicationStatus; to: ApplicationStatus; action: string },
): Handler<'suspendApplication'> {
  return async (call) => {
    const before = await readChangeable(dependencies, call);
    if (before.stored.status !== from) {
      throw new HttpError(
        'wrong_state',
        `application ${call.params.sdk_app_id} is ${before.stored.status}: only one that is ${from} can become ${to}`,
      );
    }
    const after = await writeChange(dependencies, {
      before,
      rows: { status: to },
      action,
      author: call.caller.name,
      reason: call.body.reason,
      paths: ['/status'],
      nowMs: call.nowMs,
    });
    return applicationAnswer(dependencies, after);
  };
}
