/** The services that have commands of their own, in the order of the data's way. */
export const SERVICE_NAMES = ['collector', 'aggregator', 'query', 'store'] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];
