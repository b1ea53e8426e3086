// A CPU profile of one piece of work, when BENCH_PROFILE names a directory: what a process spent its time on.
import { Session } from 'node:inspector/promises'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Does the work; writes `<name>-<pid>.cpuprofile` (for the developer tools of Chromium, or speedscope). */
export async function profiled<T>(name: string, work: () => Promise<T>): Promise<T> {
  const directory = process.env.BENCH_PROFILE
  if (directory === undefined) return work()
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  try {
    return await work()
  } finally {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, `${name}-${process.pid}.cpuprofile`), JSON.stringify(profile))
  }
}
