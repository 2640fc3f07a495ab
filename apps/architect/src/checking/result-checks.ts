// What is compared with schemas before it counts: inputs before an agent is given them, and results before others build on them. Verdicts
// of reviewers are read here, too.
//
// A result:
//
//   completed ──nothing to compare──> settled
//             ──else──> checking ──fits──> settled; of a review that accepts: settled
//                                ──does not fit──> invalid ──its cancellation is on the bus──> no result
//                                ──a review that does not accept──> refused ──that of the result it is about──> no result
import type { Agent, Json } from '@hypercode/contracts';
import { hasEnded, type Plan, type PlanLedger, type Task } from '@hypercode/plans';
import { faultInWords, type SchemaChecks } from '@hypercode/schemas';
import type { Logger } from '../logger.ts';
import { type Checks, inputRefusal, type Judgement, type Swarm, verdictOf } from '../scheduling/checks.ts';

export interface ResultChecksOptions {
  readonly schemas: Pick<SchemaChecks, 'check'>;
  readonly agents: Swarm;
  readonly logger: Logger;
  /** Something was compared, so that another decision may follow. */
  readonly onJudged: () => void;
}

/** Attempts whose schema is remembered, and inputs whose comparison is. */
const MAX_REMEMBERED = 10_000;

interface Judged {
  readonly attempt: number;
  judgement: Judgement;
}

export class ResultChecks implements Checks {
  readonly #options: ResultChecksOptions;
  /** Results that do not count yet, by plan and task. */
  readonly #unsettled = new Map<string, Map<string, Judged>>();
  /** The output schema that the agent of an attempt had when it was given the task. */
  readonly #schemas = new Map<string, Json>();
  /** Why an agent does not take an input; null: it does; undefined while they are compared. */
  readonly #inputs = new Map<string, string | null | undefined>();

  constructor(options: ResultChecksOptions) {
    this.#options = options;
  }

  unsettled(plan: Plan): ReadonlyMap<string, Judgement> {
    const found = new Map<string, Judgement>();
    for (const [taskId, { attempt, judgement }] of this.#unsettled.get(plan.planId) ?? []) {
      if (plan.tasks.get(taskId)?.result?.attempt === attempt) found.set(taskId, judgement);
      else this.#settle(plan.planId, taskId);
    }
    return found;
  }

  inputFault(plan: Plan, { spec }: Task, agent: Agent): string | null | undefined {
    const schema = inputSchemaOf(plan.planner, spec, agent);
    if (schema === undefined) return null;
    const key = `${plan.planId}/${spec.taskId}/${agent.name}/${agent.specRevision}`;
    if (this.#inputs.has(key)) return this.#inputs.get(key);
    remember(this.#inputs, key, undefined);
    void this.#compare(schema, spec.input ?? null, { task: spec.taskId, agent: agent.name }).then((fault) => {
      remember(this.#inputs, key, fault);
      this.#options.onJudged();
    });
    return undefined;
  }

  /** Why no agent that offers the capability takes the input of a task; null: one does, or there is none. */
  async refusalOf(tasks: readonly Task['spec'][], planner: Plan['planner']): Promise<string | null> {
    for (const spec of tasks) {
      const faults: string[] = [];
      let isTaken = false;
      for (const agent of this.#options.agents) {
        if (isTaken || !agent.capabilities.some(({ id }) => id === spec.capability)) continue;
        const schema = inputSchemaOf(planner, spec, agent);
        const about = { task: spec.taskId, agent: agent.name };
        const fault = schema === undefined ? null : await this.#compare(schema, spec.input ?? null, about);
        if (fault === null) isTaken = true;
        else faults.push(`${agent.name}: ${fault}`);
      }
      if (!isTaken && faults.length > 0) return inputRefusal(spec, faults);
    }
    return null;
  }

  /** The agent is given the task now. */
  assigned({ planId }: Plan, { taskId, capability }: Task['spec'], attempt: number, agent: Agent): void {
    const schema = outputSchemaOf(agent, capability);
    if (schema !== undefined) remember(this.#schemas, `${planId}/${taskId}/${attempt}`, schema);
  }

  /** A result is in the ledger. */
  completed(plan: Plan, taskId: string): void {
    const task = plan.tasks.get(taskId);
    const { result = null } = task ?? {};
    if (task === undefined || result === null || hasEnded(plan)) return;
    const { planId } = plan;
    const { attempt, agent, output } = result;
    if (this.#unsettled.get(planId)?.get(taskId)?.attempt === attempt) return;
    const known = this.#options.agents.get(agent);
    const kept = this.#schemas.get(`${planId}/${taskId}/${attempt}`);
    const schema = kept ?? (known === undefined ? undefined : outputSchemaOf(known, task.spec.capability));
    if (schema === undefined) return this.#judge(plan, taskId, attempt, verdictOf(task, output));
    this.#judge(plan, taskId, attempt, { kind: 'checking' });
    void this.#compare(schema, output, { planId, taskId, attempt, agent }).then((fault) => {
      const judgement: Judgement | null =
        fault === null ? verdictOf(task, output) : { kind: 'invalid', reason: `the output does not fit: ${fault}` };
      this.#judge(plan, taskId, attempt, judgement);
      this.#options.onJudged();
    });
  }

  /** Results on which no other task was begun are compared again: an Architect before may have ended in between. */
  caughtUp(ledger: PlanLedger, self: string): void {
    for (const plan of ledger.active()) {
      if (plan.owner !== self || hasEnded(plan)) continue;
      for (const [taskId, { result, dependants }] of plan.tasks) {
        const isBuiltOn = dependants.some((id) => (plan.tasks.get(id)?.attempts.size ?? 0) > 0);
        const isReview = plan.tasks.get(taskId)?.spec.reviews !== undefined;
        if (result !== null && (!isBuiltOn || isReview)) this.completed(plan, taskId);
      }
    }
  }

  /** Plans that have ended need nothing more. */
  forget(planId: string): void {
    this.#unsettled.delete(planId);
  }

  #judge({ planId }: Plan, taskId: string, attempt: number, judgement: Judgement | null): void {
    if (judgement === null) return this.#settle(planId, taskId);
    let ofPlan = this.#unsettled.get(planId);
    if (ofPlan === undefined) this.#unsettled.set(planId, (ofPlan = new Map<string, Judged>()));
    ofPlan.set(taskId, { attempt, judgement });
  }

  #settle(planId: string, taskId: string): void {
    const ofPlan = this.#unsettled.get(planId);
    ofPlan?.delete(taskId);
    if (ofPlan?.size === 0) this.#unsettled.delete(planId);
  }

  /** Where the value does not fit, in words; null: it does, as far as it was compared. */
  async #compare(schema: Json, value: Json, about: object): Promise<string | null> {
    const { fault, unchecked } = await this.#options.schemas.check(schema, value);
    if (unchecked !== null) this.#options.logger.warn({ ...about, unchecked }, 'not all was compared with the schema');
    return fault === null ? null : faultInWords(fault);
  }
}

/** Undefined where nothing is compared: the input of a plan by matching words is the Architect's own. */
function inputSchemaOf(
  planner: Plan['planner'],
  { capability, input }: Task['spec'],
  { capabilities }: Agent,
): Json | undefined {
  if (input === undefined || planner === 'matching') return undefined;
  return capabilities.find(({ id }) => id === capability)?.inputSchema;
}

const outputSchemaOf = ({ capabilities }: Agent, capability: string): Json | undefined =>
  capabilities.find(({ id }) => id === capability)?.outputSchema;

function remember<Value>(known: Map<string, Value>, key: string, value: Value): void {
  known.delete(key);
  known.set(key, value);
  for (const oldest of known.keys()) {
    if (known.size <= MAX_REMEMBERED) return;
    known.delete(oldest);
  }
}
