// One variable of the environment.
import type { z } from 'zod';

export interface Setting<T> {
  /** Name of the variable. */
  readonly variable: string;
  readonly schema: z.ZodType<T, string>;
  /** What a value must be, as an error and the documentation say it. */
  readonly expects: string;
  /** The value that an absent or empty variable stands for, as it would be written there; null is none. */
  readonly default: string | null;
  /** How the documentation says the default, where that is not its text. */
  readonly defaultMeans?: string;
  readonly meaning: string;
  /** Its value is never shown, and may be given as the path of a file in `<variable>_FILE`. */
  readonly secret?: boolean;
}

/** A setting without a default is null when its variable is absent. */
export type SettingValue<S> = S extends Setting<infer T> ? (S extends { default: null } ? T | null : T) : never;

export const setting = <T, const D extends string | null>(given: Setting<T> & { readonly default: D }) => given;
