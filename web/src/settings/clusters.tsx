// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { call } from '../api'
import { Button, Cli, ConfirmByName, Empty, Failure, Time, toast } from '../kit'
import { worstFirst } from './health'
import { useDoing, useLoad } from './load'
import { right, useMay } from './may'
import { Answer, ConnectionStatus, Head, Listing, Section, Words } from './parts'
import { at } from './place'
import { type Cluster, items } from './types'

/** All clusters that the caller may see. */
export function ClustersPage() {
  const answer = useLoad('clusters', (signal) => call('get', '/api/v1/clusters', {}, signal), 15_000)
  return (
    <>
      <Head title="Clusters">
        Clusters are added on the command line, which has the rights to make an account there.
        <Cli command={['cluster', 'add', 'CONTEXT']} />
      </Head>
      <Section title="All clusters" flush>
        <Answer of={answer} doing="list the clusters">
          {(list) => (
            <Listing
              of="clusters"
              noun="cluster"
              rows={items(list.items as Cluster[])}
              keyOf={(c) => c.server ?? ''}
              texts={(c) => [c.name, c.server, c.project]}
              columns={[
                { label: 'Cluster', cell: (c) => <a href={at('clusters', c.server ?? '')}>{c.name || c.server}</a> },
                { label: 'State', cell: (c) => <ConnectionStatus of={c.info?.connectionState} /> },
                { label: 'Server', wide: true, cell: (c) => <code>{c.server}</code> },
                { label: 'Version', wide: true, cell: (c) => c.info?.serverVersion },
                { label: 'Applications', end: true, cell: (c) => c.info?.applicationsCount ?? 0 },
                { label: 'Project', wide: true, cell: (c) => c.project || <span class="faint">all</span> },
              ]}
              empty={<Empty icon="cluster" title="There is no cluster that you may see" />}
            />
          )}
        </Answer>
      </Section>
    </>
  )
}

/** One cluster: how fresh what is known of it is, by kind. */
export function ClusterPage({ name: server }: { name: string }) {
  const answer = useLoad(`cluster ${server}`, (signal) =>
    call('get', '/api/v1/clusters/{id.value}', { path: { 'id.value': server } }, signal),
  )
  const state = useLoad(
    `cluster state ${server}`,
    (signal) => call('get', '/api/bowline/v1/clusters/{cluster}/state', { path: { cluster: server } }, signal),
    10_000,
  )
  return (
    <Answer of={answer} doing={`show cluster ${server}`}>
      {(cluster) => (
        <>
          <ClusterHead cluster={cluster as Cluster} reload={answer.reload} />
          <Section title="Kinds, worst first" flush>
            <Answer of={state} doing="show what is known of its kinds">
              {(now) => (
                <Listing
                  of="kinds"
                  noun="kind"
                  rows={worstFirst(items(now.kinds))}
                  keyOf={(k) => `${k.group} ${k.kind}`}
                  texts={(k) => [k.group, k.kind, k.error]}
                  columns={[
                    { label: 'Kind', cell: (k) => k.kind },
                    { label: 'Group', wide: true, cell: (k) => k.group || <span class="faint">core</span> },
                    { label: 'Last event', cell: (k) => <Time at={k.lastEvent} /> },
                    { label: 'Objects', end: true, cell: (k) => k.objects },
                    { label: 'Error', cell: (k) => k.error && <span class="field-error">{k.error}</span> },
                  ]}
                  empty={<Empty icon="question" title={now.error || 'No kind is known yet'} />}
                />
              )}
            </Answer>
          </Section>
        </>
      )}
    </Answer>
  )
}

function ClusterHead({ cluster, reload }: { cluster: Cluster; reload: () => Promise<void> }) {
  const { route } = useLocation()
  const server = cluster.server ?? ''
  const name = cluster.name || server
  const update = right('clusters', 'update', server, cluster.project)
  const remove = right('clusters', 'delete', server, cluster.project)
  const may = useMay([update, remove])
  const [removing, setRemoving] = useState(false)
  const doing = useDoing()
  const path = { 'id.value': server }
  const act = (what: () => Promise<unknown>, done: string) =>
    doing.run(async () => {
      await what()
      toast(done)
      await reload()
    })
  return (
    <>
      <Head
        title={name}
        up={{ to: at('clusters'), label: 'Clusters' }}
        actions={
          <>
            {may(update) && (
              <>
                <Button
                  icon="refresh"
                  busy={doing.busy}
                  onClick={() =>
                    void act(
                      () => call('post', '/api/v1/clusters/{id.value}/invalidate-cache', { path }),
                      'Everything in the cluster was listed anew',
                    )
                  }
                >
                  Invalidate cache
                </Button>
                <Button
                  icon="key"
                  busy={doing.busy}
                  onClick={() =>
                    void act(
                      () => call('post', '/api/v1/clusters/{id.value}/rotate-auth', { path }),
                      'Replaced its token',
                    )
                  }
                >
                  Rotate token
                </Button>
              </>
            )}
            {may(remove) && (
              <Button icon="trash" onClick={() => setRemoving(true)}>
                Remove
              </Button>
            )}
          </>
        }
      />
      {doing.error && !removing && <Failure error={doing.error} doing="do that" />}
      <Section title="Cluster">
        <dl class="facts">
          <dt>State</dt>
          <dd>
            <ConnectionStatus of={cluster.info?.connectionState} /> {cluster.info?.connectionState?.message}
          </dd>
          <dt>Server</dt>
          <dd>
            <code>{server}</code>
          </dd>
          <dt>Version</dt>
          <dd>{cluster.info?.serverVersion || 'not known'}</dd>
          <dt>Project</dt>
          <dd>{cluster.project || 'all may use it'}</dd>
          <dt>Namespaces</dt>
          <dd>
            <Words of={items(cluster.namespaces)} none="all" />
          </dd>
          <dt>Labels</dt>
          <dd>
            <Words of={Object.entries(cluster.labels ?? {}).map(([k, v]) => `${k}=${v}`)} />
          </dd>
        </dl>
        {may(update) && <Cli command={['cluster', 'set', name, '--name', name]} />}
      </Section>
      {removing && (
        <ConfirmByName
          title="Remove cluster"
          name={name}
          verb="Remove"
          busy={doing.busy}
          onClose={() => setRemoving(false)}
          onConfirm={() =>
            void doing.run(async () => {
              await call('delete', '/api/v1/clusters/{id.value}', { path })
              route(at('clusters'))
            })
          }
        >
          <p>What applications there are stays as it is in the cluster, and is not known any more.</p>
          {doing.error && <Failure error={doing.error} doing="remove it" />}
          <Cli command={['cluster', 'rm', name]} />
        </ConfirmByName>
      )}
    </>
  )
}
