// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { Cli, Empty, Icon, type IconName, Time } from '../kit'
import { place } from '../route/place'
import { useLoad } from './load'
import { Answer, type Column, Head, Listing, Section } from './parts'
import { at } from './place'
import { type ClusterRow, type ClusterStanding, clusterRows, wordOf } from './standing'
import { every, useBowline } from './state'
import { type Cluster, items } from './types'

const addCommand = ['cluster', 'add', 'CONTEXT', '--name', 'NAME']

/** All clusters that the caller may see, those in trouble first. */
export function ClustersPage() {
  const answer = useLoad('clusters', (signal) => call('get', '/api/v1/clusters', {}, signal), every)
  const state = useBowline()
  return (
    <>
      <Head title="Clusters">Where applications are deployed to, and how fresh what is known of each is.</Head>
      <Section title="All clusters" flush>
        <Answer of={answer} doing="list the clusters">
          {(list) => {
            const clusters = items(list.items as Cluster[])
            return (
              <Listing
                of="clusters"
                noun="cluster"
                rows={clusterRows(clusters, items(state.data?.clusters))}
                keyOf={(r) => r.cluster.server ?? ''}
                texts={textsOf}
                columns={columnsOf(clusters)}
                empty={
                  <Empty icon="cluster" title="There is no cluster that you may see">
                    Ask an administrator for the right to get one, or add one from where kubectl reaches it.
                    <Cli command={addCommand} />
                  </Empty>
                }
              />
            )
          }}
        </Answer>
      </Section>
      <Adding />
    </>
  )
}

function Adding() {
  return (
    <Section title="Add a cluster">
      <p class="soft">
        Clusters are added on the command line, where the kubeconfig with the rights to do so is: a service account is
        made in the cluster, and only its token comes here. CONTEXT is a context of your kubeconfig.
      </p>
      <div class="settings-commands">
        <Cli command={addCommand} />
        <Cli command={['cluster', 'add', 'CONTEXT', '--namespace', 'NAMESPACE']} />
      </div>
      <p class="field-hint">
        The second manages only some namespaces. A Secret with the label{' '}
        <code>argocd.argoproj.io/secret-type: cluster</code> declares a cluster as well.
      </p>
    </Section>
  )
}

const textsOf = ({ cluster: c, standing, summary }: ClusterRow) => [
  c.name,
  c.server,
  c.project,
  looks[standing].word,
  summary?.error,
  c.info?.serverVersion,
  ...Object.entries(c.labels ?? {}).map(([key, value]) => `${key}=${value}`),
]

function columnsOf(all: Cluster[]): Column<ClusterRow>[] {
  return [
    {
      label: 'Cluster',
      cell: ({ cluster: c }) => (
        <div class="stack-tight">
          <a href={at('clusters', wordOf(c, all))}>{c.name || c.server}</a>
          <code class="settings-line settings-wide">{c.server}</code>
        </div>
      ),
    },
    { label: 'State', cell: (r) => <StandingOf of={r.standing} unknown={r.summary?.unknown} why={whyOf(r)} /> },
    {
      label: 'Version',
      wide: true,
      cell: (r) => r.summary?.version || r.cluster.info?.serverVersion || <span class="faint">unknown</span>,
    },
    {
      label: 'Project',
      wide: true,
      cell: ({ cluster: c }) =>
        c.project ? <a href={at('projects', c.project)}>{c.project}</a> : <span class="faint">all</span>,
    },
    {
      label: 'Applications',
      end: true,
      wide: true,
      cell: ({ cluster: c, summary }) => (
        <a href={place('/applications', { clusters: c.name })}>
          {summary?.applications ?? c.info?.applicationsCount ?? 0}
          <span class="unseen"> applications in {c.name}</span>
        </a>
      ),
    },
    {
      label: 'Objects',
      end: true,
      wide: true,
      cell: ({ standing, summary }) =>
        standing === 'connected' || standing === 'gaps' ? (summary?.objects ?? '').toLocaleString('en') : '–',
    },
    {
      label: 'Last event',
      end: true,
      cell: (r) => <Time at={r.summary?.lastEvent ?? r.cluster.info?.connectionState?.attemptedAt} />,
    },
  ]
}

const whyOf = (r: ClusterRow) => r.summary?.error || r.cluster.info?.connectionState?.message

const looks: Record<ClusterStanding, { icon: IconName; tone: string; word: string }> = {
  failed: { icon: 'cross', tone: 'bad', word: 'No answer' },
  unknown: { icon: 'question', tone: 'dim', word: 'Unknown' },
  gaps: { icon: 'warning', tone: 'warn', word: 'Known in part' },
  connected: { icon: 'check', tone: 'good', word: 'Connected' },
}

/** How a cluster is doing, by icon and word; why on hover. */
export function StandingOf({
  of,
  unknown = 0,
  why,
}: {
  of: ClusterStanding
  /** How many kinds are not known. */
  unknown?: number | undefined
  why?: string | undefined
}) {
  const look = looks[of]
  return (
    <span class={`status tone-${look.tone}`} title={why || undefined}>
      <Icon name={look.icon} />
      {look.word}
      {of === 'gaps' && unknown > 0 && <span class="faint tabular">, {unknown} not</span>}
    </span>
  )
}
