// SPDX-License-Identifier: Apache-2.0

type Value = null | boolean | number | string | Value[] | { [field: string]: Value }
export type Fields = { [field: string]: Value }

function isFields(value: Value | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether two values are the same, in whatever order their fields are. */
export function same(a: Value | undefined, b: Value | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => same(one, b[at]))
  if (!isFields(a) || !isFields(b)) return a === b
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
  )
}

/** The merge patch (RFC 7386) that makes one object of the other; undefined if they are the same. Lists are replaced whole. */
export function mergePatch(before: Fields, after: Fields): Fields | undefined {
  const out: Fields = {}
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) out[name] = null
  for (const [name, value] of Object.entries(after)) {
    const was = before[name]
    if (same(was, value)) continue
    if (isFields(was) && isFields(value)) out[name] = mergePatch(was, value) ?? {}
    else out[name] = value
  }
  return Object.keys(out).length > 0 ? out : undefined
}

/** What the server keeps of an object and nobody edits. */
const kept = [
  'creationTimestamp',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]

/** An object as people edit it: without its status, and without what the server keeps of it. */
export function editable(object: Fields): Fields {
  const { status: _, metadata, ...rest } = object
  if (!isFields(metadata)) return rest
  const left = Object.fromEntries(Object.entries(metadata).filter(([name]) => !kept.includes(name)))
  const { apiVersion, kind, ...more } = rest
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    metadata: left,
    ...more,
  }
}

/** Why an edited object is none that can be saved; '' if it is one. */
export function wrongWith(before: Fields, after: unknown): string {
  if (typeof after !== 'object' || after === null || Array.isArray(after))
    return 'This is no object: it has to begin with fields such as apiVersion.'
  const now = after as Fields
  for (const name of ['apiVersion', 'kind']) {
    if (!same(before[name], now[name])) return `${name} cannot be changed: put back ${String(before[name])}.`
  }
  const was = isFields(before.metadata) ? before.metadata : {}
  const is = isFields(now.metadata) ? now.metadata : {}
  for (const name of ['name', 'namespace']) {
    if (!same(was[name], is[name]))
      return `metadata.${name} cannot be changed: put back ${String(was[name] ?? 'nothing')}.`
  }
  return ''
}

/** The fields of data and stringData that a patch sets or takes away: what cannot be shown of a Secret. */
export function hiddenChanges(patch: Fields): string[] {
  return ['data', 'stringData'].flatMap((field) => {
    const values = patch[field]
    return isFields(values) ? Object.keys(values).map((name) => `${field}.${name}`) : []
  })
}
