// SPDX-License-Identifier: Apache-2.0

// Lists and maps as people type them: one to a line.

/** Lines without the empty ones. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}

/** NAME=VALUE lines as a map; undefined for none. The first "=" divides. */
export function mapOf(text: string): Record<string, string> | undefined {
  const pairs = linesOf(text).map(pairOf)
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs)
}

export function mapText(value: unknown): string {
  if (!value || typeof value !== 'object' || Array.isArray(value)) return ''
  return Object.entries(value)
    .map(([name, one]) => `${name}=${String(one)}`)
    .join('\n')
}

interface Named {
  name?: string
  value?: string
}

/** NAME=VALUE lines as a list of names and values. What elements of those names said beside that stays. */
export function namedOf(text: string, before: unknown): Named[] | undefined {
  const known = Array.isArray(before) ? (before as (Named | null)[]) : []
  const out = linesOf(text).map((line) => {
    const [name, value] = pairOf(line)
    return { ...known.find((one) => one?.name === name), name, value }
  })
  return out.length === 0 ? undefined : out
}

export function namedText(value: unknown): string {
  if (!Array.isArray(value)) return ''
  return (value as (Named | null)[]).map((one) => `${one?.name ?? ''}=${one?.value ?? ''}`).join('\n')
}

export function listOf(text: string): string[] | undefined {
  const out = linesOf(text)
  return out.length === 0 ? undefined : out
}

export function listText(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join('\n') : ''
}

function pairOf(line: string): [string, string] {
  const cut = line.indexOf('=')
  return cut < 0 ? [line, ''] : [line.slice(0, cut).trim(), line.slice(cut + 1).trim()]
}

/** A sync option of a list, such as CreateNamespace: its value; undefined if it is not there. */
export function optionOf(options: unknown, name: string): string | undefined {
  const found = (Array.isArray(options) ? options : []).find((one) => String(one).startsWith(`${name}=`))
  return found === undefined ? undefined : String(found).slice(name.length + 1)
}

/** The list with an option of another value, or without it. The others stay in their order. */
export function withOption(options: unknown, name: string, value: string | undefined): string[] | undefined {
  const list = (Array.isArray(options) ? options : []).map(String)
  const at = list.findIndex((one) => one.startsWith(`${name}=`))
  const own = value === undefined ? [] : [`${name}=${value}`]
  const out = at < 0 ? [...list, ...own] : [...list.slice(0, at), ...own, ...list.slice(at + 1)]
  return out.length === 0 ? undefined : out
}
