// SPDX-License-Identifier: Apache-2.0

// Drawn on a grid of 16, in the colour of the text around.
const paths = {
  check: 'M3 8.5l3.2 3.2L13 4.8',
  cross: 'M4 4l8 8M12 4l-8 8',
  heart: 'M8 13.2S2.5 9.8 2.5 6.1A2.9 2.9 0 0 1 8 4.8a2.9 2.9 0 0 1 5.5 1.3c0 3.7-5.5 7.1-5.5 7.1z',
  broken:
    'M8 13.2S2.5 9.8 2.5 6.1A2.9 2.9 0 0 1 8 4.8a2.9 2.9 0 0 1 5.5 1.3c0 3.7-5.5 7.1-5.5 7.1zM8 4.8L6.4 7.2l2.8 1.4L8 11',
  ghost: 'M3.5 13.5V7a4.5 4.5 0 0 1 9 0v6.5l-1.5-1.2-1.5 1.2L8 12.3l-1.5 1.2L5 12.3zM6.3 7h.01M9.7 7h.01',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  circle: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z',
  progress: 'M8 2.5a5.5 5.5 0 1 0 5.5 5.5',
  question: 'M5.8 6.2A2.2 2.2 0 0 1 8 4.3c1.3 0 2.3.8 2.3 2 0 1.7-2.3 1.8-2.3 3.4M8 12.2h.01',
  drift: 'M2.5 5.5h8l-2.3-2.3M13.5 10.5h-8l2.3 2.3',
  sync: 'M13 6.5A5.3 5.3 0 0 0 3.6 5M3 9.5A5.3 5.3 0 0 0 12.4 11M3.3 2.5V5h2.5M12.7 13.5V11h-2.5',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.7h-2.7',
  clock: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.2l2.2 1.4',
  hand: 'M4.5 8.5v-3a1 1 0 0 1 2 0V3.6a1 1 0 0 1 2 0V3a1 1 0 0 1 2 0v1a1 1 0 0 1 2 0v5a4.5 4.5 0 0 1-8.4 2.2L2.6 8.8a1 1 0 0 1 1.7-1z',
  warning: 'M8 2.7l6 10.6H2zM8 6.5v3.2M8 11.6h.01',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM10.2 10.2l3.3 3.3',
  filter: 'M2.5 3.5h11L9.5 8.4v4.1l-3 1V8.4z',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01',
  tiles: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  tree: 'M2.5 6h4v4h-4zM10 2.5h3.5V6H10zM10 10h3.5v3.5H10zM6.5 8h1.7M10 4.2H8.2v7.6H10',
  network:
    'M8 2.5a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM3.7 10.1a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM12.3 10.1a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM7 5.7l-2.5 4.6M9 5.7l2.5 4.6M5.4 11.8h5.2',
  pods: 'M8 2.3l5 2.8v5.8l-5 2.8-5-2.8V5.1zM3 5.1l5 2.9 5-2.9M8 8v5.7',
  history: 'M3.3 5.2A5.5 5.5 0 1 1 2.5 8M2.8 2.5v3h3M8 5.2V8l2 1.3',
  undo: 'M5.5 3.5L2.5 6.5l3 3M2.7 6.5H9a4 4 0 0 1 0 8H6',
  trash: 'M3 4.5h10M6.3 4.3V2.8h3.4v1.5M4.3 4.5l.6 8.7h6.2l.6-8.7',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  more: 'M8 3.5h.01M8 8h.01M8 12.5h.01',
  down: 'M4 6.2l4 4 4-4',
  up: 'M4 9.8l4-4 4 4',
  right: 'M6.2 4l4 4-4 4',
  left: 'M9.8 4l-4 4 4 4',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  external: 'M9 2.5h4.5V7M13.3 2.7L7.5 8.5M11.5 9.5v4h-9v-9h4',
  gear: 'M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4zM8 2v1.8M8 12.2V14M2 8h1.8M12.2 8H14M3.8 3.8l1.2 1.2M11 11l1.2 1.2M12.2 3.8L11 5M5 11l-1.2 1.2',
  person: 'M8 2.8a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2zM3 13.5a5 5 0 0 1 10 0',
  door: 'M9.5 3h-6v10h6M7 8h6.5M11 5.5L13.5 8 11 10.5',
  sun: 'M8 5.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM8 1.8v1.4M8 12.8v1.4M1.8 8h1.4M12.8 8h1.4M3.6 3.6l1 1M11.4 11.4l1 1M12.4 3.6l-1 1M4.6 11.4l-1 1',
  moon: 'M13 9.3A5.5 5.5 0 1 1 6.7 3a4.3 4.3 0 0 0 6.3 6.3z',
  half: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  branch:
    'M4.5 2.5v7M4.5 9.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM11.5 2.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM11.5 6.5c0 2.5-2.2 3-4.5 3.5',
  cluster: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01',
  folder: 'M2.5 4h4l1.3 1.5h5.7v7h-11z',
  terminal: 'M2.5 3h11v10h-11zM5 6l2 2-2 2M8.5 10.5H11',
  log: 'M3.5 2.5h9v11h-9zM5.8 5.5h4.4M5.8 8h4.4M5.8 10.5h2.5',
  edit: 'M3 13l.7-3 7-7 2.3 2.3-7 7zM9.3 4.4l2.3 2.3',
  play: 'M5 3.2l7.5 4.8L5 12.8z',
  bolt: 'M9 2L3.8 9h3.7L7 14l5.2-7H8.5z',
  lock: 'M4 7.5h8v6H4zM5.7 7.5V5.2a2.3 2.3 0 0 1 4.6 0v2.3',
  key: 'M5.3 7.7a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM7.3 8.6l5.7-5.7M10.7 5.2l1.8 1.8',
  download: 'M8 2.5v7.3M4.8 6.9L8 10l3.2-3.1M3 13.3h10',
  full: 'M2.8 6V2.8H6M10 2.8h3.2V6M13.2 10v3.2H10M6 13.2H2.8V10',
  info: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 7.3v3.4M8 5.2h.01',
  link: 'M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.8-.8',
  star: 'M8 2.4l1.7 3.6 3.9.5-2.9 2.7.8 3.9L8 11.2l-3.5 1.9.8-3.9L2.4 6.5l3.9-.5z',
  menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
} as const

export type IconName = keyof typeof paths

/** An icon. It says nothing to those who listen: a word stands beside it, or its button has a label. */
export function Icon({ name, size = 16, turning = false }: { name: IconName; size?: number; turning?: boolean }) {
  return (
    <svg
      class={turning ? 'icon turning' : 'icon'}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  )
}
