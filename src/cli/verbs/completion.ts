// comrade completion: a script that completes verbs, their actions and options in bash, zsh or fish.
import { NodeError } from '../../node/comrade.ts'
import { buildProgram } from '../program.ts'
import type { Verb } from '../verb.ts'
import { verbs } from '../verbs.ts'
import type { Command } from 'commander'

const SCRIPTS: Readonly<Record<string, (commands: readonly Words[], global: readonly string[]) => string>> = {
  bash,
  zsh,
  fish
}

/** A verb with the actions and options that it has of its own. */
interface Words {
  name: string
  summary: string
  actions: { name: string; summary: string }[]
  options: { flag: string; description: string }[]
}

export const verb: Verb = {
  arguments: [['<shell>', 'bash, zsh or fish']],
  examples: [
    'comrade completion bash > ~/.local/share/bash-completion/completions/comrade',
    'comrade completion zsh > ~/.zfunc/_comrade',
    'comrade completion fish > ~/.config/fish/completions/comrade.fish'
  ],
  async run({ output }, [shell]) {
    if (!Object.hasOwn(SCRIPTS, shell)) throw new NodeError('BAD_INPUT', `expected bash, zsh or fish, not '${shell}'`)
    const loaded = await loadAll()
    const program = buildProgram(loaded, () => {})
    const global = program.options.map(({ long }) => long ?? '').concat('--help')
    const commands = program.commands.map((command) => wordsOf(command, loaded[command.name()]))
    const script = SCRIPTS[shell](commands, global)
    if (output.json) output.jsonLine({ shell, script })
    else output.raw(script)
  }
}

async function loadAll(): Promise<Record<string, Verb>> {
  const loaded = Object.entries(verbs).map(async ([name, { load }]) => [name, (await load()).verb] as const)
  return Object.fromEntries(await Promise.all(loaded))
}

function wordsOf(command: Command, verb: Verb): Words {
  const options = command.options.map(({ long, description }) => ({ flag: long ?? '', description }))
  const actions = (verb.actions ?? []).map(([notation, summary]) => ({ name: notation.split(' ')[0], summary }))
  return { name: command.name(), summary: command.summary(), actions, options }
}

/** All that may follow a verb, but arguments. */
function wordsAfter({ actions, options }: Words): string {
  return [...actions.map(({ name }) => name), ...options.map(({ flag }) => flag)].join(' ')
}

function bash(commands: readonly Words[], global: readonly string[]): string {
  const cases = commands
    .filter((command) => wordsAfter(command) !== '')
    .map((command) => `    ${command.name}) words="$words ${wordsAfter(command)}" ;;`)
  return `# bash completion for comrade
_comrade() {
  local current="\${COMP_WORDS[COMP_CWORD]}" verb='' i words
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --home) ((i++)) ;;
      -*) ;;
      *) verb="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  words='${global.join(' ')}'
  case "$verb" in
    '') words="$words ${commands.map(({ name }) => name).join(' ')}" ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _comrade comrade
`
}

function zsh(commands: readonly Words[], global: readonly string[]): string {
  const describe = (text: string): string => text.replace(/'/g, "'\\''").replace(/:/g, '\\:')
  const verbLines = commands.map(({ name, summary }) => `    '${name}:${describe(summary)}'`)
  const cases = commands
    .filter((command) => wordsAfter(command) !== '')
    .map((command) => `    ${command.name}) words+=(${wordsAfter(command)}) ;;`)
  return `#compdef comrade
# zsh completion for comrade
_comrade() {
  local -a verbs words
  verbs=(
${verbLines.join('\n')}
  )
  words=(${global.join(' ')})
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  case "$words_given[2]" in
${cases.join('\n')}
  esac
  compadd -- $words
  _files
}
local -a words_given
words_given=($words)
_comrade "$@"
`
}

function fish(commands: readonly Words[], global: readonly string[]): string {
  const quoted = (text: string): string => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`
  const names = commands.map(({ name }) => name).join(' ')
  return [
    '# fish completion for comrade',
    ...global.map((flag) => `complete -c comrade -l ${flag.slice(2)}`),
    ...commands.map(
      ({ name, summary }) =>
        `complete -c comrade -n ${quoted(`not __fish_seen_subcommand_from ${names}`)} -f -a ${name} -d ${quoted(summary)}`
    ),
    ...commands.flatMap(({ name, actions }) =>
      actions.map(
        (action) =>
          `complete -c comrade -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -a ${action.name} -d ${quoted(action.summary)}`
      )
    ),
    ...commands.flatMap(({ name, options }) =>
      options.map(
        ({ flag, description }) =>
          `complete -c comrade -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -l ${flag.slice(2)} -d ${quoted(description)}`
      )
    ),
    ''
  ].join('\n')
}
