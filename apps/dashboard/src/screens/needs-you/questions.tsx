// What agents ask people, each with a form for the answer.
import type { QuestionView } from '@hypercode/contracts';
import { Age } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient, useNamespace, useOverview } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { AnswerForm } from '../questions/answer-form.tsx';
import { TargetLink } from './target-link.tsx';

/** Read again when the number of open questions has changed. */
export function Questions() {
  const client = useClient();
  const namespace = useNamespace();
  const open = useOverview().overview?.questions.open ?? 0;
  const reading = useReading(`${namespace} ${open}`, (signal) => client.questions.list({ limit: 100 }, { signal }));
  const questions = reading.value?.questions ?? [];
  if (reading.error !== null) return <Refused reading={reading} />;
  if (questions.length === 0) return null;
  return (
    <section aria-label="Questions of agents">
      <ol className="flex flex-col">
        {questions.map((question) => (
          <Card key={`${question.agent} ${question.questionId}`} question={question} onAnswered={reading.again} />
        ))}
      </ol>
      <div className="flex justify-end border-b border-line px-5 py-1">
        <ReadAt reading={reading} />
      </div>
    </section>
  );
}

interface CardProps {
  readonly question: QuestionView;
  readonly onAnswered: () => void;
}

function Card({ question, onAnswered }: CardProps) {
  const { agent, text, askedAt, about } = question;
  const task = about !== null && 'planId' in about ? about : null;
  return (
    <li className="relative flex items-start gap-4 border-b border-line py-3 pr-5 pl-6">
      <span className="absolute inset-y-0 left-0 w-[3px] bg-accent" aria-hidden="true" />
      <span className="w-20 shrink-0 text-[12px] font-medium text-accent">Asks you</span>
      <div className="flex min-w-0 flex-1 flex-col gap-2">
        <h2 className="font-medium break-words">
          <TargetLink target={{ to: 'agent', name: agent }} className="hover:underline">
            {agent}
          </TargetLink>
          {task !== null && (
            <TargetLink
              target={{ to: 'plan', id: task.planId, task: task.taskId }}
              className="ml-2 text-[12px] text-accent hover:underline"
            >
              See the task
            </TargetLink>
          )}
        </h2>
        <p className="break-words whitespace-pre-wrap text-soft">{shown(text)}</p>
        <AnswerForm question={question} onAnswered={onAnswered} />
      </div>
      <span className="w-24 shrink-0 text-right text-faint max-md:hidden">
        <Age at={askedAt} />
      </span>
    </li>
  );
}
