// The module: one agent for the whole application, and what can be injected of it.
import { type AgentDirectory, type ConnectedAgent, createAgent, type SwarmClient } from '@hypercode/client';
import { type DynamicModule, type FactoryProvider, Logger, Module, type Provider } from '@nestjs/common';
import { agentLoggerOn } from './agent-log.ts';
import { SWARM_AGENT, SWARM_CLIENT, SWARM_DIRECTORY } from './injection.ts';
import { SwarmHandlersModule } from './swarm-handlers.ts';
import { SWARM_OPTIONS, type SwarmModuleAsyncOptions, type SwarmModuleOptions } from './swarm-options.ts';
import { SwarmPresence } from './swarm-presence.ts';

const agent: FactoryProvider<ConnectedAgent> = {
  provide: SWARM_AGENT,
  inject: [SWARM_OPTIONS],
  useFactory: ({ directory: _, drainTimeoutMs: _ms, onEnded: _end, ...options }: SwarmModuleOptions) =>
    createAgent({ logger: agentLoggerOn(new Logger('Swarm')), ...options }),
};

const client: FactoryProvider<SwarmClient> = {
  provide: SWARM_CLIENT,
  inject: [SWARM_AGENT],
  useFactory: (connected: ConnectedAgent) => connected.client,
};

const directory: FactoryProvider<AgentDirectory | null> = {
  provide: SWARM_DIRECTORY,
  inject: [SWARM_CLIENT, SWARM_OPTIONS],
  useFactory: (swarm: SwarmClient, { directory: filter }: SwarmModuleOptions) =>
    filter === false ? null : swarm.directory(filter),
};

const presence: FactoryProvider<SwarmPresence> = {
  provide: SwarmPresence,
  inject: [SWARM_AGENT, SWARM_DIRECTORY, SWARM_OPTIONS],
  useFactory: (connected: ConnectedAgent, agents: AgentDirectory | null, options: SwarmModuleOptions) =>
    new SwarmPresence(connected, agents, options),
};

/**
 * Makes the application an agent. It is registered before any other provider is initialised, its handlers begin when all
 * are, and at the shutdown the same happens backwards.
 */
@Module({})
export class SwarmModule {
  static forRoot(options: SwarmModuleOptions): DynamicModule {
    return moduleWith({ provide: SWARM_OPTIONS, useValue: options });
  }

  static forRootAsync({ imports = [], inject = [], useFactory }: SwarmModuleAsyncOptions): DynamicModule {
    return moduleWith({ provide: SWARM_OPTIONS, inject, useFactory }, imports);
  }
}

function moduleWith(options: Provider<SwarmModuleOptions>, imports: DynamicModule['imports'] = []): DynamicModule {
  return {
    module: SwarmModule,
    global: true,
    imports: [...imports, SwarmHandlersModule.create()],
    providers: [options, agent, client, directory, presence],
    exports: [SWARM_AGENT, SWARM_CLIENT, SWARM_DIRECTORY, SWARM_OPTIONS, SwarmPresence],
  };
}
