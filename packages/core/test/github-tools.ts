// 117 tools as a well-known MCP server lists them: names in snake case, descriptions of a sentence, and a JSON Schema each.
import type { AgentRegistrationInput } from '@hypercode/contracts';

type Tools = Extract<NonNullable<AgentRegistrationInput['capabilities']>[number], object>[];

const repository = {
  owner: { type: 'string', description: 'Repository owner. An organisation or a user.' },
  repo: { type: 'string', description: 'Repository name, without the owner.' },
};
const paging = {
  page: { type: 'number', minimum: 1, description: 'Page number for pagination. The first page is 1.' },
  perPage: { type: 'number', minimum: 1, maximum: 100, description: 'Results per page for pagination.' },
  after: { type: 'string', description: 'Cursor of the page before, from pageInfo.endCursor of its answer.' },
};
const searching = {
  query: { type: 'string', description: 'Search query, in the syntax of the search of the site.' },
  sort: { type: 'string', enum: ['comments', 'created', 'updated', 'reactions', 'interactions'] },
  order: { type: 'string', enum: ['asc', 'desc'], description: 'Sort order.' },
};
const text = {
  title: { type: 'string', description: 'Title.' },
  body: { type: 'string', description: 'Content, in Markdown.' },
  labels: { type: 'array', items: { type: 'string' }, description: 'Labels to set, in place of those that are there.' },
  assignees: { type: 'array', items: { type: 'string' }, description: 'User names to assign.' },
};
const numbered = { number: { type: 'number', description: 'The number, as the address of its page has it.' } };
const filed = {
  path: { type: 'string', description: 'Path of the file or folder. Folders end with a slash.' },
  branch: { type: 'string', description: 'Branch to read from, or to write to.' },
  sha: { type: 'string', description: 'The object that is replaced; required where there is one.' },
};

type Properties = Readonly<Record<string, object>>;

/** What the tools of a group act on, what they take, and their names. */
const GROUPS: readonly (readonly [string, Properties, string])[] = [
  [
    'actions',
    { ...repository, run_id: { type: 'number' }, job_id: { type: 'number' }, ...paging },
    `list_workflows list_workflow_runs get_workflow_run get_workflow_run_logs list_workflow_jobs get_job_logs
    list_workflow_run_artifacts download_workflow_run_artifact get_workflow_run_usage run_workflow rerun_workflow_run
    rerun_failed_jobs cancel_workflow_run delete_workflow_run_logs`,
  ],
  [
    'code_security',
    { ...repository, state: { enum: ['open', 'dismissed', 'fixed'] }, severity: { type: 'string' } },
    `get_code_scanning_alert list_code_scanning_alerts get_dependabot_alert list_dependabot_alerts
    get_secret_scanning_alert list_secret_scanning_alerts list_global_security_advisories get_global_security_advisory
    list_repository_security_advisories list_org_repository_security_advisories`,
  ],
  ['context', {}, 'get_me get_teams get_team_members'],
  [
    'discussions',
    { ...repository, ...numbered, ...paging },
    'list_discussions get_discussion get_discussion_comments list_discussion_categories',
  ],
  [
    'gists',
    { ...paging, files: { type: 'object', additionalProperties: { type: 'string' } } },
    'list_gists get_gist create_gist update_gist',
  ],
  [
    'git',
    { ...repository, ...filed, recursive: { type: 'boolean', default: false } },
    'get_repository_tree get_commit list_commits list_branches create_branch list_tags get_tag get_file_contents',
  ],
  [
    'issues',
    { ...repository, ...numbered, ...text, ...paging },
    `get_issue list_issues search_issues create_issue update_issue issue_read issue_write get_issue_comments
    add_issue_comment get_issue_labels list_issue_types list_sub_issues add_sub_issue remove_sub_issue
    reprioritize_sub_issue sub_issue_write assign_copilot_to_issue`,
  ],
  [
    'labels',
    { ...repository, name: { type: 'string' }, color: { type: 'string', pattern: '^[0-9a-f]{6}$' } },
    'get_label list_label label_write',
  ],
  [
    'notifications',
    { ...repository, threadID: { type: 'string' }, since: { type: 'string', format: 'date-time' } },
    `list_notifications get_notification_details dismiss_notification mark_all_notifications_read
    manage_notification_subscription manage_repository_notification_subscription`,
  ],
  ['organisations', { ...searching, ...paging }, 'search_orgs search_users'],
  [
    'projects',
    { owner: repository.owner, owner_type: { enum: ['user', 'org'] }, ...numbered, ...paging },
    `list_projects get_project list_project_fields get_project_field list_project_items get_project_item
    add_project_item update_project_item delete_project_item`,
  ],
  [
    'pull_requests',
    { ...repository, ...numbered, ...text, base: { type: 'string' }, head: { type: 'string' }, ...paging },
    `get_pull_request list_pull_requests search_pull_requests create_pull_request update_pull_request
    merge_pull_request update_pull_request_branch pull_request_read pull_request_review_write get_pull_request_files
    get_pull_request_diff get_pull_request_status get_pull_request_comments get_pull_request_reviews
    create_pending_pull_request_review add_comment_to_pending_review submit_pending_pull_request_review
    delete_pending_pull_request_review create_and_submit_pull_request_review request_copilot_review`,
  ],
  [
    'repositories',
    { ...repository, ...filed, private: { type: 'boolean' }, ...searching, ...paging },
    `search_repositories search_code create_repository fork_repository create_or_update_file delete_file push_files
    get_latest_release get_release_by_tag list_releases list_starred_repositories star_repository unstar_repository`,
  ],
  [
    'tools',
    { toolset: { type: 'string' } },
    'list_available_toolsets get_toolset_tools enable_toolset get_copilot_space',
  ],
];

/** As an agent declares them. */
export const GITHUB_TOOLS: Tools = GROUPS.flatMap(([group, properties, names]) =>
  names.split(/\s+/).map((id) => ({
    id,
    tags: [group],
    description: `${id.replaceAll('_', ' ')}: for one repository of the site, with the rights of the token that the server has.`,
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { ...properties },
      required: Object.keys(properties).filter((name) => Object.hasOwn(repository, name)),
      additionalProperties: false,
    } as never,
  })),
);
