// SPDX-License-Identifier: Apache-2.0

import { stringify } from 'yaml'
import type { Application } from '../api'
import { own } from '../safe/own'
import { Manifest, type Path } from './text'

type Json = Record<string, unknown>

/** Annotations that the controller and people at their doings write: not what an application is. */
const momentary = [
  'bowline.dev/hold',
  'bowline.dev/deletion-plan',
  'argocd.argoproj.io/deletion-approved',
  'argocd.argoproj.io/refresh',
  'argocd.argoproj.io/refresh-timestamp',
  'argocd.argoproj.io/hydrate',
  'argocd.argoproj.io/hydrate-timestamp',
  'kubectl.kubernetes.io/last-applied-configuration',
]

/** What of an application people write. */
export function editable(app: Application): Json {
  const { name, namespace, labels, finalizers } = app.metadata ?? {}
  const annotations = Object.fromEntries(
    Object.entries(app.metadata?.annotations ?? {}).filter(([key]) => !momentary.includes(key)),
  )
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(filled(labels) && { labels }),
      ...(filled(annotations) && { annotations }),
      ...(filled(finalizers) && { finalizers }),
    },
    spec: app.spec ?? {},
  }
}

function filled(value: object | null | undefined): boolean {
  return Boolean(value) && Object.keys(value as object).length > 0
}

/** The manifest of an application as it is. */
export function manifestOf(app: Application): string {
  return stringify(editable(app), { lineWidth: 0, compat: 'yaml-1.1', indentSeq: false })
}

/** Two values that say the same, whatever the order of their fields. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!a || !b || typeof a !== 'object' || typeof b !== 'object' || Array.isArray(a) !== Array.isArray(b)) return false
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => same((a as Json)[name], (b as Json)[name]))
}

/** A field that differs between two manifests. */
export interface Change {
  path: Path
  before: unknown
  after: unknown
}

/** The fields that differ. Lists count as one: what their elements are to each other is not known. */
export function changesOf(before: unknown, after: unknown, path: Path = []): Change[] {
  if (same(before, after)) return []
  if (!isMap(before) || !isMap(after)) return [{ path, before, after }]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => changesOf(before[name], after[name], [...path, name]))
}

function isMap(value: unknown): value is Json {
  return Boolean(value) && typeof value === 'object' && !Array.isArray(value)
}

/** The fields of a manifest that are written one by one, so that what others change beside them stays. */
const parts: Path[] = [['metadata', 'labels'], ['metadata', 'annotations'], ['spec']]

interface Operation {
  op: 'test' | 'add' | 'remove' | 'replace'
  path: string
  value?: unknown
}

/**
 * The JSON patch that makes of an application as it was opened what is to be saved. Each field it changes has to be as it was then,
 * or nothing is written: what somebody else did in between is not undone unseen.
 */
export function patchOf(base: Json, next: Json): Operation[] {
  const out = parts.flatMap((path) => partOf(path, valueAt(base, path), valueAt(next, path)))
  const finalizers: Path = ['metadata', 'finalizers']
  return [...out, ...fieldOf(finalizers, valueAt(base, finalizers), valueAt(next, finalizers))]
}

function partOf(path: Path, before: unknown, after: unknown): Operation[] {
  if (!isMap(before) || !isMap(after)) return fieldOf(path, before, after)
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => fieldOf([...path, name], own(before, name), own(after, name)))
}

function fieldOf(path: Path, before: unknown, after: unknown): Operation[] {
  if (same(before, after)) return []
  const pointer = pointerOf(path)
  if (before === undefined) return [{ op: 'add', path: pointer, value: after }]
  const test: Operation = { op: 'test', path: pointer, value: before }
  if (after === undefined) return [test, { op: 'remove', path: pointer }]
  return [test, { op: 'replace', path: pointer, value: after }]
}

function pointerOf(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<string | number, unknown> | undefined)?.[step], value)
}

/** What somebody else changed since a manifest was opened, beside what was changed here. */
export interface Meanwhile {
  theirs: Change[]
  /** Those of theirs whose field was changed here too. */
  both: Change[]
}

/** What somebody else changed. mine is the manifest as it is edited here. */
export function meanwhileOf(base: Json, latest: Json, mine: unknown): Meanwhile {
  const theirs = changesOf(base, latest)
  const own = changesOf(base, mine)
  const touches = (a: Path, b: Path) => a.slice(0, b.length).join('\n') === b.slice(0, a.length).join('\n')
  return {
    theirs,
    both: theirs.filter(
      (change) => !same(change.after, valueAt(mine, change.path)) && own.some((one) => touches(one.path, change.path)),
    ),
  }
}

/** The manifest with what somebody else changed taken over, but for what was changed here too. */
export function rebased(mine: Manifest, meanwhile: Meanwhile): Manifest {
  return meanwhile.theirs
    .filter((change) => !meanwhile.both.includes(change))
    .reduce((manifest, change) => manifest.with(change.path, change.after), mine)
}

/** A place as the server names it: spec.sources[1].path. */
export function fieldName(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '')
}

/** The place that a name of the server's says. */
export function pathOf(field: string): Path {
  return field
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
}

/** The manifest that a new application begins with. */
export function beginning(name = ''): Manifest {
  return new Manifest(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${JSON.stringify(name)}
spec:
  project: default
  source:
    repoURL: ""
    targetRevision: HEAD
    path: ""
  destination:
    name: in-cluster
    namespace: ""
`)
}
