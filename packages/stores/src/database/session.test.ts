// What of an address is the driver's, and what is set in the session.
import { expect, test } from 'vitest';
import { sessionAddress } from './session.ts';

test.each([
  ['postgres://u:p%40@db/x', 'postgres://u:p%40@db/x', null],
  ['postgres://db/x?sslmode=disable', 'postgres://db/x?sslmode=disable', null],
  ['postgres://db/x?schema=blue', 'postgres://db/x', '"blue"'],
  ['postgres://db/x?sslmode=disable&schema=Blue%22s', 'postgres://db/x?sslmode=disable', '"Blue""s"'],
  ['postgres://db/x?options=-c%20search_path%3Dblue', 'postgres://db/x', 'blue'],
  ['postgres://db/x?options=-csearch_path%3Dblue%2Cpublic', 'postgres://db/x', 'blue,public'],
  ['postgres://db/x?options=--search_path%3Da%5C%20b', 'postgres://db/x', 'a b'],
  [
    'postgres://db/x?options=-c%20geqo%3Doff%20-c%20search_path%3Dblue',
    'postgres://db/x?options=-c%20geqo%3Doff',
    'blue',
  ],
  ['postgres://db/x?options=-c%20geqo%3Doff', 'postgres://db/x?options=-c%20geqo%3Doff', null],
  ['not an address', 'not an address', null],
])('%s', (url, connectionString, searchPath) => {
  expect(sessionAddress(url)).toEqual({ connectionString, searchPath });
});
