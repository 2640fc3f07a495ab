// The options of every command: which core, in which form, and whether to ask.
import type { TargetOptions } from '../connection/target.ts';
import { flag, type Option, text } from './command.ts';

export const GLOBAL_OPTIONS = {
  url: text('URL', 'Address of the core, such as http://127.0.0.1:7700'),
  tokenFile: text('FILE', 'File that contains the token; - reads it from stdin', { completes: 'file' }),
  context: text('NAME', 'Context to use in place of the chosen one', { completes: 'context' }),
  namespace: text('NAME', 'Namespace (default: that of the context, or "default")', { short: 'n' }),
  json: flag('Print results as JSON, one object a line'),
  yes: flag('Do not ask before what cannot be undone', { short: 'y' }),
} satisfies Record<string, Option>;

export interface GlobalOptions extends TargetOptions {
  readonly json: boolean;
  readonly yes: boolean;
}
