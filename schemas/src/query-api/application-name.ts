/*
 * What answers say about an application beside its figures. Texts are empty where the registry has none, or where there
 * is no registry.
 */
import { type Static, Type } from 'typebox';
import { LinkTemplate } from '../link-template.js';

export const APPLICATION_NAME = {
  name: Type.String({ description: 'the name of the application; empty where none is known' }),
  package: Type.String(),
  owner: Type.String(),
};

export const NamedApplication = Type.Object({ sdk_app_id: Type.Integer(), ...APPLICATION_NAME });
export type NamedApplication = Static<typeof NamedApplication>;

/** Of answers about one application. */
export const DescribedApplication = Type.Object({
  ...NamedApplication.properties,
  runbook_url: Type.String({ description: 'what to do when it fails; empty where there is none' }),
  link_templates: Type.Array(LinkTemplate, {
    description: 'links into its operators’ logs and traces, to be filled with what is looked at',
  }),
});
export type DescribedApplication = Static<typeof DescribedApplication>;
