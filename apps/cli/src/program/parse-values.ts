// From the words of the command line to the values of arguments and options.
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../output/times.ts';
import type { IntegerOption, Option } from './command.ts';

/** Reads one word of an option; throws what commander shows as wrong usage. */
export function parserOf(option: Exclude<Option, { kind: 'flag' }>): (word: string, before: unknown) => unknown {
  switch (option.kind) {
    case 'text':
      return (word) => word;
    case 'list':
      return (word, before) => [...((before ?? []) as readonly string[]), word];
    case 'integer':
      return (word) => integerIn(word, option);
    case 'duration':
      return (word) => {
        const ms = parseDuration(word);
        if (ms === undefined) throw new InvalidArgumentError('It must be a duration, such as 30s, 10m or 1h30m.');
        return ms;
      };
  }
}

function integerIn(word: string, { min, max }: IntegerOption): number {
  const value = /^-?\d+$/.test(word) ? Number(word) : NaN;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new InvalidArgumentError(`It must be a whole number ${range}.`);
}
