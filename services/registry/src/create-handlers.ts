/* The handler of each operation of the API, out of the rooms that own them. */
import { changeApplication, rollback } from './applications/change-state.js';
import { resumeApplication, suspendApplication } from './applications/change-status.js';
import { putCertificate, putSecret, rotateKey, testCallback } from './applications/change-secrets.js';
import { createApplication } from './applications/create-application.js';
import { importApplications } from './applications/import/import-applications.js';
import { createToken, listTokens, revokeToken } from './applications/manage-tokens.js';
import {
  diffVersions,
  getApplication,
  getVersion,
  listApplications,
  listVersions,
} from './applications/read-applications.js';
import { listAudit } from './applications/read-audit.js';
import {
  type LifecycleDependencies,
  restoreApplication,
  terminateApplication,
} from './applications/terminate-application.js';
import { createExport, type ExportDependencies } from './exports/create-export.js';
import { listExports } from './exports/list-exports.js';
import { getPurge, listNotices, listPurges } from './lifecycle/lifecycle-operations.js';
import type { Handlers } from './operations/operation-call.js';
import { listSharings } from './sharing/list-sharings.js';

export type HandlerDependencies = LifecycleDependencies & {
  readonly isTrtcConfigured: boolean;
  readonly exports: ExportDependencies;
};

export function createHandlers(dependencies: HandlerDependencies): Handlers {
  const { database, isTrtcConfigured } = dependencies;
  return {
    listApplications: listApplications(dependencies),
    createApplication: createApplication(dependencies),
    getApplication: getApplication(dependencies),
    changeApplication: changeApplication(dependencies),
    listVersions: listVersions(dependencies),
    getVersion: getVersion(dependencies),
    diffVersions: diffVersions(dependencies),
    rollback: rollback(dependencies),
    suspendApplication: suspendApplication(dependencies),
    resumeApplication: resumeApplication(dependencies),
    terminateApplication: terminateApplication(dependencies),
    restoreApplication: restoreApplication(dependencies),
    rotateKey: rotateKey(dependencies),
    putSecret: putSecret(dependencies),
    putCertificate: putCertificate(dependencies),
    testCallback: testCallback(dependencies),
    listSharings: listSharings(database, isTrtcConfigured),
    listTokens: listTokens(dependencies),
    createToken: createToken(dependencies),
    revokeToken: revokeToken(dependencies),
    importApplications: importApplications(dependencies),
    createExport: createExport(dependencies.exports),
    listExports: listExports(dependencies.exports),
    listAudit: listAudit(dependencies),
    listNotices: listNotices(database),
    listPurges: listPurges(database),
    getPurge: getPurge(database),
  };
}
