// The signs beside the places of the page, drawn with lines.
const PATHS = {
  feed: 'M4 6h16M4 12h16M4 18h10',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21h4',
  envelope: 'M3 6h18v12H3zM3 7l9 7 9-7',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.5a3.2 3.2 0 0 1 0 6M18 14.5c2.2.8 3.5 2.8 3.5 5.5',
  circle:
    'M12 4a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM5.5 15a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM18.5 15a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM10.5 8.5l-3.8 7M13.5 8.5l3.8 7M8 17.5h8',
  clip: 'M8 12.5l6.2-6.2a3 3 0 0 1 4.3 4.3l-8.2 8.2a5 5 0 0 1-7.1-7.1l7.6-7.6',
  cross: 'M6 6l12 12M18 6L6 18',
  pulse: 'M2 12h5l2.5-6 4.5 12 2.5-6h5.5'
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  )
}
