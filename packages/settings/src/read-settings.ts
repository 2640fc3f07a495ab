// From the environment to values: complete, typed, and refused as a whole when one is wrong.
import { readFileSync } from 'node:fs';
import type { Setting, SettingValue } from './setting.ts';

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type SettingValues<S extends Settings> = { readonly [K in keyof S]: SettingValue<S[K]> };

/** A variable is wrong. The message is one line that names it, and shows no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly variable: string;

  constructor(variable: string, problem: string) {
    super(`${variable} ${problem}`);
    this.variable = variable;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads every setting from `env`; an empty variable is an absent one. Throws a `ConfigError` for the first bad one. */
export function readSettings<const S extends Settings>(settings: S, env: Environment): SettingValues<S> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [key, read(setting, givenText(setting, env))]),
  ) as SettingValues<S>;
}

function read(setting: Setting<unknown>, given: string | undefined): unknown {
  const text = given === undefined || given === '' ? setting.default : given;
  if (text === null) return null;
  const parsed = setting.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    setting.variable,
    `is ${shown(setting, text)}: expected ${setting.expects}${hintFor(setting, text)}`,
  );
}

/** Kubernetes gives every container of a namespace such an address for each of its Services: the variable `NAME_PORT`. */
const SERVICE_LINK = /^tcp:\/\/\S+:\d+$/;

function hintFor({ variable }: Setting<unknown>, text: string): string {
  const service = /^(.+)_PORT$/.exec(variable)?.[1];
  if (service === undefined || !SERVICE_LINK.test(text)) return '';
  const name = service.toLowerCase().replaceAll('_', '-');
  return (
    `. Kubernetes sets it because the namespace has a Service named "${name}": ` +
    `set enableServiceLinks: false in the pod, or ${variable} itself`
  );
}

/** What the variable says, or for a secret the file that `<variable>_FILE` names, without the newline at its end. */
function givenText({ variable, secret = false }: Setting<unknown>, env: Environment): string | undefined {
  const text = env[variable];
  const path = secret ? env[`${variable}_FILE`] : undefined;
  if (path === undefined || path === '') return text;
  if (text !== undefined && text !== '')
    throw new ConfigError(`${variable}_FILE`, `and ${variable} are both set: set only one of them`);
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new ConfigError(`${variable}_FILE`, `names a file that cannot be read${code}`);
  }
}

const SHOWN_LENGTH = 80;

/** An address with a password, or a token, that was put into the wrong variable. */
const LOOKS_SECRET = /:\/\/[^/]*@|sw(?:adm|join|view)_/;

function shown({ secret = false }: Setting<unknown>, text: string): string {
  if (secret || LOOKS_SECRET.test(text)) return 'not usable (its value is not shown)';
  const quoted = JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text);
  return quoted.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
