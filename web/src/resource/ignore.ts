// SPDX-License-Identifier: Apache-2.0

import type { Target } from './target'

/** A step of a field's path: a field by name, an element by place, by the values of its keys, or by its value. */
export type Step = { field: string } | { place: number } | { keys: [string, unknown][] } | { value: unknown }

/** The steps of a path as differences name it, such as spec.containers[name="web"].image; undefined if it cannot be read. */
export function stepsOf(path: string): Step[] | undefined {
  const out: Step[] = []
  let rest = path
  while (rest !== '') {
    const plain = /^\.?([^.[\]]+)/.exec(rest)
    if (plain) {
      out.push({ field: plain[1]! })
      rest = rest.slice(plain[0].length)
      continue
    }
    const inner = /^\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\]/.exec(rest)
    const step = inner && bracket(inner[1]!)
    if (!step) return undefined
    out.push(step)
    rest = rest.slice(inner[0].length)
  }
  return out
}

function bracket(text: string): Step | undefined {
  if (/^\d+$/.test(text)) return { place: Number(text) }
  if (text.startsWith('"')) return { field: String(scalar(text)) }
  if (text.startsWith('=')) return { value: scalar(text.slice(1)) }
  const keys: [string, unknown][] = []
  for (const [, name, value] of text.matchAll(/(?:^|,)([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]*)/g))
    keys.push([name!, scalar(value!)])
  return keys.length > 0 ? { keys } : undefined
}

function scalar(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What an application's spec says to have a difference ignored: an entry of ignoreDifferences. */
export interface IgnoreEntry {
  group?: string
  kind: string
  namespace?: string
  name: string
  jsonPointers?: string[]
  jqPathExpressions?: string[]
  managedFieldsManagers?: string[]
}

function head(target: Target): IgnoreEntry {
  return {
    ...(target.group && { group: target.group }),
    kind: target.kind,
    ...(target.namespace && { namespace: target.namespace }),
    name: target.name,
  }
}

/** The entry that has fields of an object ignored: by JSON pointers where these can name them, else by jq. */
export function ignoreFields(target: Target, paths: string[]): IgnoreEntry {
  const pointers: string[] = []
  const queries: string[] = []
  for (const path of paths) {
    const steps = stepsOf(path)
    if (!steps) continue
    if (steps.every((step) => 'field' in step || 'place' in step)) pointers.push(pointerOf(steps))
    else queries.push(queryOf(steps))
  }
  return {
    ...head(target),
    ...(pointers.length > 0 && { jsonPointers: pointers }),
    ...(queries.length > 0 && { jqPathExpressions: queries }),
  }
}

/** The entry that has ignored whatever some managers write. */
export function ignoreManagers(target: Target, managers: string[]): IgnoreEntry {
  return { ...head(target), managedFieldsManagers: managers }
}

// RFC 6901: ~ and / of a name are written as ~0 and ~1.
function pointerOf(steps: Step[]): string {
  return steps
    .map((step) => ('field' in step ? step.field : 'place' in step ? String(step.place) : ''))
    .map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
}

function queryOf(steps: Step[]): string {
  return steps
    .map((step, at) => {
      if ('field' in step) {
        const simple = /^[A-Za-z_]\w*$/.test(step.field)
        return simple ? `.${step.field}` : `${at === 0 ? '.' : ''}[${JSON.stringify(step.field)}]`
      }
      if ('place' in step) return `[${step.place}]`
      if ('value' in step) return `[] | select(. == ${JSON.stringify(step.value)})`
      const all = step.keys.map(([name, value]) => `${keyOf(name)} == ${JSON.stringify(value)}`)
      return `[] | select(${all.join(' and ')}) | `
    })
    .join('')
    .replace(/ \| $/, '')
}

function keyOf(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `.[${JSON.stringify(name)}]`
}
