/*
 * What answers say about an application beside its figures. Texts are empty where the registry has none, or where there
 * is no registry.
 */
import { type Static, Type } from 'typebox';

export const APPLICATION_NAME = {
  name: Type.String({ description: 'the name of the application; empty where none is known' }),
  package: Type.String(),
  owner: Type.String(),
};

export const NamedApplication = Type.Object({ sdk_app_id: Type.Integer(), ...APPLICATION_NAME });
export type NamedApplication = Static<typeof NamedApplication>;
