// The rules of a policy as text: to compare two policies line by line, and to edit one.
import type { PolicyRules } from './policy.ts';

/** Indented JSON whose fields are in one order, so that two texts differ only where the rules do. It ends with a line break. */
export const policyText = ({ roles, default: others }: PolicyRules): string =>
  `${JSON.stringify({ default: others, roles }, sortedFields, 2)}\n`;

const sortedFields = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
