// All procedures. Clients import the type of it and nothing else.
import { createCallerFactory, router } from '../trpc.ts';
import { busRouter } from './bus-router.ts';
import { circuitRouter } from './circuit-router.ts';
import { policyRouter } from './policy-router.ts';
import { registryRouter } from './registry-router.ts';
import { tokensRouter } from './tokens-router.ts';

export const appRouter = router({
  bus: busRouter,
  circuit: circuitRouter,
  policy: policyRouter,
  registry: registryRouter,
  tokens: tokensRouter,
});

export type AppRouter = typeof appRouter;

/** Calls procedures from inside the process: what REST routes end in. */
export const createCaller = createCallerFactory(appRouter);
