/* What the command `check` tests beside the settings themselves. */
import { X509Certificate } from 'node:crypto';
import { readableApplicationsFile } from '@imscope/access/readable-applications-file.js';
import type { Config } from '@imscope/runtime/config.js';
import type { SERVICE_SETTINGS } from '@imscope/runtime/service.js';
import {
  differentPorts,
  hostAddress,
  hostPorts,
  type Probe,
  probe,
  writableDirectory,
} from '@imscope/runtime/setting-probes.js';
import { readCertificate } from './connections/certificate.js';
import type { CollectorConfig } from './config.js';

type Checked = CollectorConfig & Config<typeof SERVICE_SETTINGS>;

export const COLLECTOR_PROBES: readonly Probe<Checked>[] = [
  hostAddress('collectorHost'),
  differentPorts('collectorPort', 'adminPort'),
  differentPorts('collectorPort', 'proxyProtocolPort'),
  differentPorts('adminPort', 'proxyProtocolPort'),
  readableApplicationsFile('registryFile'),
  writableDirectory('spoolDir'),
  hostPorts('kafkaBrokers'),
  probe('tlsCertFile', checkCertificate, ['tlsKeyFile']),
];

/** @throws Error where the pair cannot be used, or is not valid today */
function checkCertificate({ tlsCertFile: certFile, tlsKeyFile: keyFile }: Checked): void {
  const pair = readCertificate({ certFile, keyFile });
  if (pair === undefined) return;
  const { validFromDate, validToDate } = new X509Certificate(pair.cert);
  const now = new Date();
  if (now < validFromDate)
    throw new Error(`TLS_CERT_FILE ${certFile} is valid from ${validFromDate.toISOString()} on`);
  if (now > validToDate) {
    throw new Error(`TLS_CERT_FILE ${certFile} expired at ${validToDate.toISOString()}: get a new one`);
  }
}
