// Workers in the test's own process: each takes tasks by the public client, and answers when the test lets it.
import { type Capability, type ConnectedAgent, connectAgent, taskEventId } from '@hypercode/client';
import { architectEvents, type Json, type TaskAssigned } from '@hypercode/contracts';

export interface TestWorker {
  readonly name: string;
  readonly agent: ConnectedAgent;
  /** What it was given, in order. */
  readonly given: TaskAssigned[];
  complete(task: TaskAssigned, output: Json): Promise<unknown>;
  fail(task: TaskAssigned, message: string): Promise<unknown>;
}

/** `work` gives the output; undefined: the test answers itself. */
export async function startWorker(
  core: { readonly url: string; readonly joinToken: string; readonly namespace?: string },
  name: string,
  work: (task: TaskAssigned) => Json | undefined | Promise<Json | undefined>,
  {
    heartbeatMs,
    role = 'worker',
    capabilities = ['work'],
  }: { heartbeatMs?: number; role?: string; capabilities?: (string | Capability)[] } = {},
): Promise<TestWorker> {
  const agent = await connectAgent({
    url: core.url,
    token: core.joinToken,
    namespace: core.namespace,
    name,
    role,
    version: '1.0.0',
    capabilities,
    heartbeatMs,
  });
  const events = agent.client.events(architectEvents);
  const given: TaskAssigned[] = [];
  const complete = (task: TaskAssigned, output: Json): Promise<unknown> =>
    events.publish(`task.${name}.completed`, { ...attemptOf(task), output }, { id: taskEventId(task, 'completed') });
  events.consume(
    { group: name, topics: [`task.${name}.assigned`], from: 'earliest', maxInFlight: 64 },
    async ({ data: task }) => {
      given.push(task);
      await events.publish(`task.${name}.accepted`, attemptOf(task), { id: taskEventId(task, 'accepted') });
      const output = await work(task);
      if (output !== undefined) await complete(task, output);
    },
  );
  return {
    name,
    agent,
    given,
    complete,
    fail: (task, message) =>
      events.publish(
        `task.${name}.failed`,
        { ...attemptOf(task), error: { message } },
        { id: taskEventId(task, 'failed') },
      ),
  };
}

const attemptOf = ({ planId, taskId, attempt }: TaskAssigned) => ({ planId, taskId, attempt });
