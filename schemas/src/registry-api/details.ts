/* The details of an application: what it is, whose it is, and what it subscribes to. */
import { type Static, Type } from 'typebox';
import { LINKS_MAX, LinkTemplate, RunbookUrl } from '../link-template.js';
import { Region } from './identity.js';
import { plainText } from '../plain-text.js';

const APPLICATION_TYPES = [
  'social',
  'live_streaming',
  'gaming',
  'education',
  'e_commerce',
  'enterprise',
  'customer_service',
  'healthcare',
  'iot',
  'other',
] as const;

export const ApplicationDetails = Type.Object(
  {
    name: plainText(1, 64),
    introduction: plainText(0, 400),
    description: plainText(0, 2_000),
    type: Type.Enum([...APPLICATION_TYPES]),
    owner: plainText(0, 64),
    package: Type.String({
      pattern: '^[a-z][a-z0-9_-]{0,31}$',
      description: 'the package, such as trial, standard, pro or enterprise',
    }),
    subscriptions: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_-]{0,31}$' }), {
      maxItems: 32,
      uniqueItems: true,
      description: 'further services the application subscribes to, such as trtc',
    }),
    administrators: Type.Array(plainText(1, 32), {
      minItems: 1,
      maxItems: 10,
      uniqueItems: true,
      description: 'administrator accounts',
    }),
    data_centre: Region,
    runbook_url: RunbookUrl,
    links: Type.Array(LinkTemplate, {
      maxItems: LINKS_MAX,
      description: 'links into the operators’ own logs and traces: objects of title and url',
    }),
  },
  { additionalProperties: false },
);
export type ApplicationDetails = Static<typeof ApplicationDetails>;

/** The subscription without which nothing is shared with TRTC. */
export const TRTC_SUBSCRIPTION = 'trtc';

/** What is not given at creation. */
export const DETAILS_DEFAULTS = {
  introduction: '',
  description: '',
  type: 'other',
  owner: '',
  package: 'trial',
  subscriptions: [],
  administrators: ['administrator'],
  runbook_url: '',
  links: [],
} as const satisfies Partial<ApplicationDetails>;
