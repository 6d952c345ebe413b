// SPDX-License-Identifier: Apache-2.0

import { linesOf } from './filter'
import { type Cluster, items } from './types'

/** What of a cluster can be edited on the page, as it stands in the fields. */
export interface ClusterForm {
  name: string
  project: string
  /** One namespace a line; none is all of them. */
  namespaces: string
  clusterResources: boolean
  /** KEY=VALUE, one a line. */
  labels: string
  annotations: string
}

export function formOf(cluster: Cluster): ClusterForm {
  return {
    name: cluster.name ?? '',
    project: cluster.project ?? '',
    namespaces: items(cluster.namespaces).join('\n'),
    clusterResources: cluster.clusterResources ?? false,
    labels: linesFrom(cluster.labels),
    annotations: linesFrom(cluster.annotations),
  }
}

function linesFrom(pairs: Record<string, string> | null | undefined): string {
  return Object.entries(pairs ?? {})
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')
}

function pairsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    }),
  )
}

const dnsName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/

/** What is wrong with the fields, by field. */
export function wrongWith(form: ClusterForm): Partial<Record<keyof ClusterForm, string>> {
  const out: Partial<Record<keyof ClusterForm, string>> = {}
  if (form.name.trim() === '') out.name = 'Give it a name: applications and people know it by that.'
  const namespace = linesOf(form.namespaces).find((one) => !dnsName.test(one))
  if (namespace) out.namespaces = `“${namespace}” is no name of a namespace.`
  const labels = wrongPair(form.labels, true)
  if (labels) out.labels = labels
  const annotations = wrongPair(form.annotations, false)
  if (annotations) out.annotations = annotations
  return out
}

function wrongPair(text: string, label: boolean): string | undefined {
  for (const line of linesOf(text)) {
    const at = line.indexOf('=')
    if (at < 1) return `“${line}” has to be KEY=VALUE.`
    const [key, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    if (!labelKey.test(key)) return `“${key}” cannot be a key.`
    if (label && !labelValue.test(value)) return `“${value}” cannot be the value of a label.`
  }
  return undefined
}

/** The fields in which the form differs from the cluster, as an update of the API names them. */
export function changedFields(form: ClusterForm, cluster: Cluster): (keyof ClusterForm)[] {
  const was = formOf(cluster)
  const meant = (f: ClusterForm) => formOf(clusterOf(f))
  const [now, before] = [meant(form), meant(was)]
  return (Object.keys(was) as (keyof ClusterForm)[]).filter((field) => now[field] !== before[field])
}

/** What of a cluster the form says. */
export function clusterOf(form: ClusterForm): Cluster {
  const namespaces = linesOf(form.namespaces)
  return {
    name: form.name.trim(),
    project: form.project.trim(),
    namespaces,
    clusterResources: namespaces.length > 0 && form.clusterResources,
    labels: pairsOf(form.labels),
    annotations: pairsOf(form.annotations),
  }
}

/** The command that does the same; undefined where the command line cannot. */
export function setCommand(name: string, form: ClusterForm, changed: (keyof ClusterForm)[]): string[] | undefined {
  if (changed.includes('project') || changed.includes('clusterResources')) return undefined
  const flags: string[] = []
  if (changed.includes('name')) flags.push('--name', form.name.trim())
  if (changed.includes('namespaces')) {
    const namespaces = linesOf(form.namespaces)
    for (const one of namespaces.length > 0 ? namespaces : ['*']) flags.push('--namespace', one)
  }
  for (const [field, flag] of [
    ['labels', '--label'],
    ['annotations', '--annotation'],
  ] as const) {
    if (!changed.includes(field)) continue
    const lines = linesOf(form[field])
    if (lines.length === 0) return undefined // there is no flag that takes all of them away
    for (const line of lines) flags.push(flag, line)
  }
  return flags.length > 0 ? ['cluster', 'set', name, ...flags] : undefined
}
