// Files as a page hands them over: what they are is seen in them, whatever they are called.
import assert from 'node:assert/strict'
import { plainFile } from '../../src/web/plain-file.ts'

const PLACE = 'GPS 48.2082N 16.3738E'
const JPEG = `\xff\xd8\xff\xe1\0\x17${PLACE}\xff\xda\0\x02pixels\xff\xd9`

function file(bytes: string, name: string, type = ''): File {
  return new File([Buffer.from(bytes, 'latin1')], name, { type })
}

describe('a file that is handed over', () => {
  it('does not tell where it was taken, though its name does not say that it is a picture', async () => {
    for (const [name, type] of [
      ['IMG_0042', ''],
      ['IMG_0042.txt', 'text/plain'],
      ['IMG_0042.jpg', 'image/jpeg']
    ]) {
      const plain = await plainFile(file(JPEG, name, type))
      const bytes = Buffer.from(await plain.file.arrayBuffer())
      assert.deepEqual([bytes.includes('48.2082'), bytes.includes('pixels'), plain.mayHide], [false, true, false], name)
      assert.equal(plain.file.type, 'image/jpeg')
    }
  })

  it('is said to hide something where that cannot be taken out', async () => {
    const kinds = ['\0\0\0\x18ftypheic', '\0\0\0\x18ftypmp42', 'II*\0', '\x1aE\xdf\xa3', 'GIF89a']
    for (const begin of kinds)
      assert.equal((await plainFile(file(begin + PLACE, 'from-my-phone'))).mayHide, true, begin)
    for (const other of ['', 'a', 'hello', 'PK\x03\x04'])
      assert.equal((await plainFile(file(other, 'notes'))).mayHide, false)
  })
})
