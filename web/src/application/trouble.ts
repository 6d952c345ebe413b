// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'
import { own } from '../safe/own'

/** How much an object asks to be looked at: 0 is nothing. Unknown is never nothing. */
export function trouble(node: Node): number {
  switch (node.health?.status) {
    case 'Degraded':
      return 6
    case 'Missing':
      return 5
    case 'Unknown':
      return 4
    case 'Suspended':
      return 2
    case 'Progressing':
      return 1
  }
  if (node.sync === 'Unknown') return 4
  if (node.sync === 'OutOfSync' || node.confirm || node.prune) return 3
  return node.reason ? 3 : 0
}

/** An object in words, for those who listen and for hovering. */
export function sentence(node: Node): string {
  const words = [`${node.kind} ${node.name}`]
  if (node.health?.status) words.push(node.health.status)
  if (node.sync) words.push(node.sync === 'OutOfSync' ? 'Out of sync' : node.sync)
  for (const mark of marksOf(node)) words.push(mark.title)
  return words.join(', ')
}

/** A mark on an object: a word on the card, and what it means. */
export interface Mark {
  word: string
  title: string
  tone: 'dim' | 'warn' | 'wait'
}

/** What else is to be said of an object than how it stands. */
export function marksOf(node: Node): Mark[] {
  const out: Mark[] = []
  const say = (word: string, title: string, tone: Mark['tone'] = 'dim') => out.push({ word, title, tone })
  if (node.confirm) say('confirm', 'Its deletion waits for a person', 'wait')
  else if (node.prune) say('prune', 'No longer in the source: to be deleted', 'warn')
  if (node.sharedWith) say('shared', `Belongs to ${node.sharedWith}`, 'warn')
  if (node.orphan) say('orphan', 'Belongs to no application')
  if (node.hook) say('hook', 'Hook')
  if (node.wave) say(`wave ${node.wave}`, `Sync wave ${node.wave}`)
  if (node.differs)
    say(`${node.differs} ≠`, `${node.differs} ${node.differs === 1 ? 'field differs' : 'fields differ'}`, 'warn')
  return out
}

/** What to say instead of an age: that an object is not there is known only where it was looked for. */
export function absence(node: Node): string {
  return node.health?.status === 'Missing' && node.sync !== 'Unknown' ? 'not there' : 'not seen'
}

/** A fact about an object, by its name. */
export function fact(node: Node, name: string): string {
  return node.info?.find((item) => item.name === name)?.value ?? ''
}

const shortKinds: Record<string, string> = {
  Application: 'app',
  ApplicationSet: 'appset',
  ClusterRole: 'c-role',
  ClusterRoleBinding: 'crb',
  ConfigMap: 'cm',
  ControllerRevision: 'rev',
  CronJob: 'cron',
  CustomResourceDefinition: 'crd',
  DaemonSet: 'ds',
  Deployment: 'deploy',
  Endpoints: 'ep',
  EndpointSlice: 'ep',
  HorizontalPodAutoscaler: 'hpa',
  Ingress: 'ing',
  Namespace: 'ns',
  NetworkPolicy: 'netpol',
  PersistentVolume: 'pv',
  PersistentVolumeClaim: 'pvc',
  PodDisruptionBudget: 'pdb',
  ReplicaSet: 'rs',
  RoleBinding: 'rb',
  Rollout: 'rollout',
  Secret: 'secret',
  Service: 'svc',
  ServiceAccount: 'sa',
  StatefulSet: 'sts',
  StorageClass: 'sc',
}

/** A kind in a few letters, as people write it on a command line; initials for what has no such name. */
export function shortKind(kind: string): string {
  const known = own(shortKinds, kind)
  if (known) return known
  if (kind.length <= 7) return kind.toLowerCase()
  const initials = kind.replace(/[^A-Z]/g, '').toLowerCase()
  return initials.length > 1 ? initials.slice(0, 6) : kind.slice(0, 6).toLowerCase()
}

/** Kinds in the plural, as far as a few of them are told of at once. */
export function plural(kind: string, count: number): string {
  if (count === 1) return kind
  if (/(s|x|ch)$/i.test(kind)) return /Endpoints$/.test(kind) ? kind : `${kind}es`
  return /[^aeiou]y$/i.test(kind) ? `${kind.slice(0, -1)}ies` : `${kind}s`
}
