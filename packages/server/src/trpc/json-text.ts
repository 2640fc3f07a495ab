// Values of streams that are JSON already, on their way through tRPC's adapter. Parsed and written again, an integer that a number
// cannot hold would be another.
import { isJsonObject } from '../rest/merge-input.ts';

/** A value as JSON, which is written as it is. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** The JSON of a message of tRPC's adapter. */
export function encodeMessage(message: unknown): string {
  const tracked = isJsonObject(message) && isJsonObject(message['result']) ? message['result']['data'] : undefined;
  const value = isJsonObject(tracked) ? tracked['data'] : undefined;
  if (!isJsonObject(message) || !isJsonObject(tracked) || !(value instanceof JsonText)) return JSON.stringify(message);
  const { id } = message;
  const position = JSON.stringify(tracked['id']);
  return `{"id":${JSON.stringify(id)},"result":{"type":"data","id":${position},"data":{"id":${position},"data":${value.text}}}}`;
}
