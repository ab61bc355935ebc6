/** The services with maintenance commands. */
export const SERVICE_NAMES = ['collector', 'aggregator', 'query', 'registry', 'store'] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];
