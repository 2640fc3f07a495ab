// What a command is: its words, arguments, options and examples, and the function that runs it. Help, completion and docs/cli.md are
// made from it.
import type { ProcedureName } from '@hypercode/contracts';
import type { CommandContext } from './context.ts';
import type { ExitCode } from './exit-codes.ts';

/** What a name on the command line is the name of; completion asks the core. */
export type Completes = 'agent' | 'group' | 'topic' | 'plan' | 'role' | 'context' | 'file';

interface Described {
  readonly summary: string;
  readonly completes?: Completes;
}

export interface Flag extends Described {
  readonly kind: 'flag';
  readonly short?: string;
}
/** An option with a value. */
interface Valued extends Described {
  /** What help shows for the value, such as `NAME`. */
  readonly value: string;
  readonly short?: string;
}
export interface TextOption extends Valued {
  readonly kind: 'text';
  readonly choices?: readonly string[];
}
/** May be given more than once. */
export interface ListOption extends Valued {
  readonly kind: 'list';
}
export interface IntegerOption extends Valued {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
}
/** Such as `10m`; its value is in milliseconds. */
export interface DurationOption extends Valued {
  readonly kind: 'duration';
}
export type Option = Flag | TextOption | ListOption | IntegerOption | DurationOption;

export interface Argument extends Described {
  /** `rest` takes all that are left: one or more, or any number when it is optional. */
  readonly kind: 'one' | 'rest';
  readonly optional?: boolean;
  readonly choices?: readonly string[];
}

type OptionValue<O> = O extends Flag
  ? boolean
  : O extends ListOption
    ? readonly string[]
    : (O extends IntegerOption | DurationOption ? number : string) | undefined;

type ArgumentValue<A> = A extends { readonly kind: 'rest' }
  ? readonly string[]
  : A extends { readonly optional: true }
    ? string | undefined
    : string;

export interface CommandInput<Arguments, Options> {
  readonly args: { readonly [Name in keyof Arguments]: ArgumentValue<Arguments[Name]> };
  readonly options: { readonly [Name in keyof Options]: OptionValue<Options[Name]> };
}

export interface Example {
  /** The whole line, as it is typed: `swarm agents ls --role worker`. */
  readonly run: string;
  readonly does: string;
  /** Whether it goes on until it is ended. */
  readonly follows?: boolean;
  /** Exit code of the example in the tests' swarm. Default 0. */
  readonly ends?: ExitCode;
}

export interface Command<
  Arguments extends Readonly<Record<string, Argument>> = Readonly<Record<string, Argument>>,
  Options extends Readonly<Record<string, Option>> = Readonly<Record<string, Option>>,
> {
  /** Its words: `['agents', 'ls']`. */
  readonly path: readonly [string] | readonly [string, string];
  readonly summary: string;
  /** Whether help and docs/cli.md leave it out: it is for programs. */
  readonly hidden?: boolean;
  /** More than the summary, in help and in docs/cli.md. */
  readonly details?: string;
  /** How long it may take to end after Ctrl-C, in milliseconds. Default 2,000. */
  readonly endsWithinMs?: number;
  /** The procedures that it is the command of. */
  readonly calls: readonly ProcedureName[];
  /** In the order in which they are given. Names in camel case; shown in capitals. */
  readonly args: Arguments;
  /** Names in camel case; on the command line in kebab case. */
  readonly options: Options;
  readonly examples: readonly Example[];
  /** The exit code, when it is not that of success. */
  run(context: CommandContext, input: CommandInput<Arguments, Options>): Promise<ExitCode | void>;
}

/** A command with the types of its arguments and options. */
export const command = <
  const Arguments extends Readonly<Record<string, Argument>>,
  const Options extends Readonly<Record<string, Option>>,
>(
  declared: Command<Arguments, Options>,
): Command => declared;

export const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

// The ways to declare arguments and options.

export const argument = (summary: string, completes?: Completes): Argument & { kind: 'one'; optional: false } => ({
  kind: 'one',
  optional: false,
  summary,
  ...(completes && { completes }),
});
export const optionalArgument = (
  summary: string,
  completes?: Completes,
): Argument & { kind: 'one'; optional: true } => ({
  kind: 'one',
  optional: true,
  summary,
  ...(completes && { completes }),
});
export const restArguments = (summary: string, completes?: Completes): Argument & { kind: 'rest'; optional: true } => ({
  kind: 'rest',
  optional: true,
  summary,
  ...(completes && { completes }),
});
export const flag = (summary: string, more: Partial<Pick<Flag, 'short'>> = {}): Flag => ({
  kind: 'flag',
  summary,
  ...more,
});
export const text = (
  value: string,
  summary: string,
  more: Partial<Pick<TextOption, 'choices' | 'completes' | 'short'>> = {},
): TextOption => ({ kind: 'text', value, summary, ...more });
export const list = (
  value: string,
  summary: string,
  more: Partial<Pick<ListOption, 'completes' | 'short'>> = {},
): ListOption => ({ kind: 'list', value, summary, ...more });
export const integer = (
  summary: string,
  { value = 'N', min = 1, max = Number.MAX_SAFE_INTEGER } = {},
): IntegerOption => ({
  kind: 'integer',
  value,
  summary,
  min,
  max,
});
export const duration = (summary: string): DurationOption => ({ kind: 'duration', value: 'DURATION', summary });
