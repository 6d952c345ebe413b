// SPDX-License-Identifier: Apache-2.0

import type { State } from '../api'
import { counted } from './filter'
import type { Cluster, ClusterSummary, KindState } from './types'

/** How what is known of a cluster stands, worst first. */
export const standings = ['failed', 'unknown', 'gaps', 'connected'] as const
export type ClusterStanding = (typeof standings)[number]

/** How a cluster is doing. What was not answered is unknown, and a cluster of which kinds are not known is not simply connected. */
export function standingOf(summary: ClusterSummary | undefined, cluster?: Cluster): ClusterStanding {
  if (summary) {
    if (!summary.connected) return summary.error ? 'failed' : 'unknown'
    return summary.unknown > 0 || summary.error ? 'gaps' : 'connected'
  }
  const status = cluster?.info?.connectionState?.status ?? cluster?.connectionState?.status
  if (status === 'Successful') return 'connected'
  return status === 'Failed' ? 'failed' : 'unknown'
}

/** A cluster as it is declared, with what is known of it. */
export interface ClusterRow {
  cluster: Cluster
  summary: ClusterSummary | undefined
  standing: ClusterStanding
}

/** Clusters with what is known of each, the worst first and then by name. */
export function clusterRows(clusters: Cluster[], summaries: ClusterSummary[]): ClusterRow[] {
  const known = new Map(summaries.map((s) => [s.server, s]))
  return clusters
    .map((cluster) => {
      const summary = known.get(cluster.server ?? '')
      return { cluster, summary, standing: standingOf(summary, cluster) }
    })
    .sort(
      (a, b) =>
        standings.indexOf(a.standing) - standings.indexOf(b.standing) ||
        (a.cluster.name ?? '').localeCompare(b.cluster.name ?? ''),
    )
}

/** The word of an address for a cluster: its name, or its server where another has the same name. */
export function wordOf(one: { name?: string; server?: string }, all: { name?: string }[]): string {
  const unique = all.filter((other) => other.name === one.name).length < 2
  return unique && one.name ? one.name : (one.server ?? '')
}

/** Whether the word of an address is the server of a cluster and not its name. */
export const isServer = (word: string) => word.includes('://')

/** Kinds that are not known first, then those that were not heard of for the longest time. */
export function worstKinds(kinds: KindState[]): KindState[] {
  const heard = (k: KindState) => (k.lastEvent ? Date.parse(k.lastEvent) : 0)
  return [...kinds].sort(
    (a, b) =>
      Number(Boolean(b.error)) - Number(Boolean(a.error)) ||
      heard(a) - heard(b) ||
      kindName(a).localeCompare(kindName(b)),
  )
}

/** A kind with its group, such as "Deployment.apps". */
export const kindName = (k: KindState) => (k.group ? `${k.kind}.${k.group}` : k.kind)

/** Something that is wrong with Bowline or what it is connected to. */
export interface Trouble {
  key: string
  tone: 'bad' | 'warn'
  title: string
  text: string
  fix?: string
  /** Since when it is so, if that is known. */
  since?: string | null | undefined
  /** The cluster that it is about. */
  cluster?: { name: string; server: string }
}

/** What is wrong, the worst first: nothing is done, then what cannot be reached or read, then what is not known in part. */
export function troublesOf(state: State): Trouble[] {
  const all = [
    ...acting(state),
    ...checking(state),
    ...ofClusters(state),
    ...ofRepositories(state),
    ...ofSettings(state),
  ]
  return all.sort((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'))
}

/** Another process that leads is no trouble; that nobody does is. */
function acting(state: State): Trouble[] {
  if (state.leads || state.observes || !state.because || state.because === 'another process leads') return []
  return [
    {
      key: 'acts',
      tone: 'bad',
      title: 'This process does not act',
      text: state.because,
      fix: 'See the log of the process; another one takes over when one can.',
    },
  ]
}

function checking(state: State): Trouble[] {
  return Object.entries(state.checks ?? {})
    .filter(([, text]) => text !== 'ok')
    .map(([name, text]) => ({ key: `check ${name}`, tone: 'bad', title: `The check “${name}” fails`, text }))
}

function ofClusters(state: State): Trouble[] {
  const out: Trouble[] = []
  for (const c of state.clusters ?? []) {
    const about = { key: `cluster ${c.server}`, cluster: { name: c.name, server: c.server } }
    const standing = standingOf(c)
    if (standing === 'failed') {
      out.push({
        ...about,
        tone: 'bad',
        title: `Cluster ${c.name} cannot be reached`,
        text: c.error ?? '',
        since: c.lastEvent,
        fix: `${counted(c.applications, 'application')} of it cannot be compared or synced until it answers.`,
      })
    } else if (standing === 'unknown') {
      out.push({
        ...about,
        tone: 'warn',
        title: `Cluster ${c.name} was not reached yet`,
        text: 'Nothing is known of it so far.',
      })
    } else if (standing === 'gaps') {
      out.push({
        ...about,
        tone: 'warn',
        title: `Not everything in cluster ${c.name} is known`,
        text: [c.error, c.unknown > 0 && `${counted(c.unknown, 'kind is', 'kinds are')} not known.`]
          .filter(Boolean)
          .join(' '),
      })
    }
  }
  return out
}

function ofRepositories(state: State): Trouble[] {
  return (state.repositories ?? []).map((r) => ({
    key: `repository ${r.repo}`,
    tone: 'bad',
    title: `Repository ${r.repo} cannot be read`,
    text: r.error,
    since: r.since,
  }))
}

function ofSettings(state: State): Trouble[] {
  return (state.settings ?? []).map((text) => ({
    key: `setting ${text}`,
    tone: 'warn',
    title: 'A setting has no effect',
    text,
  }))
}

/** An amount of memory for people: "68 MiB". */
export function mebibytes(bytes: number): string {
  const mib = bytes / (1 << 20)
  return mib < 1024 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`
}
