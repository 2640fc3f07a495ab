// A whole swarm for tests: a real core in the process of the test, with its database in memory.
export { startSwarm, type StartSwarmOptions, type Swarm, type SwarmAgent, type SwarmSettings } from './start-swarm.ts';
