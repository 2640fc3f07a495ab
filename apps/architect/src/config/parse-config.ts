// The configuration of an Architect out of its environment.
import { ConfigError, readSettings, type SettingValues } from '@hypercode/settings';
import { SETTINGS } from './settings.ts';

export interface ArchitectConfig extends Omit<
  SettingValues<typeof SETTINGS>,
  'joinToken' | 'model' | 'modelUrl' | 'modelKey'
> {
  readonly joinToken: string;
  /** Null: plans are made without a model. */
  readonly model: { readonly url: string; readonly model: string; readonly key: string | undefined } | null;
}

/** Throws a `ConfigError` for the first variable that is wrong. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): ArchitectConfig {
  const { joinToken, model, modelUrl, modelKey, ...values } = readSettings(SETTINGS, env);
  if (joinToken === null)
    throw new ConfigError('SWARM_JOIN_TOKEN', `is missing: expected ${SETTINGS.joinToken.expects}`);
  if (modelUrl === null) {
    const given = model !== null ? 'ARCHITECT_MODEL' : modelKey !== null ? 'ARCHITECT_MODEL_KEY' : null;
    if (given !== null) throw new ConfigError('ARCHITECT_MODEL_URL', `is missing: it is required when ${given} is set`);
    return { ...values, joinToken, model: null };
  }
  if (model === null)
    throw new ConfigError('ARCHITECT_MODEL', 'is missing: it is required when ARCHITECT_MODEL_URL is set');
  return { ...values, joinToken, model: { url: modelUrl, model, key: modelKey ?? undefined } };
}
