// HyperCode Swarm for NestJS: an application that is an agent, with event handlers and tasks as decorated methods.
export { CrossSiteGuard, type CrossSiteGuardOptions } from './cross-site-guard.ts';
export { type BrowserRequest, isCrossSite } from '@hypercode/contracts';
export {
  OnSwarmEvent,
  type SwarmEventDecorators,
  swarmEvents,
  SwarmTask,
  type TypedOnSwarmEventOptions,
  type TypedSwarmTaskOptions,
} from './decorators.ts';
export type { HandlerDecorator, OnSwarmEventOptions, SwarmTaskOptions } from './handler.ts';
export {
  InjectSwarmAgent,
  InjectSwarmClient,
  InjectSwarmDirectory,
  SWARM_AGENT,
  SWARM_CLIENT,
  SWARM_DIRECTORY,
} from './injection.ts';
export { SwarmModule } from './swarm-module.ts';
export { SWARM_OPTIONS, type SwarmModuleAsyncOptions, type SwarmModuleOptions } from './swarm-options.ts';
