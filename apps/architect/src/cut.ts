// Cuts texts to a length that the receiver accepts.

/** The text, or its beginning and an ellipsis: at most `length` UTF-16 units, none of them half a character. */
export const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
