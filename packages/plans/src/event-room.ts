// How much of an event its parts take, in bytes of JSON.

/** Upper bound of an event around its free JSON: ids, names, times, and a title as long as it may be. */
export const ENVELOPE_BYTES = 4096;
/** Upper bound of a reference: positions have at most 35 characters. */
const REF_BYTES = 48;

/** Of the id of a task as a key, with quotes, colon and comma. */
export const keyBytes = (taskId: string): number => taskId.length + 4;

/** Of a reference to the output of a task, with its key. */
export const refBytes = (taskId: string): number => keyBytes(taskId) + REF_BYTES;

/** Of any JSON, in UTF-8. */
export function jsonBytes(json: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(json) ?? '') {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
