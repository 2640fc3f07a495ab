// Calls over kept connections with node:http: the cheapest client that Node has, so that servers are what is measured.
import { Agent, type IncomingMessage, request } from 'node:http';

export class HttpCalls {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;

  constructor(url: string, agent = new Agent({ keepAlive: true }), headers: Record<string, string> = {}) {
    this.#url = url;
    this.#agent = agent;
    this.#headers = headers;
  }

  /** The answer's body. Rejects unless the answer is a 2xx. */
  get(path: string, headers: Record<string, string> = {}): Promise<string> {
    return this.#send('GET', path, undefined, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<string> {
    return this.#send('POST', path, JSON.stringify(body), headers);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: string | undefined, headers: Record<string, string>): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#url}${path}`, {
        method,
        agent: this.#agent,
        headers: {
          ...this.#headers,
          ...headers,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        },
      });
      sent.on('error', reject);
      sent.on('response', (response) => void readAll(response).then(resolve, reject));
      sent.end(body);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) throw new Error(`Answered with ${status}: ${text.slice(0, 300)}`);
  return text;
}
