// What the Architect runs with, from the environment: complete, typed, and refused as a whole when one value is wrong.
import { Name, SwarmError } from '@hypercode/contracts';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ScheduleSettings } from './scheduling/schedule.ts';

export interface ArchitectConfig {
  /** Where the core is, and a join token for it. */
  readonly swarm: { readonly url: string; readonly token: string; readonly namespace: string };
  /** The agent's name; a standby takes it over. */
  readonly name: string;
  /** Begins as a standby: waits until nobody has the name. */
  readonly standby: boolean;
  readonly host: string;
  readonly port: number;
  /** Where the core may probe `/health`; null: it goes by heartbeats. */
  readonly healthUrl: string | null;
  readonly logLevel: string;
  readonly schedule: ScheduleSettings;
  readonly model: { readonly url: string; readonly model: string; readonly key: string | undefined } | null;
}

/** A variable is wrong. The message is one line that names it, and shows no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
