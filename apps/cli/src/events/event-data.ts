// The data of an event as it is given on the command line.
import { parseExact } from '../output/exact-json.ts';
import { wrongUsage } from '../program/exit-codes.ts';

/** The value of a JSON text; null for none. Throws wrong usage when it is no JSON. */
export function dataOf(given: string | undefined): unknown {
  if (given === undefined) return null;
  try {
    return parseExact(given);
  } catch (error) {
    throw wrongUsage(
      `DATA is not JSON: ${error instanceof Error ? error.message : ''}`,
      `a text needs quotes within the quotes, such as '"hello"'`,
    );
  }
}
