/*
 * The listener's certificate and key, read from two files that are checked every few seconds. A new pair applies to new
 * connections; open ones continue. While the files do not match or cannot be read, the last valid pair stays in force.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';

export type CertificateFiles = { readonly certFile: string; readonly keyFile: string };
/** PEM. */
export type CertificatePair = { readonly cert: string; readonly key: string };

export type Certificate = {
  readonly pair: CertificatePair;
  /** Calls back with each new pair. */
  watch(onChange: (pair: CertificatePair) => void): void;
  stop(): void;
};

const CHECK_INTERVAL_MS = 5_000;

/**
 * Undefined if neither file is given.
 * @throws Error if only one file is given, or the files cannot be read or do not match: a listener that is configured for TLS
 * never accepts plain HTTP
 */
export function openCertificate(
  files: CertificateFiles,
  logger: Logger,
  checkIntervalMs = CHECK_INTERVAL_MS,
): Certificate | undefined {
  const { certFile } = files;
  const first = readCertificate(files);
  if (first === undefined) return undefined;
  let pair = first;
  let failure: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const check = (onChange: (pair: CertificatePair) => void): void => {
    try {
      const found = readPair(files);
      failure = undefined;
      if (found.cert === pair.cert && found.key === pair.key) return;
      onChange(found);
      pair = found;
      logger.info({ certFile, validTo: new X509Certificate(found.cert).validTo }, 'certificate read again');
    } catch (error) {
      const message = errorMessage(error);
      if (message !== failure) logger.error({ err: error }, 'the last good certificate stays in force');
      failure = message;
    }
  };
  return {
    get pair() {
      return pair;
    },
    watch: (onChange) => {
      timer = setInterval(check, checkIntervalMs, onChange);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** Reads the pair once. Returns undefined and throws as `openCertificate`. */
export function readCertificate(files: CertificateFiles): CertificatePair | undefined {
  const { certFile, keyFile } = files;
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '' || keyFile === '') {
    throw new Error(
      `${certFile === '' ? 'TLS_KEY_FILE' : 'TLS_CERT_FILE'} is set alone: set TLS_CERT_FILE and TLS_KEY_FILE, or neither`,
    );
  }
  return readPair(files);
}

function readPair({ certFile, keyFile }: CertificateFiles): CertificatePair {
  try {
    const pair = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    if (!new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) {
      throw new Error('the key is not that of the certificate');
    }
    return pair;
  } catch (error) {
    throw new Error(
      `TLS_CERT_FILE ${certFile} and TLS_KEY_FILE ${keyFile} cannot be used: ${errorMessage(error)}; give a certificate chain and its key in PEM`,
      { cause: error },
    );
  }
}
