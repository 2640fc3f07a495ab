// The options of the module: the agent that the application is.
import type { CreateAgentOptions, DirectoryFilter, SwarmError } from '@hypercode/client';
import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';

export interface SwarmModuleOptions extends CreateAgentOptions {
  /** What the injected directory mirrors; false for none. Default: the whole namespace. */
  readonly directory?: DirectoryFilter | false | undefined;
  /** How long the shutdown waits for handlers that run, in milliseconds. Default 10,000. */
  readonly drainTimeoutMs?: number | undefined;
  /**
   * The agent has ended for good: another process has its name (FENCED; `onFenced` is called, too), or a core that could
   * not be reached at the start has refused it since. Default: sends this process SIGTERM, which closes an application
   * with shutdown hooks in order, and ends one without them.
   */
  readonly onEnded?: ((error: SwarmError) => unknown) | undefined;
}

export interface SwarmModuleAsyncOptions
  extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<SwarmModuleOptions>, 'inject' | 'useFactory'> {}

/** The options of the module. Applications override it in tests. */
export const SWARM_OPTIONS = Symbol('SWARM_OPTIONS');
