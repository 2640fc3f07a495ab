// An OpenAI-compatible server for tests, which gives prepared answers.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the model says, or how the server answers otherwise. */
export type ModelAnswer = string | ((response: ServerResponse) => void);

export interface ModelRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TestModel {
  /** Base address of the API. */
  readonly url: string;
  readonly requests: readonly ModelRequest[];
  /** Connections that are open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Gives one answer to each request, and the last to all that follow. */
export async function startTestModel(...answers: ModelAnswer[]): Promise<TestModel> {
  const requests: ModelRequest[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      const answer = answers[Math.min(requests.length, answers.length - 1)] ?? '';
      requests.push({ method, path, headers, body });
      if (typeof answer === 'function') answer(response);
      else response.setHeader('content-type', 'application/json').end(chatCompletion(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The body of an answer of a chat in which the model says `content`. */
const chatCompletion = (content: string): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'test-model',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
  });
