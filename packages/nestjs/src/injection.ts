// What can be injected, by which tokens.
import { Inject } from '@nestjs/common';

/** The `ConnectedAgent` that the application is. */
export const SWARM_AGENT = Symbol('SWARM_AGENT');
/** The `SwarmClient` that speaks as the agent. */
export const SWARM_CLIENT = Symbol('SWARM_CLIENT');
/** The live `AgentDirectory`; null where the option `directory` is false. */
export const SWARM_DIRECTORY = Symbol('SWARM_DIRECTORY');

export const InjectSwarmAgent = (): ParameterDecorator & PropertyDecorator => Inject(SWARM_AGENT);
export const InjectSwarmClient = (): ParameterDecorator & PropertyDecorator => Inject(SWARM_CLIENT);
export const InjectSwarmDirectory = (): ParameterDecorator & PropertyDecorator => Inject(SWARM_DIRECTORY);
