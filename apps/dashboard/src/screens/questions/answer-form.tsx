// The form for the answer to a question: its options as buttons, fields made from its schema, or JSON.
import { type Json, type QuestionView, SwarmError } from '@hypercode/contracts';
import { type ReactNode, useState } from 'react';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { CliLine } from '../../parts/cli-line.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { answerOf, type AnswerField, fieldsOf } from './answer-fields.ts';

interface AnswerFormProps {
  readonly question: QuestionView;
  readonly onAnswered: () => void;
}

/** Nothing for a caller that may not answer. */
export function AnswerForm({ question, onAnswered }: AnswerFormProps) {
  const { agent, questionId, options, schema } = question;
  const client = useClient();
  const mayAnswer = useMay('questions.answer');
  const [given, setGiven] = useState<Readonly<Record<string, string>>>({});
  const [comment, setComment] = useState('');
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  if (!mayAnswer) return null;
  const fields = options === null ? fieldsOf(schema) : null;
  const words = comment.trim();
  const send = async (answer: Json): Promise<void> => {
    setSending(true);
    setRefusal(null);
    try {
      await client.questions.answer({ agent, questionId, answer, ...(words === '' ? {} : { comment: words }) });
      onAnswered();
    } catch (error) {
      setRefusal(SwarmError.from(error).message);
    } finally {
      setSending(false);
    }
  };
  const typed = readTyped(fields, given);
  const cli = ['questions', 'answer', agent, questionId];
  return (
    <form
      className="flex max-w-xl flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (options === null && typed !== undefined) void send(typed);
      }}
    >
      {options === null && fields === null && (
        <Labelled label="Answer, as JSON">
          <textarea
            className="min-h-16 rounded border border-strong-line/50 bg-sheet px-2 py-1.5 font-mono text-[12px]"
            value={given[''] ?? ''}
            onChange={(event) => setGiven({ '': event.target.value })}
          />
        </Labelled>
      )}
      {fields?.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={given[field.name] ?? ''}
          onChange={(value) => setGiven((before) => ({ ...before, [field.name]: value }))}
        />
      ))}
      <Labelled label="Comment">
        <input
          className="h-8 rounded border border-strong-line/50 bg-sheet px-2"
          value={comment}
          maxLength={1024}
          onChange={(event) => setComment(event.target.value)}
        />
      </Labelled>
      {options === null && typed !== undefined && <CliLine words={[...cli, JSON.stringify(typed)]} />}
      {refusal !== null && (
        <p role="alert" className="rounded bg-bad-wash px-2.5 py-1.5 text-bad">
          {refusal}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        {options?.map(({ id, label }) => (
          <Button key={id} title={`swarm ${cli.join(' ')} …`} disabled={isSending} onClick={() => void send(id)}>
            {shown(label)}
          </Button>
        ))}
        {options === null && (
          <Button kind="main" type="submit" disabled={isSending || typed === undefined}>
            {isSending ? 'Sending…' : 'Answer'}
          </Button>
        )}
      </div>
    </form>
  );
}

/** Undefined while it is no JSON. */
function readTyped(fields: readonly AnswerField[] | null, given: Readonly<Record<string, string>>): Json | undefined {
  if (fields !== null) return answerOf(fields, given);
  try {
    return JSON.parse(given[''] ?? '') as Json;
  } catch {
    return undefined;
  }
}

interface FieldProps {
  readonly field: AnswerField;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Field({ field: { label, kind, isRequired, choices }, value, onChange }: FieldProps) {
  const look = 'h-8 rounded border border-strong-line/50 bg-sheet px-2';
  if (kind === 'flag') {
    return (
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          checked={value === 'true'}
          onChange={(event) => onChange(String(event.target.checked))}
        />
        {shown(label)}
      </label>
    );
  }
  return (
    <Labelled label={shown(label)}>
      {kind === 'choice' ? (
        <select className={look} value={value} required={isRequired} onChange={(event) => onChange(event.target.value)}>
          <option value="" />
          {choices.map((one) => (
            <option key={one} value={one}>
              {shown(one)}
            </option>
          ))}
        </select>
      ) : (
        <input
          className={look}
          type={kind}
          step="any"
          value={value}
          required={isRequired}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Labelled>
  );
}

const Labelled = ({ label, children }: { readonly label: string; readonly children: ReactNode }) => (
  <label className="flex flex-col gap-1">
    <span className="text-faint">{label}</span>
    {children}
  </label>
);
