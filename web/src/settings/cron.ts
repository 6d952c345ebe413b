// SPDX-License-Identifier: Apache-2.0

// Schedules of sync windows: five fields, minute, hour, day of month, month, day of week, by the clocks of a time zone in the
// offset from UTC that it has now. docs/reference/sync-windows.md has the rules.

export interface Schedule {
  minutes: Set<number>
  hours: Set<number>
  days: Set<number>
  months: Set<number>
  weekdays: Set<number>
  /** Whether a field says nothing: with both days given, either of them is enough. */
  anyDay: boolean
  anyWeekday: boolean
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Reads a schedule. @throws Error that says what is wrong with it. */
export function parseSchedule(text: string): Schedule {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== 5 || text.trim() === '') {
    throw new Error('write five fields: minute, hour, day of month, month, day of week')
  }
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields
  return {
    minutes: field(minute, 0, 59, 'minute'),
    hours: field(hour, 0, 23, 'hour'),
    days: field(day, 1, 31, 'day of month'),
    months: field(month, 1, 12, 'month', monthNames, 1),
    weekdays: field(weekday, 0, 6, 'day of week', dayNames, 0),
    anyDay: isAny(day),
    anyWeekday: isAny(weekday),
  }
}

// A star with a step chooses days, as */2 does: it is not any day.
const isAny = (text: string) => text.split(',').some((part) => /^[*?](\/1)?$/.test(part))

function field(text: string, low: number, high: number, name: string, names: string[] = [], first = 0): Set<number> {
  const out = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/')
    const by = step === undefined ? 1 : Number(step)
    const [from, to] = ends(range, step !== undefined, low, high, names, first)
    const whole = [from, to, by].every(Number.isInteger)
    if (!whole || more !== undefined || by < 1 || from < low || to > high || from > to) {
      throw new Error(`the ${name} “${part}” is not ${low} to ${high}, a range, or a step`)
    }
    for (let n = from; n <= to; n += by) out.add(n)
  }
  return out
}

function ends(range: string, stepped: boolean, low: number, high: number, names: string[], first: number) {
  const value = (word: string) => {
    const named = names.indexOf(word.toLowerCase())
    return named >= 0 ? named + first : /^\d+$/.test(word) ? Number(word) : Number.NaN
  }
  if (range === '*' || range === '?') return [low, high] as const
  const [from = '', to, more] = range.split('-')
  if (more !== undefined) return [Number.NaN, Number.NaN] as const
  return [value(from), to !== undefined ? value(to) : stepped ? high : value(from)] as const
}

const minuteLong = 60_000
const dayLong = 24 * 60 * minuteLong

/** How far ahead a start is looked for: a 29th of February on a given weekday may be 28 years away, but nobody waits for it. */
const horizon = 366 * 4

/** The first start behind a time, in a zone that is offset from UTC by so many minutes; undefined if none comes within years. */
export function nextStart(schedule: Schedule, after: number, offset: number): number | undefined {
  const shift = offset * minuteLong
  const from = Math.floor((after + shift) / minuteLong) * minuteLong + minuteLong
  const hours = [...schedule.hours].sort((a, b) => a - b)
  const minutes = [...schedule.minutes].sort((a, b) => a - b)
  let day = Math.floor(from / dayLong) * dayLong
  for (let n = 0; n < horizon; n++, day += dayLong) {
    if (!isDay(schedule, new Date(day))) continue
    for (const hour of hours) {
      for (const minute of minutes) {
        const start = day + (hour * 60 + minute) * minuteLong
        if (start >= from) return start - shift
      }
    }
  }
  return undefined
}

function isDay(s: Schedule, date: Date): boolean {
  if (!s.months.has(date.getUTCMonth() + 1)) return false
  const day = s.days.has(date.getUTCDate())
  const weekday = s.weekdays.has(date.getUTCDay())
  return s.anyDay || s.anyWeekday ? day && weekday : day || weekday
}

/** How many minutes the clocks of a zone are ahead of UTC at a time. A zone that nobody knows is UTC. */
export function offsetOf(zone: string | undefined, at: number): number {
  if (!zone || zone === 'UTC') return 0
  try {
    const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(at)
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
    const match = /^GMT([+-])(\d\d):(\d\d)/.exec(name)
    if (!match) return 0
    return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]))
  } catch {
    return 0
  }
}

/** Reads a length of time as Go writes it, such as 1h30m, in milliseconds; undefined if it is none. */
export function parseLength(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) return undefined
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  let sum = 0
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|h|m|s)/g))
    sum += Number(number) * (units[unit ?? ''] ?? 0)
  return sum > 0 ? sum : undefined
}
