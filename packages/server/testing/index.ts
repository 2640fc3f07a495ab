// For tests of a whole core: what the surface declares, and the same calls answered by tRPC alone.
import type { Bus } from '@hypercode/bus';
import { systemClock } from '@hypercode/clock';
import { createLocalSignal } from '@hypercode/feed';
import type { Operations } from '@hypercode/operations';
import type { Registry } from '@hypercode/registry';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { Allowances } from '../src/allowances/allowances.ts';
import { createCallContext } from '../src/context.ts';
import { recognise } from '../src/intake/authenticate.ts';
import { BodyBudget } from '../src/intake/body-budget.ts';
import { ServerMetrics } from '../src/metrics.ts';
import { AnswerMemory } from '../src/outgoing/answer-memory.ts';
import { OpenAnswers } from '../src/outgoing/open-answers.ts';
import { FREE } from '../src/outgoing/outgoing.ts';
import { PlanFolds } from '../src/plans/plan-folds.ts';
import { QuestionDesk } from '../src/questions/question-desk.ts';
import { BrowserSessions } from '../src/sessions/browser-sessions.ts';
import { RegistrationRates } from '../src/registration-rates.ts';
import { Overviews } from '../src/overview/overviews.ts';
import { readOverview } from '../src/overview/read-overview.ts';
import { SwarmView } from '../src/swarm-view.ts';
import { appRouter } from '../src/trpc/app-router.ts';

export { ServerMetrics } from '../src/metrics.ts';
export { PlanFolds };
export { watchPlans } from '../src/plans/watch-plans.ts';
export { restRoutes } from '../src/rest/rest-routes.ts';

interface CoreParts {
  registry: Registry;
  bus: Bus;
  operations: Operations;
}

/** The answer of tRPC's own path to a call under `/trpc`, beside which the shared frames of the server can be held. */
export async function answerByTrpc({ registry, bus, operations }: CoreParts, request: Request) {
  const store = { kind: 'pglite', version: null, ok: true, latencyMs: 0 } as const;
  const stores = async () => ({ database: store, events: store });
  const view = new SwarmView({ registry, bus, operations, stores, clock: systemClock });
  const questions = new QuestionDesk({
    bus: () => bus,
    questions: () => operations.questions,
    isAgent: (namespace, name) => registry.queries.has({ namespace, name }),
    clock: systemClock,
    onError: () => {},
  });
  const read = (namespace: string) =>
    readOverview({ bus, view, openQuestions: (one) => questions.countOpen(one) }, namespace);
  const core = {
    registry,
    bus,
    plans: new PlanFolds({ bus, clock: systemClock, onError: () => {} }),
    operations,
    questions,
    view,
    overviews: new Overviews({ read, clock: systemClock, onError: () => {} }),
    metrics: new ServerMetrics(createLocalSignal()),
    browsers: new BrowserSessions({
      sessions: operations.sessions,
      identities: registry.identities,
      publicUrl: null,
      pageUrl: () => null,
      clock: systemClock,
    }),
    registrationRates: new RegistrationRates({ perSecond: 0, clock: systemClock }),
    gate: {
      allowances: new Allowances(null),
      memory: new AnswerMemory({ clock: systemClock }),
      open: new OpenAnswers(),
    },
    bodies: new BodyBudget(),
    clock: systemClock,
    connections: { limitStall: () => {}, keepAlive: () => {}, markAuthenticated: () => {} },
    onRefusal: () => {},
    version: '0.0.0',
    draining: new AbortController().signal,
  };
  return fetchRequestHandler({
    router: appRouter,
    endpoint: '/trpc',
    req: request,
    createContext: ({ info, req }) =>
      createCallContext({
        core,
        identify: () => recognise(core, { headers: Object.fromEntries(req.headers), params: info.connectionParams }),
        bodyBytes: null,
        ignoredNames: null,
        outgoing: FREE,
        socket: undefined,
      }),
  });
}
