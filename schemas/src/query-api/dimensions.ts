/*
 * By what requests can be grouped. A closed list: each has a column (or an expression) in the store, and a form in which
 * answers show its values, which is that of the filter of the same name.
 */
import { type Static, Type } from 'typebox';
import { OutcomeName } from '../shown-record.js';

export const DIMENSIONS = [
  'interface',
  'code',
  'outcome',
  'exception',
  'node',
  'region',
  'isp',
  'platform',
  'sdk_version',
] as const;

/** Of the fleet. */
export const FLEET_DIMENSIONS = ['application', ...DIMENSIONS] as const;
export type Dimension = (typeof FLEET_DIMENSIONS)[number];

/** Of breakdown: rows of published blocks, so that none is about one person (services/query/docs/network.md). */
export const PREFIX_DIMENSION = 'prefix';

/** The values that a group has in common: only the dimensions that were asked for. */
export const GroupValues = Type.Object(
  {
    /** SDKAppID. */
    application: Type.Optional(Type.Integer()),
    interface: Type.Optional(Type.String()),
    /** null: no code. */
    code: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    outcome: Type.Optional(OutcomeName),
    /** Empty: no exception. */
    exception: Type.Optional(Type.String()),
    /** Empty where the source does not name it, as those after it. */
    node: Type.Optional(Type.String()),
    region: Type.Optional(Type.String()),
    /** Provider of the exit address; empty where it is not known. */
    isp: Type.Optional(Type.String()),
    /** Network prefix of the exit address: /24 of IPv4, /48 of IPv6. */
    prefix: Type.Optional(Type.String()),
    platform: Type.Optional(Type.String()),
    sdk_version: Type.Optional(Type.String()),
  },
  { description: 'the values of the dimensions asked for' },
);
export type GroupValues = Static<typeof GroupValues>;
