// SPDX-License-Identifier: Apache-2.0

import type { State } from '../api'
import { Button, Icon, Time } from '../kit'
import { StandingOf } from './clusters'
import { Figure } from './figure'
import { counted } from './filter'
import type { Loaded } from './load'
import { Answer, Head, Listing, Section, Table } from './parts'
import { at } from './place'
import { mebibytes, standingOf, standings, type Trouble, troublesOf, wordOf } from './standing'
import { useBowline } from './state'
import { type ClusterSummary, items } from './types'
import './health.css'

/** How Bowline itself is doing: what is wrong first, then everything. It is asked again every ten seconds. */
export function HealthPage() {
  const answer = useBowline()
  return (
    <>
      <Head
        title="Health of Bowline"
        actions={
          <Button icon="refresh" onClick={() => void answer.reload()}>
            Refresh
          </Button>
        }
      >
        What is wrong with Bowline and what it is connected to, as far as you may see it. It is asked again every ten
        seconds.
      </Head>
      <Answer of={answer} doing="say how Bowline is doing" lines={8}>
        {(state) => (
          <>
            <Wrong state={state} of={answer} />
            <Process state={state} />
            <Clusters clusters={items(state.clusters)} />
            <Checks checks={state.checks ?? {}} />
          </>
        )}
      </Answer>
    </>
  )
}

function Wrong({ state, of }: { state: State; of: Loaded<State> }) {
  const troubles = troublesOf(state)
  if (troubles.length === 0) {
    // What was well a while ago is not known to be well now.
    const fresh = !of.error
    return (
      <div class={`settings-verdict tone-${fresh ? 'good' : 'dim'}`} role="status">
        <Icon name={fresh ? 'check' : 'question'} />
        <div class="stack-tight">
          <strong>{fresh ? 'Nothing is wrong' : 'Nothing was wrong when it was last known'}</strong>
          <span class="soft">
            {counted(items(state.clusters).length, 'cluster')} that you may see, all repositories that were asked, and
            all checks are well.
          </span>
        </div>
      </div>
    )
  }
  const clusters = items(state.clusters)
  return (
    <Section title={`What is wrong: ${troubles.length}`} flush>
      <ul class="settings-troubles">
        {troubles.map((trouble) => (
          <One key={trouble.key} of={trouble} clusters={clusters} />
        ))}
      </ul>
    </Section>
  )
}

function One({ of, clusters }: { of: Trouble; clusters: ClusterSummary[] }) {
  return (
    <li class={`settings-trouble tone-${of.tone}`}>
      <Icon name={of.tone === 'bad' ? 'cross' : 'warning'} />
      <div class="grow stack-tight">
        <strong>
          {of.cluster ? <a href={at('clusters', wordOf(of.cluster, clusters))}>{of.title}</a> : of.title}
          <span class="unseen">{of.tone === 'bad' ? ' (failure)' : ' (warning)'}</span>
        </strong>
        {of.text && <span>{of.text}</span>}
        {of.fix && <span class="soft">{of.fix}</span>}
      </div>
      {of.since && (
        <span class="soft settings-trouble-since">
          last fine <Time at={of.since} />
        </span>
      )}
    </li>
  )
}

function Process({ state }: { state: State }) {
  const sum = (of: (c: ClusterSummary) => number) => items(state.clusters).reduce((all, c) => all + of(c), 0)
  const role = state.leads ? 'Acts' : state.observes ? 'Observes only' : 'Stands by'
  return (
    <>
      <dl class="settings-figures">
        <Figure label="This process">
          <span title={state.because}>{role}</span>
        </Figure>
        <Figure label="Version">{state.version}</Figure>
        <Figure label="Started">
          <Time at={state.started} />
        </Figure>
        <Figure label="Memory">{mebibytes(state.memoryBytes)}</Figure>
        <Figure label="Goroutines">{state.goroutines.toLocaleString('en')}</Figure>
        <Figure label="Waiting, running">
          {sum((c) => c.waiting)}, {sum((c) => c.running)}
        </Figure>
      </dl>
      {!state.leads && state.because && (
        <p class="field-hint">
          {role}: {state.because}.
        </p>
      )}
    </>
  )
}

function Clusters({ clusters }: { clusters: ClusterSummary[] }) {
  const rank = (c: ClusterSummary) => standings.indexOf(standingOf(c))
  const rows = [...clusters].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
  return (
    <Section title="Clusters" flush>
      <Listing
        of="clusters"
        noun="cluster"
        rows={rows}
        keyOf={(c) => c.server}
        texts={(c) => [c.name, c.server, c.error, c.version]}
        columns={[
          { label: 'Cluster', cell: (c) => <a href={at('clusters', wordOf(c, clusters))}>{c.name || c.server}</a> },
          { label: 'State', cell: (c) => <StandingOf of={standingOf(c)} unknown={c.unknown} why={c.error} /> },
          { label: 'Applications', end: true, wide: true, cell: (c) => c.applications.toLocaleString('en') },
          {
            label: 'Objects',
            end: true,
            wide: true,
            cell: (c) => (c.connected ? c.objects.toLocaleString('en') : '–'),
          },
          { label: 'Kinds', end: true, wide: true, cell: (c) => (c.connected ? c.kinds : '–') },
          { label: 'Waiting', end: true, wide: true, cell: (c) => c.waiting },
          { label: 'Running', end: true, wide: true, cell: (c) => c.running },
          { label: 'Last event', end: true, cell: (c) => <Time at={c.lastEvent} /> },
        ]}
        empty={<p class="soft settings-section-body">There is no cluster that you may see.</p>}
      />
    </Section>
  )
}

function Checks({ checks }: { checks: Record<string, string> }) {
  return (
    <Section title="Checks" hint="What has to be well for the process to be ready: the same as at /readyz." flush>
      <Table
        of="Checks"
        rows={Object.entries(checks).sort(([a], [b]) => a.localeCompare(b))}
        keyOf={([name]) => name}
        columns={[
          { label: 'Check', cell: ([name]) => name },
          {
            label: 'Result',
            cell: ([, text]) => (
              <span class={`status tone-${text === 'ok' ? 'good' : 'bad'}`}>
                <Icon name={text === 'ok' ? 'check' : 'cross'} />
                {text === 'ok' ? 'Well' : text}
              </span>
            ),
          },
        ]}
      />
    </Section>
  )
}
