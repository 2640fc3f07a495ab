// `swarm completion`: a script for the shell, which asks `swarm complete` for the words that may come next.
import { argument, command } from '../../program/command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Each hands over the words up to the cursor, the last one unfinished, and takes one candidate a line. */
const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `_swarm() {
  local line words
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(swarm complete -- "\${words[@]}" 2>/dev/null)
  if [ "\${COMPREPLY[0]:-}" = ":file" ]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -F _swarm swarm`,
  zsh: `#compdef swarm
_swarm() {
  local -a candidates
  candidates=("\${(@f)$(swarm complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${candidates[1]}" == ":file" ]]; then
    _files
  else
    compadd -- "\${(@)candidates:#}"
  fi
}
compdef _swarm swarm`,
  fish: `function __swarm_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l candidates (swarm complete -- $words[2..-1] 2>/dev/null)
  if test "$candidates[1]" = ":file"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $candidates
  end
end
complete -c swarm -f -a '(__swarm_complete)'`,
};

export const completion = command({
  path: ['completion'],
  summary: 'Print the completion script of a shell',
  details:
    'Print the completion script of a shell: commands, options, and the names of agents, groups and topics as the core has them. Put it where the ' +
    'shell finds it, or evaluate it when the shell starts.',
  calls: [],
  args: { shell: { ...argument('The shell'), choices: SHELLS } },
  options: {},
  examples: [
    { run: 'swarm completion bash', does: 'For ~/.bashrc: eval "$(swarm completion bash)"' },
    { run: 'swarm completion zsh', does: 'For ~/.zshrc: eval "$(swarm completion zsh)", after compinit' },
    { run: 'swarm completion fish', does: 'For ~/.config/fish/completions/swarm.fish' },
  ],
  async run({ output }, { args }) {
    for (const line of SCRIPTS[args.shell as (typeof SHELLS)[number]].split('\n')) output.line(line);
  },
});
