// The dashboard in a real browser, on one core: the page is built once for all suites.
import { afterAll, beforeAll, describe } from 'vitest';
import { accessSuite } from './access.ts';
import { administrationSuite } from './administration.ts';
import { type Dashboard, START_LIMIT_MS, startDashboard } from './dashboard.ts';
import { eventsSuite } from './events.ts';
import { groupsSuite } from './groups.ts';
import { mapSuite } from './map.ts';
import { operatorSuite } from './operator.ts';
import { plansSuite } from './plans.ts';
import { quietSuite } from './quiet.ts';
import { sessionsSuite } from './sessions.ts';

let dashboard: Dashboard;
beforeAll(async () => {
  dashboard = await startDashboard();
}, START_LIMIT_MS);
afterAll(() => dashboard?.close());

describe('sessions', () => {
  sessionsSuite(() => dashboard);
});
describe('access', () => {
  accessSuite(() => dashboard);
});
describe('administration', () => {
  administrationSuite(() => dashboard);
});
describe('quiet', () => {
  quietSuite(() => dashboard);
});
describe('groups', () => {
  groupsSuite(() => dashboard);
});
describe('events', () => {
  eventsSuite(() => dashboard);
});
describe('map', () => {
  mapSuite(() => dashboard);
});
describe('operator', () => {
  operatorSuite(() => dashboard);
});
describe('plans', () => {
  plansSuite(() => dashboard);
});
