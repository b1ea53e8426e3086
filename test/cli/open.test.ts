// Where a browser would be opened.
import assert from 'node:assert/strict'
import { browserCommand } from '../../src/cli/page-address.ts'

describe('the browser of comrade open', () => {
  it('is asked for where there is a screen', () => {
    assert.deepEqual(browserCommand('linux', { DISPLAY: ':0' }), ['xdg-open'])
    assert.deepEqual(browserCommand('linux', { WAYLAND_DISPLAY: 'wayland-0' }), ['xdg-open'])
    assert.deepEqual(browserCommand('darwin', {}), ['open'])
  })

  it('is not asked for on a machine without one, or on one that is far away', () => {
    assert.equal(browserCommand('linux', {}), undefined)
    assert.equal(browserCommand('linux', { DISPLAY: '' }), undefined)
    assert.equal(browserCommand('darwin', { SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' }), undefined)
  })
})
