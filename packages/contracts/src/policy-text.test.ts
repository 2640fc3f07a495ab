import { expect, test } from 'vitest';
import { policyText } from './policy-text.ts';

test('two policies that differ in the order of their fields alone have one text', () => {
  const worker = { publish: ['b.*', 'a.*'], subscribe: [] };
  const first = { roles: { zoo: worker, ant: { subscribe: [], publish: [] } }, default: worker };
  const second = { default: { subscribe: [], publish: ['b.*', 'a.*'] }, roles: { ant: first.roles.ant, zoo: worker } };
  expect(policyText(second)).toBe(policyText(first));
  expect(policyText({ ...first, default: { ...worker, publish: ['a.*', 'b.*'] } })).not.toBe(policyText(first));
  expect(JSON.parse(policyText(first))).toEqual(first);
});
