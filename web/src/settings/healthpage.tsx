// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { Icon, Time } from '../kit'
import { troubles } from './health'
import { useLoad } from './load'
import { Answer, Head, Section, Table } from './parts'
import { at } from './place'
import { items } from './types'

/** How Bowline itself is doing: what is wrong first. It is asked every ten seconds while it is looked at. */
export function HealthPage() {
  const answer = useLoad('state', (signal) => call('get', '/api/bowline/v1/state', {}, signal), 10_000)
  return (
    <>
      <Head title="Health of Bowline" />
      <Answer of={answer} doing="show how Bowline is doing" lines={8}>
        {(state) => {
          const wrong = troubles(state)
          return (
            <>
              <div class={`settings-verdict tone-${wrong.length > 0 ? 'bad' : 'good'}`} role="status">
                <Icon name={wrong.length > 0 ? 'warning' : 'check'} size={20} />
                <div class="stack-tight">
                  <strong>{wrong.length > 0 ? 'Something is wrong' : 'Nothing is known to be wrong'}</strong>
                  {wrong.map((text, i) => (
                    <p key={i}>{text}</p>
                  ))}
                </div>
              </div>
              <dl class="settings-figures">
                <Figure label="Version" value={state.version} />
                <Figure label="Runs since" value={<Time at={state.started} bare />} />
                <Figure label="Acts" value={state.observes ? 'no, observes' : state.leads ? 'yes, leads' : 'no'} />
                <Figure label="Memory" value={`${Math.round(state.memoryBytes / 2 ** 20)} MiB`} />
                <Figure label="Waiting" value={String(sum(items(state.clusters).map((c) => c.waiting)))} />
                <Figure label="Running" value={String(sum(items(state.clusters).map((c) => c.running)))} />
              </dl>
              <Section title="Clusters" flush>
                <Table
                  of="Clusters"
                  rows={[...items(state.clusters)].sort((a, b) => Number(a.connected) - Number(b.connected))}
                  keyOf={(c) => c.server}
                  columns={[
                    { label: 'Cluster', cell: (c) => <a href={at('clusters', c.server)}>{c.name || c.server}</a> },
                    {
                      label: 'State',
                      cell: (c) => (
                        <span class={`status tone-${c.connected ? 'good' : 'bad'}`} title={c.error}>
                          <Icon name={c.connected ? 'check' : 'cross'} />
                          {c.connected ? 'Connected' : 'Not connected'}
                        </span>
                      ),
                    },
                    { label: 'Last event', cell: (c) => <Time at={c.lastEvent} /> },
                    { label: 'Objects', end: true, cell: (c) => c.objects.toLocaleString('en') },
                    { label: 'Unknown kinds', end: true, wide: true, cell: (c) => c.unknown },
                    { label: 'Waiting', end: true, wide: true, cell: (c) => c.waiting },
                    { label: 'Running', end: true, wide: true, cell: (c) => c.running },
                  ]}
                />
              </Section>
            </>
          )
        }}
      </Answer>
    </>
  )
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)

function Figure({ label, value }: { label: string; value: preact.ComponentChildren }) {
  return (
    <div class="settings-figure">
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  )
}
