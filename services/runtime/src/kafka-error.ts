/** kafkajs names what the broker answered in `type`; empty where an error is none of these. */
export function kafkaErrorType(error: unknown): string {
  if (!(error instanceof Error) || !('type' in error)) return '';
  return typeof error.type === 'string' ? error.type : '';
}
