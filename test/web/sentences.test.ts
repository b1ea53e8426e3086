// What the node can say, the page can say in all its languages: collected from the tables themselves.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { statusCodes } from '../../src/api/status.ts'
import { speaker } from '../../src/feeds/index.ts'
import { refuse } from '../../src/node/refusal-sentences.ts'
import { sayCheck, sayDial } from '../../src/node/sentences.ts'
import { ApiError } from '../../src/web/api.ts'
import { chosenLanguage } from '../../src/web/state/choices.ts'
import { errorsDe } from '../../src/web/words/errors-de.ts'
import { errorsEn } from '../../src/web/words/errors-en.ts'
import { checkNamesDe, sentencesDe } from '../../src/web/words/sentences-de.ts'
import { checkName, explained, said, saidTogether } from '../../src/web/words/sentence.ts'
import { checkNamesEn, type Phrase, sentencesEn } from '../../src/web/words/sentences-en.ts'
import { ROOT } from '../support/documents.ts'

type Table = Record<string, string>

const files = globSync('src/{api,blobs,cli,feeds,groups,messages,node,trust}/**/*.ts', { cwd: ROOT })
const homes = files.filter((file) => /\/([\w-]+-)?sentences\.ts$/.test(file))
const phrases = { en: sentencesEn as Record<string, Phrase>, de: sentencesDe as Record<string, Phrase> }

async function tables(): Promise<Table[]> {
  const modules = await Promise.all(homes.map((file) => import(join(ROOT, file)) as Promise<Record<string, unknown>>))
  return modules.flatMap((module) => Object.values(module)).filter((value): value is Table => typeof value === 'object')
}

async function everything(): Promise<[code: string, text: string][]> {
  return (await tables()).flatMap((table) => Object.entries(table))
}

function placesOf(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, place]) => place))].toSorted()
}

function formsOf(phrase: Phrase): string[] {
  return typeof phrase === 'string' ? [phrase] : [phrase.one, phrase.other]
}

describe('what the node says', () => {
  it('stands in tables, and nowhere else', async () => {
    const speaking = files.filter((file) => /\bspeaker\(/.test(readFileSync(join(ROOT, file), 'utf8')))
    assert.deepEqual(speaking.toSorted(), homes.toSorted())
    assert.ok((await everything()).length > 150)
  })

  it('has one code for each sentence, and one sentence for each code', async () => {
    const codes = (await everything()).map(([code]) => code)
    assert.equal(new Set(codes).size, codes.length)
    for (const code of codes) assert.match(code, /^[a-z]+\.[a-zA-Z]+$/)
  })

  it('is said by the page in each of its languages, and nothing that the node does not say', async () => {
    const codes = (await everything()).map(([code]) => code).toSorted()
    for (const [language, known] of Object.entries(phrases))
      assert.deepEqual(Object.keys(known).toSorted(), codes, language)
  })

  it('has only values that the node gives, the same in each language, and counts what it counts by', async () => {
    for (const [code, text] of await everything()) {
      const given = placesOf(text)
      const [en, de] = [phrases.en[code], phrases.de[code]].map((phrase) => placesOf(formsOf(phrase).join()))
      assert.deepEqual(de, en, code)
      for (const place of en) assert.ok(given.includes(place), `${code} has no ${place}`)
      if (typeof phrases.en[code] === 'object' || typeof phrases.de[code] === 'object')
        assert.ok(given.includes('count'))
      for (const phrase of Object.values(phrases))
        for (const form of formsOf(phrase[code])) assert.ok(form.trim() !== '', code)
    }
  })

  it('is text with all its values, and the same values beside it', () => {
    const say = speaker({ 'a.b': '{name} has {usedBytes}, {names}, {inMs}: {reason}', 'a.c': 'no {why}' })
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.array(fc.string()), (name, usedBytes, names) => {
        const reason = say('a.c', { why: name })
        const values = { name, usedBytes, names, inMs: 1_200, reason }
        const sentence = say('a.b', values)
        assert.deepEqual(sentence.values, values)
        assert.ok(
          sentence.text.startsWith(`${name} has ${usedBytes < 2 ** 20 ? usedBytes : Math.floor(usedBytes / 2 ** 20)}`)
        )
        assert.ok(sentence.text.endsWith(`, 2 s: no ${name}`))
      })
    )
  })
})

describe('errors and checks', () => {
  it('mean something in each language: every code that the API gives', () => {
    for (const errors of [errorsEn, errorsDe])
      assert.deepEqual(Object.keys(errors).toSorted(), [...statusCodes(), 'OFFLINE'].toSorted())
  })

  it('say more than their code', () => {
    for (const [code, text] of [...Object.entries(errorsEn), ...Object.entries(errorsDe)])
      assert.ok(text.includes(' ') && !text.includes(code), code)
    for (const names of [checkNamesEn, checkNamesDe])
      for (const name of Object.values(names)) assert.match(name, /^\p{Lu}/u)
  })
})

describe('the node in the language of the page', () => {
  beforeEach(() => (chosenLanguage.value = 'de'))
  after(() => (chosenLanguage.value = ''))

  it('is said with numbers, sizes, times and lists as that language writes them', () => {
    assert.equal(said(sayCheck('peers.connected', { count: 1 })), 'mit 1 Gerät verbunden')
    assert.equal(said(sayCheck('peers.connected', { count: 1_200 })), 'mit 1.200 Geräten verbunden')
    assert.equal(said(sayCheck('disk.free', { freeBytes: 1_500_000_000 })), '1,5\u00a0GB frei')
    assert.match(said(sayCheck('directory.certified', { untilTime: '2026-03-05T12:00:00.000Z' })), /5\. März 2026/)
    assert.match(said(sayCheck('reachable.relayed', { names: ['Ada', 'Ben\u202e'] })), /über Ada und Ben\\u\{202e\}$/)
    const away = sayCheck('contact.away', { name: 'Ada', reason: sayDial('dial.silence') })
    assert.equal(
      saidTogether([away, sayCheck('contact.again', { inMs: 61_000 })]),
      'Ada: dort antwortet niemand; nächster Versuch in 1 Minute'
    )
    assert.equal(checkName('identity log'), 'Protokoll deiner Identität')
  })

  it('is shown in its own words, made harmless, where the page does not know a code', () => {
    const values = { name: 'x' }
    for (const code of ['later.version', '__proto__', 'toString'])
      assert.equal(said({ code, values, text: 'a newer\u202enode' }), 'a newer\\u{202e}node')
    assert.equal(checkName('toString'), 'toString')
  })

  it('leaves no place empty and shows nothing that is invisible, whatever the values are', async () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.array(fc.string({ unit: 'binary' })))
    const known = (await everything()).map(([code, text]) => ({ code, text, places: placesOf(text) }))
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.array(value, { minLength: 6, maxLength: 6 }), (sentence, given) => {
        const plain = sentence.places.map((place, index) => [place, given[index]])
        const text = said({ ...sentence, values: Object.fromEntries(plain) as Record<string, string> })
        assert.doesNotMatch(text, /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u)
      })
    )
  })

  it('explains what went wrong, with what to do, and never by a code or in the browser’s own words alone', () => {
    const refused = new ApiError('FAILED', 'x', { sentence: refuse('refusal.fewVouches', { count: 1, needed: 2 }) })
    assert.deepEqual(explained(refused), { text: 'Du hast 1 von 2 Bürgschaften, die es braucht.' })
    assert.deepEqual(explained(new ApiError('DISK_FULL', 'x')), { text: errorsDe.DISK_FULL })
    assert.deepEqual(explained(new ApiError('BAD_INPUT', 'tags must\u202e')), {
      text: errorsDe.BAD_INPUT,
      detail: 'tags must\\u{202e}'
    })
    for (const code of ['SIGNATURE_MALLEABLE', '__proto__', ''])
      assert.equal(explained(new ApiError(code, 'x')).text, errorsDe.FAILED)
    assert.deepEqual(explained(new Error('Die Wörter stimmen nicht')), { text: 'Die Wörter stimmen nicht' })
    for (const odd of [new TypeError('x is undefined'), new DOMException('denied', 'NotAllowedError'), 'x', undefined])
      assert.match(explained(odd).text, /^In dieser Seite/)
  })
})
