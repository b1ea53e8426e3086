// A list of any length, of which only what is on the screen is in the document. Heights are measured when a row has been
// shown, and guessed before.
import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { lowerBound, topsOf } from './row-places.ts'

/** Rows are kept this far above and below the screen. */
const MARGIN_PX = 900

interface VirtualListProps<T extends { id: string }> {
  items: readonly T[]
  render: (item: T) => JSX.Element
  /** Called when the end comes near. */
  onEnd: () => void
  label: string
}

export function VirtualList<T extends { id: string }>({ items, render, onEnd, label }: VirtualListProps<T>) {
  const list = useRef<HTMLDivElement>(null)
  const heights = useRef(new Map<string, number>())
  const measured = useSignal(0)
  const view = useSignal({ top: 0, bottom: innerHeight })
  useView(list, view)
  const rows = useMeasuring(heights.current, measured)
  const tops = useMemo(() => topsOf(items, heights.current), [items, measured.value])

  const first = Math.max(0, lowerBound(tops, view.value.top - MARGIN_PX) - 1)
  const last = Math.min(items.length, lowerBound(tops, view.value.bottom + MARGIN_PX))
  useEffect(() => {
    if (last >= items.length) onEnd()
  }, [last, items.length])

  const role = items.length === 0 ? undefined : 'feed'
  return (
    <div ref={list} role={role} aria-label={role && label} class="list">
      <div style={{ height: `${tops[first] ?? 0}px` }} />
      {items.slice(first, last).map((item, index) => (
        <Row key={item.id} id={item.id} observe={rows} position={first + index + 1} count={items.length}>
          {render(item)}
        </Row>
      ))}
      <div style={{ height: `${tops[items.length] - tops[last]}px` }} />
    </div>
  )
}

interface RowProps {
  id: string
  observe: (element: HTMLElement, id: string) => () => void
  position: number
  count: number
  children: ComponentChildren
}

function Row({ id, observe, position, count, children }: RowProps) {
  const element = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => observe(element.current!, id), [id])
  // Where in the feed the article is, of how many that are known: most of the list is not in the document.
  useLayoutEffect(() => {
    const article = element.current!.querySelector('article')
    article?.setAttribute('aria-posinset', String(position))
    article?.setAttribute('aria-setsize', String(count))
  }, [position, count])
  return (
    <div ref={element} class="list-row" data-position={position} data-count={count}>
      {children}
    </div>
  )
}

/** Follows which part of the list is on the screen. */
function useView(list: { current: HTMLElement | null }, view: { value: { top: number; bottom: number } }): void {
  useLayoutEffect(() => {
    const look = (): void => {
      if (list.current === null) return
      const top = -list.current.getBoundingClientRect().top
      view.value = { top, bottom: top + innerHeight }
    }
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [])
}

/** Notes how high rows are. @returns what watches a row, until its own result is called */
function useMeasuring(heights: Map<string, number>, measured: { value: number }) {
  return useMemo(() => {
    const ids = new WeakMap<Element, string>()
    const observer = new ResizeObserver((changes) => {
      let isChanged = false
      for (const { target, borderBoxSize } of changes) {
        const id = ids.get(target)
        const height = borderBoxSize[0].blockSize
        if (id === undefined || height === 0 || heights.get(id) === height) continue
        heights.set(id, height)
        isChanged = true
      }
      if (isChanged) measured.value += 1
    })
    return (element: HTMLElement, id: string) => {
      ids.set(element, id)
      observer.observe(element)
      return () => observer.unobserve(element)
    }
  }, [])
}
