// From the environment to the configuration: complete, typed, and refused as a whole when one value is wrong.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, readSettings, type SettingValues } from '@hypercode/settings';
import { SETTINGS } from './settings.ts';

/** What core runs with. Durations are in milliseconds; what has no default and is not given is null. */
export interface CoreConfig extends Omit<SettingValues<typeof SETTINGS>, 'ui'> {
  /** The folder of the dashboard as it was built; null: it is not served. */
  readonly ui: string | null;
}

/** Where the page is: `swarm up` has it beside its programs; otherwise it is where `apps/dashboard` is built to, beside this app. */
const PAGES = ['./page', '../../../dashboard/dist'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
const page = (): string | null => PAGES.find((path) => existsSync(path)) ?? PAGES.at(-1) ?? null;

/** Reads every setting from `env`; an empty variable is an absent one. Throws a `ConfigError` for the first bad one. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): CoreConfig {
  const values = readSettings(SETTINGS, env);
  const config = {
    ...values,
    dataDir: resolve(workspaceRoot() ?? process.cwd(), values.dataDir),
    ui: values.ui ? page() : null,
  };

  if (config.databaseUrl !== null && config.adminToken === null) {
    throw new ConfigError(
      'SWARM_ADMIN_TOKEN',
      `is missing: it is required with DATABASE_URL; expected ${SETTINGS.adminToken.expects}`,
    );
  }
  if (config.joinToken !== null && config.joinToken === config.adminToken) {
    throw new ConfigError('SWARM_JOIN_TOKEN', 'is the same as SWARM_ADMIN_TOKEN: expected a different token');
  }
  return config;
}

/** The folder of this repository, when core runs from it. */
function workspaceRoot(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}
