// The handlers of the application over its life: they begin when all of it is initialised, and end before any of it shuts
// down.
//
// Nest orders the hooks of modules by their distance from the root, the deepest first when it starts and last when it
// ends. At distance 0, before the root, this module is the last to start and the first to end. So when the first handler
// is called, every provider has been initialised; and while the last one finishes, none has been destroyed.
import { sleep, systemClock } from '@hypercode/clock';
import { type ConnectedAgent, SwarmError } from '@hypercode/client';
import { type DynamicModule, Logger, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ModulesContainer } from '@nestjs/core';
import { errorText } from './agent-log.ts';
import { findHandlers, type FoundHandler } from './find-handlers.ts';
import { SWARM_AGENT } from './injection.ts';
import { runHandler, type RunningHandler } from './run-handler.ts';
import { SWARM_OPTIONS, type SwarmModuleOptions } from './swarm-options.ts';
import { SwarmPresence } from './swarm-presence.ts';

const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;

class SwarmHandlers implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #agent: ConnectedAgent;
  readonly #presence: SwarmPresence;
  readonly #options: SwarmModuleOptions;
  readonly #discovery: DiscoveryService;
  readonly #logger = new Logger('Swarm');
  readonly #running: RunningHandler[] = [];

  constructor(
    agent: ConnectedAgent,
    presence: SwarmPresence,
    options: SwarmModuleOptions,
    discovery: DiscoveryService,
  ) {
    this.#agent = agent;
    this.#presence = presence;
    this.#options = options;
    this.#discovery = discovery;
  }

  /** Resolves when the subscriptions have attached or were denied; where the agent is not registered yet, they follow when it is. */
  async onApplicationBootstrap(): Promise<void> {
    try {
      const handlers = findHandlers([...this.#discovery.getProviders(), ...this.#discovery.getControllers()]);
      if (this.#agent.health().registered) await this.#begin(handlers);
      else this.#beginWhenRegistered(handlers);
    } catch (error) {
      await this.onModuleDestroy();
      await this.#presence.leave('the application has failed to start');
      throw error;
    }
  }

  async onModuleDestroy(): Promise<void> {
    this.#presence.expectEnd();
    this.#agent.setActivity('draining');
    const drained = new AbortController();
    const limit = sleep(systemClock, this.#drainTimeoutMs, drained.signal).then(() => {
      if (drained.signal.aborted) return;
      this.#logger.warn(
        `Handlers are still running after ${this.#drainTimeoutMs} ms; the shutdown goes on without them`,
      );
    });
    await Promise.race([Promise.all(this.#running.map((handler) => handler.stop())), limit]);
    drained.abort();
  }

  get #drainTimeoutMs(): number {
    return this.#options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS;
  }

  #beginWhenRegistered(handlers: readonly FoundHandler[]): void {
    this.#agent
      .register()
      .then(() => this.#begin(handlers))
      // The end of the agent and of each handler is logged at its origin.
      .catch(() => {});
  }

  async #begin(handlers: readonly FoundHandler[]): Promise<void> {
    if (this.#presence.isClosing) return;
    const context = {
      client: this.#agent.client,
      agentName: this.#options.name,
      logger: this.#logger,
      drainTimeoutMs: this.#drainTimeoutMs,
    };
    for (const found of handlers) this.#running.push(runHandler(found, context));
    for (const { where, closed } of this.#running) {
      closed.catch((error: unknown) => {
        if (this.#presence.isClosing || (error instanceof SwarmError && error.is('FENCED'))) return;
        this.#logger.error(`${where} receives no more events: ${errorText(error)}`);
      });
    }
    // Every handler that is refused is logged, not only the first.
    await Promise.allSettled(this.#running.map(({ begun }) => begun));
    await Promise.all(this.#running.map(({ begun }) => begun));
  }
}

/** Stands before the root among the modules; its providers use what the global SwarmModule exports. */
@Module({})
export class SwarmHandlersModule {
  static create(): DynamicModule {
    return {
      module: SwarmHandlersModule,
      imports: [DiscoveryModule],
      providers: [
        {
          provide: SwarmHandlers,
          inject: [SWARM_AGENT, SwarmPresence, SWARM_OPTIONS, DiscoveryService, ModulesContainer],
          useFactory: (
            agent: ConnectedAgent,
            presence: SwarmPresence,
            options: SwarmModuleOptions,
            discovery: DiscoveryService,
            modules: ModulesContainer,
          ) => {
            for (const module of modules.values()) {
              if (module.metatype === SwarmHandlersModule) module.distance = 0;
            }
            return new SwarmHandlers(agent, presence, options, discovery);
          },
        },
      ],
    };
  }
}
