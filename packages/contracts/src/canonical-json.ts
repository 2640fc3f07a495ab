// One text for equal values, so that their hashes are equal: the JSON Canonicalization Scheme (RFC 8785).

/**
 * The members of objects are in the order of their names' UTF-16 code units, and there is no white space; numbers and strings are written as
 * `JSON.stringify` writes them. What JSON leaves out (undefined) is left out.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item: unknown) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
