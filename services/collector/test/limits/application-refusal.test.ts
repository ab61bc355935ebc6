import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApplicationSettings, NO_APPLICATION_SETTINGS } from '@imscope/access/application-settings.js';
import { createRefusalOf, type RefusalSettings } from '../../src/limits/application-refusal.js';

const ANY: RefusalSettings = { region: '', applicationsKnownOnly: false };
const KNOWN: ApplicationSettings = { ...NO_APPLICATION_SETTINGS, known: true };

function reasonOf(settings: Partial<ApplicationSettings>, ours: Partial<RefusalSettings> = {}) {
  return createRefusalOf({ ...ANY, ...ours })(1_400_000_001, { ...KNOWN, ...settings })?.reason;
}

test('an active application is accepted, a suspended and a terminated one are refused by name', () => {
  assert.equal(reasonOf({}), undefined);
  assert.equal(reasonOf({ status: 'suspended' }), 'application_suspended');
  assert.equal(reasonOf({ status: 'terminated' }), 'application_terminated');
});

test('an application of another region is refused, and the detail names it, its region and ours', () => {
  const refusal = createRefusalOf({ ...ANY, region: 'frankfurt' })(7, { ...KNOWN, region: 'singapore' });
  assert.equal(refusal?.reason, 'application_of_other_region');
  assert.match(refusal.detail, /application 7 .*"singapore".*"frankfurt"/);
});

test('no region is checked where the collector or the application states none', () => {
  assert.equal(reasonOf({ region: 'singapore' }), undefined);
  assert.equal(reasonOf({ region: '' }, { region: 'frankfurt' }), undefined);
  assert.equal(reasonOf({ region: 'frankfurt' }, { region: 'frankfurt' }), undefined);
});

test('an unknown application is refused only where known ones alone are accepted', () => {
  assert.equal(reasonOf({ known: false }, { region: 'frankfurt' }), undefined);
  assert.equal(reasonOf({ known: false }, { applicationsKnownOnly: true }), 'application_unknown');
});
