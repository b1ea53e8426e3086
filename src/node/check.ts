// One line of the doctor: what was found, as sentences and as the English text that they make.
import { type Sentence, textOf } from '../feeds/index.ts'
import type { Check, CheckName } from './comrade.ts'

/** @param advice what can be done about it, also where nothing is wrong */
export function checkOf(check: CheckName, ok: boolean, sentences: Sentence | Sentence[], advice?: Sentence): Check {
  const all = [sentences].flat()
  const found = { check, ok, detail: textOf(all), sentences: all }
  return advice === undefined ? found : { ...found, todo: advice.text, advice }
}
