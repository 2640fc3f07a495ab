// Events by what is in their data: a JSONPath (RFC 9535), tried in the page, since the log has no index of data.
import type { JSONValue } from 'json-p3';

/** Whether data has a node at the path. */
export type Where = (data: unknown) => boolean;

/** The parser is loaded when somebody filters so. Rejects with what is wrong with the path. */
export async function compileWhere(path: string): Promise<Where> {
  const { jsonpath } = await import('json-p3');
  const query = jsonpath.compile(path.startsWith('$') ? path : `$.${path}`);
  return (data) => {
    try {
      return query.match(data as JSONValue) !== undefined;
    } catch {
      // Data that is nested too deep for the path has no node there that could be found.
      return false;
    }
  };
}
