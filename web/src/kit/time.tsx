// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'

/** The time of the page's clock in milliseconds, which ticks while the page is looked at. */
export const clock = signal(Date.now())

if (typeof document !== 'undefined') {
  setInterval(() => {
    if (!document.hidden) clock.value = Date.now()
  }, 5_000)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) clock.value = Date.now()
  })
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A span of time in one or two units: "4 s", "12 min", "3 h 20 min", "5 d". */
export function duration(ms: number): string {
  const t = Math.max(0, ms)
  if (t < minute) return `${Math.floor(t / second)} s`
  if (t < hour) return `${Math.floor(t / minute)} min`
  if (t < 10 * hour) return `${Math.floor(t / hour)} h ${Math.floor((t % hour) / minute)} min`
  if (t < day) return `${Math.floor(t / hour)} h`
  if (t < 60 * day) return `${Math.floor(t / day)} d`
  if (t < 730 * day) return `${Math.floor(t / (30 * day))} months`
  return `${Math.floor(t / (365 * day))} years`
}

/** How long ago or ahead a time is, for people. What lies a moment ahead is now: clocks differ. */
export function relative(at: number, now: number): string {
  const past = now - at
  if (Math.abs(past) < 5 * second) return 'now'
  return past < 0 ? `in ${duration(-past)}` : `${duration(past)} ago`
}

const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })

/** The exact time in the reader's zone. */
export function exact(at: number): string {
  return exactly.format(at)
}

/** A time, as how long ago it was; the exact one in the reader's zone on hover. bare leaves out "ago". */
export function Time({ at, bare }: { at: string | null | undefined; bare?: boolean }) {
  if (!at) return <span class="faint">never</span>
  const ms = Date.parse(at)
  const text = bare ? duration(clock.value - ms) : relative(ms, clock.value)
  return (
    <time class="tabular" dateTime={at} title={exact(ms)}>
      {text}
    </time>
  )
}
