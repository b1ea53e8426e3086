// The runner of the documentation's commands: what it reads, what it accepts, and how it tells a difference.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandsOf, difference, fencedBlocks, matches, Session } from '../support/console-blocks.ts'

/** Runs one console block, given without its fences. */
async function runBlock(session: Session, ...lines: string[]): Promise<void> {
  const [block] = fencedBlocks(['```console', ...lines, '```'].join('\n'))
  for (const command of commandsOf(block)) await session.run(command)
}

describe('console blocks', () => {
  describe('reading', () => {
    it('finds every fenced block with its line, language and reason to skip', () => {
      const blocks = fencedBlocks(
        'text\n```console\n$ a\n```\n\n```ts run\nx\n```\n~~~console skip=needs a printer\n$ b\n~~~'
      )
      assert.deepEqual(
        blocks.map(({ line, language, info, skip }) => ({ line, language, info, skip })),
        [
          { line: 2, language: 'console', info: '', skip: undefined },
          { line: 6, language: 'ts', info: 'run', skip: undefined },
          { line: 9, language: 'console', info: 'skip=needs a printer', skip: 'needs a printer' }
        ]
      )
    })

    it('takes the indent of a list from the lines of a block', () => {
      assert.deepEqual(fencedBlocks('- x\n  ```console\n  $ a\n    b\n  ```')[0].lines, ['$ a', '  b'])
    })

    it('refuses a block that is never closed', () => {
      assert.throws(() => fencedBlocks('```console\n$ a'), /line 1 is not closed/)
    })

    it('refuses a console block that does not begin with a command', () => {
      assert.throws(() => commandsOf(fencedBlocks('```console\nhello\n```')[0]), /begins with a command/)
    })

    it('reads continued lines, background commands and exit codes', () => {
      const [block] = fencedBlocks('```console\n$ one \\\n> two\nout\n\n$ three &\n$ four\n? 69\n```')
      assert.deepEqual(
        commandsOf(block).map(({ text, isBackground, expected, exitCode }) => ({
          text,
          isBackground,
          expected,
          exitCode
        })),
        [
          { text: 'one \\\ntwo', isBackground: false, expected: ['out'], exitCode: 0 },
          { text: 'three', isBackground: true, expected: [], exitCode: 0 },
          { text: 'four', isBackground: false, expected: [], exitCode: 69 }
        ]
      )
    })
  })

  describe('matching', () => {
    const cases: [expected: string[], actual: string[], isMatch: boolean][] = [
      [[], [], true],
      [['a'], ['a'], true],
      [['a'], ['b'], false],
      [['a'], ['a', 'b'], false],
      [['a', 'b'], ['a'], false],
      [['id [..] seq [..]'], ['id x1 seq 7'], true],
      [['id [..] seq 8'], ['id x1 seq 7'], false],
      [['a.c'], ['abc'], false],
      [['...'], [], true],
      [['a', '...', 'd'], ['a', 'b', 'c', 'd'], true],
      [['a', '...', 'd'], ['a', 'd', 'e'], false],
      [['...', 'x', '...', 'x'], ['x', 'y', 'x', 'x'], true]
    ]
    for (const [expected, actual, isMatch] of cases) {
      it(`${JSON.stringify(expected)} ${isMatch ? 'takes' : 'does not take'} ${JSON.stringify(actual)}`, () => {
        assert.equal(matches(expected, actual), isMatch)
      })
    }

    it('shows the lines that agree, those that were expected, and those that came', () => {
      assert.equal(difference(['a [..]', 'b'], ['a 1', 'c', 'd']), '  a [..]\n- b\n+ c\n+ d')
    })
  })

  describe('running', () => {
    let session: Session
    beforeEach(() => {
      session = new Session('/bin/sh', 5_000)
    })
    afterEach(() => session[Symbol.asyncDispose]())

    it('passes a block whose commands print what it shows', async () => {
      await runBlock(session, '$ printf "one\\ntwo 2\\n"', 'one', 'two [..]', '$ true')
    })

    it('fails a block with other output, and shows the difference', async () => {
      await assert.rejects(runBlock(session, '$ echo hello', 'goodbye'), {
        message: 'line 2: $ echo hello\nother output\n- goodbye\n+ hello'
      })
    })

    it('fails a block that shows nothing where something is printed', async () => {
      await assert.rejects(runBlock(session, '$ echo hello'), /\+ hello/)
    })

    it('fails a command whose exit code is not the one shown', async () => {
      await assert.rejects(runBlock(session, '$ exit 3'), /exit code 3, not 0/)
      await runBlock(session, '$ (exit 3)', '? 3')
    })

    it('shows what is written to standard error too', async () => {
      await runBlock(session, '$ echo trouble >&2', 'trouble')
    })

    it('keeps the directory and the variables from one command to the next', async () => {
      await runBlock(session, "$ mkdir inner && cd inner && word='it is'", '$ echo "$word ${PWD##*/}"', 'it is inner')
    })

    it('gives the program as `comrade` and `./comrade`, an empty home, and no terminal colours', async () => {
      await runBlock(session, "$ comrade -c 'echo run'", 'run', "$ ./comrade -c 'echo run'", 'run')
      await runBlock(session, '$ ls "$HOME/home" 2>/dev/null', '? 2', '$ echo "$NO_COLOR"', '1')
    })

    it('ends a command that takes too long', async () => {
      await using hasty = new Session('/bin/sh', 100)
      await assert.rejects(runBlock(hasty, '$ sleep 30'), /not done within 100 ms/)
    })

    it('awaits the lines of a background command, goes on, and ends it with the session', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'comrade-console-'))
      try {
        {
          await using terminal = new Session('/bin/sh', 5_000)
          const command = `echo starting; echo ready; echo $$ >${directory}/pid; while :; do sleep 1; done`
          await runBlock(terminal, `$ ${command} &`, 'starting', 'ready', '$ echo next', 'next')
          assert.ok(existsSync(join(directory, 'pid')))
        }
        const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
        assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
      } finally {
        rmSync(directory, { recursive: true })
      }
    })

    it('fails a background command that ends before it is ready', async () => {
      await assert.rejects(
        runBlock(session, '$ echo no && exit 7 &', 'ready'),
        /ended with 7\n- ready\n- \.\.\.\n\+ no/
      )
    })
  })
})
