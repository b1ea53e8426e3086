// People: those whom one mentions, from the field in which one writes to the other's page; and those whom one meets by a
// QR code, before a camera that shows what the test has drawn.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { encode } from 'uqr'
import { Stage } from '../support/processes.ts'
import { launch, meet, Person } from './support.ts'

describe('a post that mentions somebody', function () {
  this.timeout(90_000)
  let stage: Stage
  let browser: Browser
  let [alice, bob] = [] as Person[]

  before(async () => {
    stage = new Stage()
    browser = await launch()
    alice = await Person.return(stage, browser, 'Alice')
    bob = await Person.return(stage, browser, 'Bob', { width: 390, colorScheme: 'dark' })
    await meet(alice, bob)
    await alice.node.json('name', bob.node.did, 'Bobby')
    await alice.node.json('name', 'did:key:z6MkiPBsMxVZyTu6YY9rV39jg8ANMu6vJTChgFhF6KWnBuU9', 'Bo')
    await alice.page.reload()
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  it('is written by keyboard alone: who is offered is chosen by arrows, and closed by Esc', async () => {
    const { page } = alice
    const field = page.getByRole('textbox', { name: 'What is there to say?' })
    const options = page.getByRole('listbox').getByRole('option')
    await field.pressSequentially('see @bo')
    await options.first().waitFor()
    assert.deepEqual(await options.allInnerTexts(), ['B\nBo', 'B\nBobby'])
    const active = async (): Promise<string | null> => field.getAttribute('aria-activedescendant')
    const first = await active()
    await page.keyboard.press('ArrowDown')
    assert.notEqual(await active(), first)
    await page.keyboard.press('Escape')
    await options.first().waitFor({ state: 'detached' })
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    await field.pressSequentially('@bo')
    await options.first().waitFor()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    assert.equal(await field.inputValue(), 'see @Bobby ')
    await alice.sees('Mentions Bobby')
    await field.pressSequentially('about #apples and @nobody')
    await page.keyboard.press('Control+Enter')
  })

  it('calls them as its reader does, who hears of it', async () => {
    const own = alice.page.getByRole('article').getByRole('link', { name: '@Bobby' })
    await own.waitFor()
    assert.ok((await own.getAttribute('href'))?.includes(encodeURIComponent(bob.node.did)))
    const places = bob.page.getByRole('navigation', { name: 'Places' })
    await places.getByRole('link', { name: /1 new/ }).waitFor()
    await bob.visit('News for you')
    await bob.sees('mentioned you')
    await bob.page.getByRole('link', { name: /@Bob/ }).first().click()
    await bob.page.getByRole('article').getByRole('link', { name: '@Bob', exact: true }).waitFor()
    const text = await bob.page.locator('.text').first().innerText()
    assert.equal(text, 'see @Bob about #apples and @nobody')
    const field = bob.page.getByRole('textbox', { name: /^Reply to Alice/ })
    await field.pressSequentially('yes @al')
    await bob.page.getByRole('listbox').getByRole('option', { name: /Alice/ }).click()
    await bob.page.keyboard.type('and more')
    assert.match(await field.inputValue(), /^yes @Alice#\w{8} and more$/)
    assert.deepEqual([...alice.troubles, ...bob.troubles], [])
  })
})

describe('an invite as a QR code', function () {
  this.timeout(90_000)
  let stage: Stage
  let browser: Browser
  let alice: Person
  let link: string

  before(async () => {
    stage = new Stage()
    const carol = await stage.up('Carol')
    await carol.json('profile', '--name', 'Carol')
    link = String((await carol.json('meet'))[0].link)
    const video = join(stage.path, 'camera.y4m')
    writeFileSync(video, videoOf(link))
    browser = await launch('--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${video}`)
    alice = await Person.return(stage, browser, 'Alice', { width: 390 })
    await alice.page.evaluate(() => (location.hash = '#/meet/link'))
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  it('is asked for in another way when the camera is refused', async () => {
    await alice.press('Scan with the camera')
    await alice.sees(/does not let this page use the camera/)
    assert.equal(await alice.page.locator('video').count(), 0)
  })

  it('is read from a picture, and is nothing but an invite', async () => {
    const open = async (text: string): Promise<void> => {
      const picture = { name: 'code.bmp', mimeType: 'image/bmp', buffer: bitmapOf(text) }
      await alice.page.locator('input[type=file]').setInputFiles(picture)
    }
    await open('https://example.org/pay?to=mallory')
    await alice.sees('This code is no invite. It says: https://example.org/pay?to=mallory')
    await alice.page
      .locator('input[type=file]')
      .setInputFiles({ name: 'x', mimeType: 'image/png', buffer: Buffer.from('x') })
    await alice.sees(/There is no QR code to be read/)
    await open(link)
    await alice.sees('This is')
    assert.equal(await alice.page.getByRole('alert').count(), 0)
    // What a browser reads by itself is taken first; this one does not on Linux.
    await alice.page.evaluate(() => {
      class BarcodeDetector {
        static getSupportedFormats = (): Promise<string[]> => Promise.resolve(['qr_code'])
        detect = (): Promise<object[]> => Promise.resolve([{ rawValue: 'by the browser' }])
      }
      Object.assign(globalThis, { BarcodeDetector })
    })
    await open(link)
    await alice.sees('This code is no invite. It says: by the browser')
    await alice.page.evaluate(() => Reflect.deleteProperty(globalThis, 'BarcodeDetector'))
  })

  it('is read by the camera, which is off then, and leads to who made it', async () => {
    const permissions = await alice.page.evaluate(async () => (await fetch('/')).headers.get('permissions-policy'))
    assert.match(permissions ?? '', /^camera=\(self\), microphone=\(\)/)
    await alice.page.getByRole('textbox', { name: 'The link' }).fill('')
    await alice.context.grantPermissions(['camera'])
    await alice.press('Scan with the camera')
    await alice.sees('This is')
    assert.equal(await alice.page.getByRole('textbox', { name: 'The link' }).inputValue(), link)
    assert.equal(await alice.page.locator('video').count(), 0)
    await alice.press('Meet')
    await alice.page.getByRole('heading', { name: 'Carol' }).waitFor()
    assert.deepEqual(alice.troubles, [])
  })
})

const [WIDTH, HEIGHT] = [640, 480]

/** Brightness of each point of a picture in which a code is drawn, 0 to 255. */
function drawn(text: string): Uint8Array {
  const { data, size } = encode(text, { ecc: 'L', border: 4 })
  const scale = Math.floor(HEIGHT / size)
  const picture = new Uint8Array(WIDTH * HEIGHT).fill(200)
  for (let y = 0; y < size * scale; y++)
    for (let x = 0; x < size * scale; x++)
      picture[y * WIDTH + x] = data[Math.floor(y / scale)][Math.floor(x / scale)] ? 30 : 230
  return picture
}

/** One frame of YUV4MPEG2, which a browser shows again and again. @see https://wiki.multimedia.cx/index.php/YUV4MPEG2 */
function videoOf(text: string): Buffer {
  const head = `YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\nFRAME\n`
  return Buffer.concat([Buffer.from(head), drawn(text), Buffer.alloc((WIDTH * HEIGHT) / 2, 128)])
}

/** A bitmap of 24 bits a point, its lowest row first. */
function bitmapOf(text: string): Buffer {
  const points = Buffer.from(drawn(text))
  const rows = Array.from({ length: HEIGHT }, (_, y) => points.subarray((HEIGHT - 1 - y) * WIDTH, (HEIGHT - y) * WIDTH))
  const body = Buffer.concat(rows.map((row) => Buffer.from([...row].flatMap((value) => [value, value, value]))))
  const head = Buffer.alloc(54)
  head.write('BM')
  head.writeUInt32LE(54 + body.length, 2)
  head.writeUInt32LE(54, 10)
  head.writeUInt32LE(40, 14)
  head.writeInt32LE(WIDTH, 18)
  head.writeInt32LE(HEIGHT, 22)
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  return Buffer.concat([head, body])
}
