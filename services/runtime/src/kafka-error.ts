/** The error type of the broker's answer, which kafkajs stores in `type`; empty for every other error. */
export function kafkaErrorType(error: unknown): string {
  if (!(error instanceof Error) || !('type' in error)) return '';
  return typeof error.type === 'string' ? error.type : '';
}
