// The table of REST routes: one for each procedure that declares one.
import { type ProcedureName, procedures, type RestForm } from '@hypercode/contracts';
import { heartbeat, registration, update } from './agent-routes.ts';
import { declaredRoute, type Variation } from './declared-route.ts';
import { publishing } from './event-routes.ts';
import { groupUpdate } from './group-routes.ts';
import { claiming, reading, subscribing } from './event-format.ts';
import { submission } from './plan-routes.ts';
import { policy, role } from './policy-routes.ts';
import type { Route } from './route.ts';

const VARIATIONS: Readonly<Partial<Record<ProcedureName, Variation>>> = {
  'registry.register': registration,
  'registry.update': update,
  'registry.heartbeat': heartbeat,
  'goals.submit': submission,
  'policy.put': policy,
  'policy.putRole': role,
  'bus.publish': publishing,
  'bus.read': { cloudEvents: reading },
  'bus.find': { cloudEvents: reading },
  'bus.subscribe': { cloudEvents: subscribing },
  'bus.claim': { cloudEvents: claiming },
  'groups.update': groupUpdate,
};

export const restRoutes: readonly Route[] = procedures.flatMap(([name, { rest }]) =>
  rest === undefined ? [] : formsOf(rest).map((form) => declaredRoute(name, form, VARIATIONS[name])),
);

/** The route, and the one that takes the same input as a body. */
function formsOf({ byPost, ...rest }: RestForm): RestForm[] {
  if (byPost === undefined) return [rest];
  const { method, path, description } = rest;
  const asBody = `As \`${method} ${path}\`, with the parameters as fields of the body: for a query that is too long for a URL.`;
  return [
    rest,
    {
      ...rest,
      ...byPost,
      method: 'POST',
      description: description === undefined ? asBody : `${asBody} ${description}`,
    },
  ];
}
