// Files that go from one page to another: chosen, dropped, described; and what their pictures do not tell any more.
import assert from 'node:assert/strict'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { Stage } from '../support/processes.ts'
import { keepPicture, launch, meet, Person } from './support.ts'

const PLACE = '48.2082 N 16.3738 E'

/** EXIF as a camera held upright writes it: turned by a quarter (6), and the place. */
function exif(): Buffer {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
  const data = Buffer.concat([Buffer.from('Exif\0\0'), Buffer.from(tiff), Buffer.from(PLACE)])
  return Buffer.concat([Buffer.from([0xff, 0xe1, 0, data.length + 2]), data])
}

/** A photograph, lying: 400 by 240, as it is stored. */
async function photograph(page: Page): Promise<Buffer> {
  const drawn = await page.evaluate(() => {
    const canvas = document.createElement('canvas')
    ;[canvas.width, canvas.height] = [400, 240]
    const paint = canvas.getContext('2d')!
    const sky = paint.createLinearGradient(0, 0, 400, 0)
    sky.addColorStop(0, '#3f6f4a')
    sky.addColorStop(1, '#f1c27a')
    paint.fillStyle = sky
    paint.fillRect(0, 0, 400, 240)
    paint.fillStyle = '#a8322a'
    for (let i = 0; i < 7; i++) {
      paint.beginPath()
      paint.arc(60 + i * 45, 60 + ((i * 67) % 130), 18, 0, 7)
      paint.fill()
    }
    return canvas.toDataURL('image/jpeg', 0.9).split(',')[1]
  })
  const bytes = Buffer.from(drawn, 'base64')
  return Buffer.concat([bytes.subarray(0, 2), exif(), bytes.subarray(2)])
}

/** The node does not know what it was given any more, as after it was started anew. */
async function forget(page: Page, { id }: { id: string }): Promise<void> {
  const discarded = await page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch('/api/files/discard', { method: 'POST', headers, body })).json() as Promise<unknown>
  }, JSON.stringify({ id }))
  assert.deepEqual(discarded, { id, discarded: true })
}

describe('files in the page', function () {
  this.timeout(90_000)
  let stage: Stage
  let browser: Browser
  let directory: string
  let [alice, bob] = [] as Person[]
  let picture: Buffer

  before(async () => {
    stage = new Stage()
    directory = await mkdtemp(join(tmpdir(), 'comrade-files-'))
    browser = await launch()
    alice = await Person.return(stage, browser, 'Alice')
    bob = await Person.return(stage, browser, 'Bob')
    await meet(alice, bob)
    picture = await photograph(alice.page)
    assert.ok(picture.includes(PLACE))
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  it('go with a post: described, turned as before, and without the place', async () => {
    await alice.visit('Feed')
    await bob.visit('Feed')
    const { page } = alice
    await page.getByRole('textbox', { name: 'What is there to say?' }).fill('the first apples')
    const note = { name: 'recipe.txt', mimeType: 'text/plain', buffer: Buffer.from('peel, slice, bake') }
    const handedOver = page.waitForResponse((response) => response.url().includes('name=recipe.txt'))
    await page
      .locator('input[type=file]')
      .setInputFiles([{ name: 'apples.jpg', mimeType: 'image/jpeg', buffer: picture }, note])
    await forget(page, (await (await handedOver).json()) as { id: string })
    await page.getByRole('textbox', { name: 'What apples.jpg shows' }).fill('red apples on a green meadow')
    await keepPicture(page, 'attach')
    await page.getByRole('button', { name: 'Post', exact: true }).click()
    await page.getByRole('list', { name: 'Files that go with it' }).waitFor({ state: 'detached' })

    const seen = bob.page.getByRole('img', { name: 'red apples on a green meadow' })
    await seen.waitFor()
    const shown = await seen.evaluate(async (image: HTMLImageElement) => {
      await image.decode()
      const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer())
      return { width: image.naturalWidth, height: image.naturalHeight, bytes: [...bytes] }
    })
    assert.deepEqual([shown.width, shown.height], [240, 400], 'it stands')
    const got = Buffer.from(shown.bytes)
    assert.equal(got.indexOf(PLACE.slice(0, 7)), -1)
    assert.ok(got.length < picture.length)
    const kept = bob.page.getByRole('link', { name: 'recipe.txt' })
    await kept.waitFor()
    const [download] = await Promise.all([bob.page.waitForEvent('download'), kept.click()])
    assert.equal(download.suggestedFilename(), 'recipe.txt')
  })

  it('are refused with the reason, and can be taken away', async () => {
    const path = join(directory, 'film.mkv')
    const film = await open(path, 'w')
    await film.truncate(70_000_000)
    await film.close()
    const { page } = alice
    const input = page.locator('input[type=file]')
    await input.setInputFiles([path])
    await alice.sees(/is too large: a file may have up to 67/)
    await input.setInputFiles([{ name: 'empty', mimeType: 'text/plain', buffer: Buffer.alloc(0) }])
    await alice.sees('is empty.')
    for (const name of ['film.mkv', 'empty']) await page.getByRole('button', { name: `Remove ${name}` }).click()
    await page.getByRole('list', { name: 'Files that go with it' }).waitFor({ state: 'detached' })
    assert.equal(await page.getByRole('button', { name: 'Post', exact: true }).isDisabled(), true)
  })

  it('go with private messages, dropped and pasted where one writes', async () => {
    const { did } = (await bob.node.json('id'))[0] as { did: string }
    const { page } = alice
    await page.goto(new URL(`/#/conversation/${encodeURIComponent(did)}`, page.url()).href)
    const field = page.getByRole('textbox', { name: 'Message to Bob' })
    await field.waitFor()
    await field.evaluate(
      (form, bytes) => {
        const data = new DataTransfer()
        data.items.add(new File([new Uint8Array(bytes)], 'key.jpg', { type: 'image/jpeg' }))
        form.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
        const pasted = new DataTransfer()
        pasted.items.add(new File(['under the mat'], 'where.txt', { type: 'text/plain' }))
        form.dispatchEvent(new ClipboardEvent('paste', { clipboardData: pasted, bubbles: true, cancelable: true }))
      },
      [...picture]
    )
    await field.fill('the key')
    await page.getByRole('button', { name: 'Send' }).click()
    await bob.visit('Messages')
    await bob.page.getByRole('link', { name: /Alice/ }).first().click()
    const image = bob.page.getByRole('img', { name: 'key.jpg' })
    await image.waitFor()
    assert.equal(await image.evaluate(async (each: HTMLImageElement) => (await each.decode(), each.naturalWidth)), 240)
    await bob.page.getByRole('link', { name: 'where.txt' }).waitFor()
    await bob.page.waitForFunction(() => document.documentElement.scrollHeight - innerHeight - scrollY < 2)
  })

  it('are drawn anew where their kind may hide what is not known', async () => {
    const { page } = alice
    // A bitmap of one red pixel, and words behind it.
    const bitmap = Buffer.concat([
      Buffer.from('424d3a0000000000000036000000280000000100000001000000010018', 'hex'),
      Buffer.from('00000000000400000000000000000000000000000000000000', 'hex'),
      Buffer.from([0, 0, 255, 0]),
      Buffer.from(PLACE)
    ])
    await page.locator('input[type=file]').setInputFiles([{ name: 'dot.bmp', mimeType: 'image/bmp', buffer: bitmap }])
    await page.getByRole('button', { name: 'Send' }).click()
    const image = bob.page.getByRole('img', { name: 'dot.webp' })
    await image.waitFor()
    const bytes = await image.evaluate(async (each: HTMLImageElement) => [
      ...new Uint8Array(await (await fetch(each.src)).arrayBuffer())
    ])
    assert.equal(Buffer.from(bytes).subarray(8, 12).toString(), 'WEBP')
    assert.equal(Buffer.from(bytes).indexOf(PLACE.slice(0, 7)), -1)
  })

  it('come when they are asked for, where there is no room for them by themselves', async () => {
    await bob.node.json('quota', '1MiB')
    await bob.visit('Feed')
    const film = join(directory, 'film.mp4')
    await writeFile(film, Buffer.alloc(300_000, 7))
    await alice.node.json('post', 'see the film', '--attach', film)
    await bob.sees('is not on this device.')
    await bob.press('Fetch it')
    await bob.page.getByRole('link', { name: 'film.mp4' }).waitFor()
  })

  it('leave the page without errors, which asked nobody but its node', () => {
    assert.deepEqual([...alice.troubles, ...bob.troubles], [])
  })
})
