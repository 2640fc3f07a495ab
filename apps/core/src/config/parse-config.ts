// From the environment to the configuration: complete, typed, and refused as a whole when one value is wrong.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Setting, SETTINGS, type SettingValue } from './settings.ts';

/** What core runs with. Durations are in milliseconds; what has no default and is not given is null. */
export type CoreConfig = { readonly [K in keyof typeof SETTINGS]: SettingValue<(typeof SETTINGS)[K]> };

/** A variable is wrong. The message is one line that names it, and shows no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly variable: string;

  constructor(variable: string, problem: string) {
    super(`${variable} ${problem}`);
    this.variable = variable;
  }
}

/** Reads every setting from `env`; an empty variable is an absent one. Throws a `ConfigError` for the first bad one. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): CoreConfig {
  const values = Object.fromEntries(
    Object.entries(SETTINGS).map(([key, setting]) => [key, read(setting as Setting<unknown>, env[setting.variable])]),
  ) as unknown as CoreConfig;
  const config = { ...values, dataDir: resolve(workspaceRoot() ?? process.cwd(), values.dataDir) };

  if (config.databaseUrl !== null && config.adminToken === null) {
    throw new ConfigError('SWARM_ADMIN_TOKEN', `is missing: with DATABASE_URL, give ${SETTINGS.adminToken.expects}`);
  }
  if (config.joinToken !== null && config.joinToken === config.adminToken) {
    throw new ConfigError('SWARM_JOIN_TOKEN', 'is the same as SWARM_ADMIN_TOKEN: expected a token of its own');
  }
  return config;
}

function read(setting: Setting<unknown>, given: string | undefined): unknown {
  const text = given === undefined || given === '' ? setting.default : given;
  if (text === null) return null;
  const parsed = setting.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ConfigError(setting.variable, `is ${shown(setting, text)}: expected ${setting.expects}`);
}

const SHOWN_LENGTH = 80;

/** An address with a password, or a token, that was put into the wrong variable. */
const LOOKS_SECRET = /:\/\/[^/]*@|sw(?:adm|join|view)_/;

function shown({ secret = false }: Setting<unknown>, text: string): string {
  if (secret || LOOKS_SECRET.test(text)) return 'not usable (its value is not shown)';
  const quoted = JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text);
  return quoted.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
