// The screens and their addresses. Every filter is in the address, so that a screen can be sent to somebody else.
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { z } from 'zod';
import { GroupFilterSearch } from './screens/groups/group-filter.ts';
import { EventFilterSearch } from './screens/events/event-filter.ts';
import { AgentFilterSearch } from './screens/agents/agent-filter.ts';
import { AuditFilterSearch } from './screens/audit/audit-acts.ts';
import { NeedsYou } from './screens/needs-you/needs-you.tsx';
import { MapSearch } from './screens/map/map-search.ts';
import { PlanFilterSearch } from './screens/plans/plan-filter.ts';
import { PlanSearch } from './screens/plans/plan-search.ts';
import { PolicySearch } from './screens/policy/policy-search.ts';
import { TokenFilterSearch } from './screens/tokens/token-filter.ts';
import { NotThere } from './shell/not-there.tsx';
import { Shell } from './shell/shell.tsx';

interface RouterContext {
  readonly sessionKey: string;
}

/** `ns` is the namespace; a bad one is not one. */
const RootSearch = z.object({ ns: z.string().max(63).optional().catch(undefined) });

export const rootRoute = createRootRouteWithContext<RouterContext>()({
  validateSearch: RootSearch,
  search: { middlewares: [retainSearchParams(['ns'])] },
  component: Shell,
  notFoundComponent: NotThere,
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: ({ search }) => redirect({ to: '/needs-you', search, throw: true }),
});

const needsYouRoute = createRoute({ getParentRoute: () => rootRoute, path: '/needs-you', component: NeedsYou });

const agentsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/agents',
  validateSearch: AgentFilterSearch,
  component: lazyRouteComponent(() => import('./screens/agents/agents.tsx'), 'Agents'),
});

const agentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/agents/$name',
  component: lazyRouteComponent(() => import('./screens/agents/agent-page.tsx'), 'AgentPage'),
});

const eventsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/events',
  validateSearch: EventFilterSearch,
  component: lazyRouteComponent(() => import('./screens/events/events.tsx'), 'Events'),
});

const eventRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/events/$id',
  validateSearch: z.object({
    source: z.string().max(512).optional().catch(undefined),
    /** The selected part of its fate. */
    part: z.string().max(256).optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import('./screens/events/event-page.tsx'), 'EventPage'),
});

const groupsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/groups',
  validateSearch: GroupFilterSearch,
  component: lazyRouteComponent(() => import('./screens/groups/groups.tsx'), 'Groups'),
});

const groupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/groups/$group',
  component: lazyRouteComponent(() => import('./screens/groups/group-page.tsx'), 'GroupPage'),
});

const mapRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/map',
  validateSearch: MapSearch,
  component: lazyRouteComponent(() => import('./screens/map/map.tsx'), 'SwarmMap'),
});

const plansRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/plans',
  validateSearch: PlanFilterSearch,
  component: lazyRouteComponent(() => import('./screens/plans/plans.tsx'), 'Plans'),
});

const planRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/plans/$id',
  validateSearch: PlanSearch,
  component: lazyRouteComponent(() => import('./screens/plans/plan-page.tsx'), 'PlanPage'),
});

const policyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/policy',
  validateSearch: PolicySearch,
  component: lazyRouteComponent(() => import('./screens/policy/policy.tsx'), 'PolicyScreen'),
});

const tokensRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/tokens',
  validateSearch: TokenFilterSearch,
  component: lazyRouteComponent(() => import('./screens/tokens/tokens.tsx'), 'Tokens'),
});

const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/audit',
  validateSearch: AuditFilterSearch,
  component: lazyRouteComponent(() => import('./screens/audit/audit.tsx'), 'Audit'),
});

const systemRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/system',
  validateSearch: z.object({ span: z.literal('day').optional().catch(undefined) }),
  component: lazyRouteComponent(() => import('./screens/system/system.tsx'), 'System'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    homeRoute,
    needsYouRoute,
    agentsRoute,
    agentRoute,
    eventsRoute,
    eventRoute,
    groupsRoute,
    groupRoute,
    mapRoute,
    plansRoute,
    planRoute,
    policyRoute,
    tokensRoute,
    auditRoute,
    systemRoute,
  ]),
  // A session is there before the router is.
  context: { sessionKey: '' },
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
