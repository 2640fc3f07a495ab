// Texts of events on their way into a function of the database.

/** U+001F stands in no JSON text (RFC 8259, section 7), so between texts it needs no quoting on either side. */
const SEPARATOR = '\u001f';

export const joined = (events: readonly { readonly text: string }[]): string =>
  events.map(({ text }) => text).join(SEPARATOR);
