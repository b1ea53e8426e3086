// One line of the doctor: what was found, as sentences and as the English text that they make.
import { type Sentence, textOf } from '../feeds/index.ts'
import type { Check } from './comrade.ts'

/** Others' programs know checks by their names. */
export type CheckName =
  | 'store'
  | 'disk'
  | 'signing'
  | 'identity log'
  | 'addresses'
  | 'peers'
  | 'reachable'
  | 'relay'
  | 'contacts'
  | 'contact'
  | 'directory'
  | 'messages'
  | 'quota'
  | 'config'

/** @param advice what can be done about it, also where nothing is wrong */
export function checkOf(check: CheckName, ok: boolean, sentences: Sentence | Sentence[], advice?: Sentence): Check {
  const all = [sentences].flat()
  const found = { check, ok, detail: textOf(all), sentences: all }
  return advice === undefined ? found : { ...found, todo: advice.text, advice }
}
