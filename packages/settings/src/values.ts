// What values may be: schemas with the words for them.
import { isIP } from 'node:net';
import { z } from 'zod';

/** The longest wait that a timer of Node.js can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function integer(min: number, max: number, unit?: string) {
  const count = unit === undefined ? 'an integer' : `a number of ${unit}`;
  return {
    schema: z
      .string()
      .regex(/^\d{1,16}$/)
      .transform(Number)
      .refine((value) => value >= min && value <= max),
    expects: `${count} from ${min} to ${max}`,
  };
}

export const milliseconds = (max: number = MAX_TIMER_MS) => integer(1, max, 'milliseconds');

/** 0 picks one that is free. */
export const port = integer(0, 65_535);

export const flag = {
  schema: z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1'),
  expects: 'true or false',
};

/** A list separated by commas, with or without spaces; the empty text is the empty list. */
export const listOf = (item: z.ZodType<string, string>) =>
  z.string().transform((text, context): string[] => {
    const items = text === '' ? [] : text.split(',').map((part) => part.trim());
    if (items.some((part) => !item.safeParse(part).success)) {
      context.addIssue({ code: 'custom', message: 'not such a list' });
    }
    return items;
  });

const isHost = (text: string): boolean =>
  isIP(text) !== 0 || (/^(?!-)[A-Za-z0-9.-]{1,253}$/.test(text) && /[A-Za-z]/.test(text));

export const host = { schema: z.string().refine(isHost), expects: 'an IP address or a host name' };

/** An address of one of these protocols, such as `http:`; it may hold a password. */
export function address(protocols: readonly string[]) {
  return {
    schema: z.string().refine((text) => {
      const url = URL.canParse(text) ? new URL(text) : null;
      return url !== null && protocols.includes(url.protocol) && /^[^:]+:\/\//.test(text);
    }),
    expects: `an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    secret: true,
  };
}

/** One address, or several separated by commas. */
export function addresses(protocols: readonly string[]) {
  const one = address(protocols);
  return {
    ...one,
    schema: z.string().refine((text) => text.split(',').every((part) => one.schema.safeParse(part).success)),
    expects: `${one.expects}, or several of them separated by commas`,
  };
}

export const token = {
  schema: z.string().regex(/^[\x21-\x7e]{16,256}$/),
  expects: '16 to 256 printable ASCII characters without spaces',
  secret: true,
};

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const logLevel = { schema: z.enum(LOG_LEVELS), expects: `one of ${LOG_LEVELS.join(', ')}` };
