// Where in the page one is: the part of the address after `#`, which the browser keeps to itself.
import { signal } from '@preact/signals'

/** `#/person/did:key:…` is ['person', 'did:key:…']; the beginning is ['feed']. */
export const route = signal<string[]>(parse())

function parse(): string[] {
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decoded)
  return parts.length === 0 ? ['feed'] : parts
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The address of a place in the page. */
export function at(...parts: string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`
}

export function go(...parts: string[]): void {
  location.hash = at(...parts)
}

export function focusHeading(): void {
  document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
}

export function watchRoute(): void {
  addEventListener('hashchange', () => {
    route.value = parse()
    scrollTo(0, 0)
    // A screen reader goes on at the new place's heading, and not at the link that was left.
    requestAnimationFrame(focusHeading)
  })
}
