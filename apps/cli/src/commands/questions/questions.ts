// `swarm questions ls|answer`: what agents ask people.
import type { QuestionState, QuestionView } from '@hypercode/contracts';
import { agentName, questionId } from '../../connection/names.ts';
import { dataOf } from '../../events/event-data.ts';
import { printList } from '../../output/listing.ts';
import { showAgo } from '../../output/times.ts';
import { argument, command, text } from '../../program/command.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';

const STATES: readonly QuestionState[] = ['open', 'answered', 'withdrawn'];
/** Characters of a question in the list. */
const SHOWN_TEXT = 60;

export const questionsLs = command({
  path: ['questions', 'ls'],
  summary: 'List questions of agents, open ones oldest first',
  calls: ['questions.list'],
  args: {},
  options: {
    state: text('STATE', 'Only questions in this state (default: open)', { choices: STATES }),
    agent: text('NAME', 'Only questions of this agent', { completes: 'agent' }),
    ...pageOptions('questions'),
  },
  examples: [
    { run: 'swarm questions ls', does: 'What waits for a person' },
    { run: 'swarm questions ls --json', does: 'The same with options and schemas, for a script' },
  ],
  async run(context, { options }) {
    const { output, clock } = context;
    const client = await context.client();
    const nowMs = clock.epochMs();
    const agent = options.agent === undefined ? undefined : await agentName(client, options.agent);
    const state = STATES.find((one) => one === options.state);
    await printList<QuestionView>(output, {
      columns: [
        { title: 'agent', value: (question) => question.agent },
        { title: 'question', value: (question) => question.questionId },
        { title: 'asked', value: ({ askedAt }) => showAgo(askedAt, nowMs) },
        { title: 'text', value: (question) => question.text.slice(0, SHOWN_TEXT) },
        { title: 'answers', value: answersOf },
      ],
      searched: `${options.state ?? 'open'} questions`,
      all: options.all,
      async page(cursor) {
        const { questions, nextCursor } = await client.questions.list({
          ...(agent !== undefined && { agent }),
          ...(state !== undefined && { state }),
          ...pageInput(options, cursor),
        });
        return { rows: questions, nextCursor };
      },
    });
  },
});

const answersOf = ({ options, schema }: QuestionView): string => {
  if (options !== null) return options.map(({ id }) => id).join(' | ');
  return schema === null ? 'any JSON' : 'by a schema';
};

export const questionsAnswer = command({
  path: ['questions', 'answer'],
  summary: 'Answer a question of an agent',
  details:
    'Answer a question. The answer is the id of an option, as it is; of a question without options it is JSON, so a text needs quotes within ' +
    'the quotes. The first answer counts.',
  calls: ['questions.answer'],
  args: {
    agent: argument('Name of the agent that asks, or the beginning of it', 'agent'),
    question: argument('Id of the question, or the beginning of it'),
    answer: argument('The id of an option, or JSON'),
  },
  options: { comment: text('TEXT', 'Words for the agent') },
  examples: [
    {
      run: 'swarm questions answer ada 00000000 yes --comment "after lunch"',
      does: 'Choose an option',
    },
  ],
  async run(context, { args, options: { comment } }) {
    const { output } = context;
    const client = await context.client();
    const agent = await agentName(client, args.agent);
    const { questionId: id, options } = await questionId(client, agent, args.question);
    const answer = options === null ? dataOf(args.answer) : args.answer;
    const input = { agent, questionId: id, answer: answer as never, ...(comment !== undefined && { comment }) };
    const result = await client.questions.answer(input);
    if (output.json) return output.object(result);
    output.line(`${agent} has its answer`);
    if (result.unchecked !== null) output.line(`it was not compared with the schema: ${result.unchecked}`);
  },
});
