// One core in this process: startCore(configuration) opens the stores, wires registry, bus and server, and listens.
export type { CoreConfiguration } from './configuration.ts';
export { databaseImageKey, writeDatabaseImage } from './database-image.ts';
export { type RunningCore, startCore, type StartOptions } from './start-core.ts';
