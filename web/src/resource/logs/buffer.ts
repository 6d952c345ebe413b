// SPDX-License-Identifier: Apache-2.0

import { plain } from '../ansi'

/** A line of a log. */
export interface Line {
  /** Counts up from 1 and is never used again. */
  id: number
  at: string
  pod: string
  /** As it came, with its colours. */
  text: string
}

/** What the API sends of a log. */
export interface Entry {
  content?: string
  timeStampStr?: string
  podName?: string
  last?: boolean
}

/** How many lines are kept: what the browser holds with ease. */
export const mostLines = 50_000

/** How many lines more than that come before old ones are dropped, for dropping costs as much for one as for many. */
const slack = 1_000

/** Lines of a log, the oldest first. Old ones are dropped when there are too many, and counted. */
export class LogBuffer {
  lines: Line[] = []
  dropped = 0
  private last = 0
  private readonly newest = new Map<string, string>()

  constructor(private readonly most = mostLines) {}

  /** Adds what came. Returns how many lines were dropped for it. */
  push(entries: readonly Entry[]): number {
    for (const entry of entries) {
      const at = entry.timeStampStr ?? ''
      const pod = entry.podName ?? ''
      if (entry.last && !entry.content) continue
      this.lines.push({ id: ++this.last, at, pod, text: entry.content ?? '' })
      if (at !== '') this.newest.set(pod, at)
    }
    const over = this.lines.length - this.most
    if (over <= Math.min(slack, this.most / 10)) return 0
    this.lines.splice(0, over)
    this.dropped += over
    return over
  }

  clear() {
    this.lines = []
    this.dropped = 0
    this.newest.clear()
  }

  /** The time of the newest line, and undefined without any: where to take up a log again. */
  newestTime(): string | undefined {
    let newest: string | undefined
    for (const at of this.newest.values()) if (!newest || later(at, newest)) newest = at
    return newest
  }

  /** A test for whether an entry is among what came before, for a log that is taken up again: the API counts from whole seconds. */
  known(): (entry: Entry) => boolean {
    const seen = new Map(this.newest)
    return (entry) => {
      const before = seen.get(entry.podName ?? '')
      return before !== undefined && entry.timeStampStr !== undefined && !later(entry.timeStampStr, before)
    }
  }
}

/** A time to the millisecond in the reader's zone, such as 2026-03-04 18:00:00.123: times of lines are compared, and so are exact. */
export function localTime(at: string): string {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return at
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')
  return `${day} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/** Whether a time is later than another, to the nanosecond. */
export function later(a: string, b: string): boolean {
  const [secondsA, nanosA] = instant(a)
  const [secondsB, nanosB] = instant(b)
  return secondsA === secondsB ? nanosA > nanosB : secondsA > secondsB
}

function instant(text: string): [number, number] {
  const [, whole = text, fraction = '', zone = 'Z'] = /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? []
  return [Date.parse(whole + zone), Number(fraction.padEnd(9, '0').slice(0, 9))]
}

/** The places of a text in a line, letter case aside unless it counts. */
export function found(line: string, wanted: string, matchCase = false): number[] {
  if (wanted === '') return []
  const [where, what] = matchCase ? [line, wanted] : [line.toLowerCase(), wanted.toLowerCase()]
  const out: number[] = []
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + what.length)) out.push(at)
  return out
}

/** The places in a list of the lines that hold a text. */
export function matching(lines: readonly Line[], wanted: string, matchCase = false): number[] {
  if (wanted === '') return []
  return lines.flatMap((line, at) => (found(plain(line.text), wanted, matchCase).length > 0 ? [at] : []))
}

/** A log as a text to copy. */
export function textOf(lines: readonly Line[], timestamps: boolean, pods: boolean): string {
  return lines
    .map((line) =>
      [timestamps && line.at, pods && line.pod, plain(line.text)].filter((part) => part !== false).join(' '),
    )
    .join('\n')
}
