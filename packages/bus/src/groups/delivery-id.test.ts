import { expect, test } from 'vitest';
import { deliveryIn, formatDeliveryId, isProven, type NamingGroup } from './delivery-id.ts';

const group: NamingGroup = {
  namespace: 'n',
  group: 'crew',
  state: { secret: 'a secret of the group', unsignedUntil: null },
};
const withState = (state: Partial<NamingGroup['state']>): NamingGroup => ({
  ...group,
  state: { ...group.state, ...state },
});
const delivery = { position: { epoch: 'abc', seq: 7, nonce: 40 }, life: 3, attempt: 2, uncounted: 1 };
const id = formatDeliveryId(delivery, group);
const proven = (text: string, by = group, now = 0) => isProven(deliveryIn(text, 0), by, now);

test('an id names its delivery, and is proven by the group that made it', () => {
  expect(id).toMatch(/^abc-7-14\.3\.2\.1\.[\w-]{16}$/);
  expect(deliveryIn(id, 0)).toMatchObject(delivery);
  expect(proven(id)).toBe(true);
});

test.each([
  ['another group', { ...group, group: 'other' }],
  ['another namespace', { ...group, namespace: 'm' }],
  ['another secret', withState({ secret: 'another one' })],
  ['a group without a secret', withState({ secret: null })],
])('an id is not proven by %s', (_, other) => {
  expect(proven(id, other)).toBe(false);
});

test('an id of which any part was changed is not proven', () => {
  const proof = id.slice(id.lastIndexOf('.') + 1);
  for (const rest of [
    'abc-8-14.3.2.1',
    'abd-7-14.3.2.1',
    'abc-7-15.3.2.1',
    'abc-7-14.4.2.1',
    'abc-7-14.3.1.1',
    'abc-7-14.3.2.0',
  ])
    expect(proven(`${rest}.${proof}`)).toBe(false);
  for (const place of [0, 8, 15]) {
    const other = proof[place] === 'A' ? 'B' : 'A';
    expect(proven(`abc-7-14.3.2.1.${proof.slice(0, place)}${other}${proof.slice(place + 1)}`)).toBe(false);
  }
});

test.each(['abc-7-14.3.2.1', 'abc-7-14.3.2'])(
  '%s, which a release without proofs wrote, is taken for a while',
  (old) => {
    expect(proven(old)).toBe(false);
    const until = withState({ unsignedUntil: 1000 });
    expect(proven(old, until, 999)).toBe(true);
    expect(proven(old, until, 1000)).toBe(false);
    expect(proven(old, withState({ secret: null }))).toBe(true);
    expect(formatDeliveryId(delivery, withState({ secret: null }))).toBe('abc-7-14.3.2.1');
  },
);

test.each([
  '',
  'abc',
  'abc-7-14',
  'abc-7-14.3',
  'abc-7-14.03.1',
  'abc-7-14.3.2.1.short',
  `${id}=`,
  `${id}.${id}`,
  `${id}x`,
])('"%s" is not the id of a delivery', (text) => {
  expect(() => deliveryIn(text, 4)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
});
