// The table of REST routes: one for each procedure that declares one.
import { type ProcedureName, procedures } from '@hypercode/contracts';
import { heartbeat, registration, update } from './agent-routes.ts';
import { declaredRoute, type Variation } from './declared-route.ts';
import { publishing } from './event-routes.ts';
import { groupUpdate } from './group-routes.ts';
import { claiming, reading, subscribing } from './event-format.ts';
import { policy, role } from './policy-routes.ts';
import type { Route } from './route.ts';

const VARIATIONS: Readonly<Partial<Record<ProcedureName, Variation>>> = {
  'registry.register': registration,
  'registry.update': update,
  'registry.heartbeat': heartbeat,
  'policy.put': policy,
  'policy.putRole': role,
  'bus.publish': publishing,
  'bus.read': { cloudEvents: reading },
  'bus.subscribe': { cloudEvents: subscribing },
  'bus.claim': { cloudEvents: claiming },
  'groups.update': groupUpdate,
};

export const restRoutes: readonly Route[] = procedures.flatMap(([name, { rest }]) =>
  rest === undefined ? [] : [declaredRoute(name, rest, VARIATIONS[name])],
);
