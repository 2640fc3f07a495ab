// What an attempt or a plan asks people, each with the form for its answer.
import type { PlanView } from '@hypercode/client';
import { Age } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { AnswerForm } from '../questions/answer-form.tsx';

type PlanQuestion = PlanView['tasks'][number]['questions'][number];

export const OpenQuestions = ({ questions }: { readonly questions: readonly PlanQuestion[] }) => (
  <ul aria-label="Open questions" className="flex flex-col gap-3">
    {questions.map((question) => (
      <li
        key={`${question.agent} ${question.questionId}`}
        className="flex flex-col gap-2 rounded border border-line border-l-[3px] border-l-accent bg-raised px-3 py-2"
      >
        <p className="flex gap-2 text-[12px]">
          <span className="font-medium text-accent">{shown(question.agent)} asks you</span>
          <span className="text-faint">
            <Age at={question.askedAt} />
          </span>
        </p>
        <Whole question={question} />
      </li>
    ))}
  </ul>
);

/** The plan has the beginning of the words alone. The plan's view follows when it is answered. */
function Whole({ question: { agent, questionId, text } }: { readonly question: PlanQuestion }) {
  const client = useClient();
  const reading = useReading(`${agent} ${questionId}`, (signal) =>
    client.questions.list({ agent, limit: 100 }, { signal }),
  );
  const whole = reading.value?.questions.find((one) => one.questionId === questionId);
  return (
    <>
      <p className="break-words whitespace-pre-wrap">{shown(whole?.text ?? text)}</p>
      <Refused reading={reading} />
      {whole !== undefined && <AnswerForm question={whole} onAnswered={reading.again} />}
    </>
  );
}
