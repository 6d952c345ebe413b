// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { type ClusterState, call } from '../api'
import { Button, Cli, ConfirmByName, Dialog, Failure, Icon, Time, toast } from '../kit'
import { place } from '../route/place'
import { ClusterEditor } from './clusteredit'
import { StandingOf } from './clusters'
import { Figure } from './figure'
import { type Loaded, useDoing, useLoad } from './load'
import { right, useMay } from './may'
import { Answer, Head, Listing, Section, Words, YesNo } from './parts'
import { at } from './place'
import { isServer, standingOf, worstKinds } from './standing'
import { every, useBowline } from './state'
import { type Cluster, items, type KindState } from './types'

/** One cluster: how fresh what is known of it is, kind by kind, and how it is declared. name is its name or its server. */
export function ClusterPage({ name }: { name: string }) {
  const answer = useLoad(
    `cluster ${name}`,
    (signal) =>
      call(
        'get',
        '/api/v1/clusters/{id.value}',
        { path: { 'id.value': name }, query: { 'id.type': isServer(name) ? 'url' : 'name' } },
        signal,
      ),
    every,
  ) as Loaded<Cluster>
  return (
    <>
      {!answer.data && <Head title={name} up={{ to: at('clusters'), label: 'Clusters' }} />}
      <Answer of={answer} doing={`show cluster ${name}`} lines={8}>
        {(cluster) => <One cluster={cluster} reload={answer.reload} />}
      </Answer>
    </>
  )
}

type Open = 'edit' | 'rotate' | 'remove'

function One({ cluster, reload }: { cluster: Cluster; reload: () => Promise<void> }) {
  const server = cluster.server ?? ''
  const kinds = useLoad(
    `cluster state ${server}`,
    (signal) => call('get', '/api/bowline/v1/clusters/{cluster}/state', { path: { cluster: server } }, signal),
    every,
  )
  const [open, setOpen] = useState<Open | undefined>(undefined)
  const close = () => setOpen(undefined)
  return (
    <>
      <ClusterHead cluster={cluster} onOpen={setOpen} refreshed={() => void Promise.all([reload(), kinds.reload()])} />
      <Figures cluster={cluster} state={kinds.data} />
      <Section
        title="What is known, by kind"
        hint="The worst first. A kind that is not known is never taken for empty."
        flush
      >
        <Answer of={kinds} doing="say how fresh it is">
          {(state) => <Kinds kinds={items(state.kinds)} error={state.error} />}
        </Answer>
      </Section>
      <Declared cluster={cluster} />
      {open === 'edit' && <ClusterEditor cluster={cluster} onClose={close} onSaved={reload} />}
      {open === 'rotate' && <Rotate cluster={cluster} onClose={close} />}
      {open === 'remove' && <Remove cluster={cluster} onClose={close} />}
    </>
  )
}

function ClusterHead({
  cluster,
  onOpen,
  refreshed,
}: {
  cluster: Cluster
  onOpen: (open: Open) => void
  refreshed: () => void
}) {
  const server = cluster.server ?? ''
  const update = right('clusters', 'update', server, cluster.project)
  const remove = right('clusters', 'delete', server, cluster.project)
  const may = useMay([update, remove])
  const doing = useDoing()
  const anew = () =>
    doing.run(async () => {
      await call('post', '/api/v1/clusters/{id.value}/invalidate-cache', { path: { 'id.value': server } })
      toast(`Everything in ${cluster.name} was looked at anew`)
      refreshed()
    })
  return (
    <>
      <Head
        title={cluster.name || server}
        up={{ to: at('clusters'), label: 'Clusters' }}
        actions={
          <>
            <a class="button" href={place('/applications', { clusters: cluster.name })}>
              <Icon name="list" />
              Applications
            </a>
            {may(update) && (
              <>
                <Button
                  icon="refresh"
                  busy={doing.busy}
                  title="Looks at everything in the cluster anew"
                  onClick={() => void anew()}
                >
                  Invalidate cache
                </Button>
                <Button icon="key" onClick={() => onOpen('rotate')}>
                  Rotate token
                </Button>
                <Button icon="edit" onClick={() => onOpen('edit')}>
                  Edit
                </Button>
              </>
            )}
            {may(remove) && (
              <Button icon="trash" onClick={() => onOpen('remove')}>
                Remove
              </Button>
            )}
          </>
        }
      >
        <code>{server}</code>
      </Head>
      {doing.error && <Failure error={doing.error} doing="look at the cluster anew" />}
    </>
  )
}

function Figures({ cluster, state }: { cluster: Cluster; state: ClusterState | undefined }) {
  const summary = items(useBowline().data?.clusters).find((c) => c.server === cluster.server)
  const standing = standingOf(summary, cluster)
  const why = summary?.error || cluster.info?.connectionState?.message
  const known = standing === 'connected' || standing === 'gaps'
  return (
    <>
      {why && standing !== 'connected' && (
        <p class={`settings-note tone-${standing === 'gaps' ? 'warn' : 'bad'}`} role="status">
          <Icon name="warning" />
          <span>
            {standing === 'gaps' ? 'Not everything in it is known: ' : 'It does not answer: '}
            {why}. {standing !== 'gaps' && 'Applications in it are not compared or synced until it does.'}
          </span>
        </p>
      )}
      <dl class="settings-figures">
        <Figure label="State">
          <StandingOf of={standing} unknown={summary?.unknown} />
        </Figure>
        <Figure label="Kubernetes">{summary?.version || cluster.info?.serverVersion || 'unknown'}</Figure>
        <Figure label="Applications">{summary?.applications ?? cluster.info?.applicationsCount ?? 0}</Figure>
        <Figure label="Objects">{known ? (summary?.objects.toLocaleString('en') ?? '…') : 'unknown'}</Figure>
        <Figure label="Waiting, running">{state ? `${state.waiting}, ${state.running}` : '…'}</Figure>
        <Figure label="Last event">
          <Time at={summary?.lastEvent ?? cluster.info?.connectionState?.attemptedAt} />
        </Figure>
      </dl>
    </>
  )
}

function Kinds({ kinds, error }: { kinds: KindState[]; error: string | undefined }) {
  return (
    <Listing
      of="kinds"
      noun="kind"
      rows={worstKinds(kinds)}
      keyOf={(k) => `${k.group ?? ''}/${k.version}/${k.kind}`}
      texts={(k) => [k.kind, k.group, k.version, k.error]}
      columns={[
        {
          label: 'Kind',
          cell: (k) => (
            <>
              {k.kind} <span class="faint">{k.group ? `${k.group}/${k.version}` : k.version}</span>
            </>
          ),
        },
        {
          label: 'State',
          cell: (k) => <KindStanding of={k} />,
        },
        { label: 'Objects', end: true, wide: true, cell: (k) => (k.error ? '–' : k.objects.toLocaleString('en')) },
        { label: 'Last event', end: true, cell: (k) => <Time at={k.lastEvent} /> },
      ]}
      empty={
        <p class="soft settings-section-body">
          {error
            ? `Nothing is known of what is in it: ${error}.`
            : 'Nothing in it is watched: no application is deployed to it yet.'}
        </p>
      }
    />
  )
}

function KindStanding({ of }: { of: KindState }) {
  const tone = of.error ? 'bad' : of.lastEvent ? 'good' : 'dim'
  return (
    <span class={`status tone-${tone}`}>
      <Icon name={of.error ? 'cross' : of.lastEvent ? 'check' : 'question'} />
      {of.error ? `Not known: ${of.error}` : of.lastEvent ? 'Known' : 'Not known yet'}
    </span>
  )
}

function Declared({ cluster }: { cluster: Cluster }) {
  const pairs = (of: Record<string, string> | null | undefined) =>
    Object.entries(of ?? {}).map(([key, value]) => `${key}=${value}`)
  const namespaces = items(cluster.namespaces)
  const tls = cluster.config?.tlsClientConfig
  return (
    <Section title="How it is declared">
      <dl class="facts">
        <dt>Server</dt>
        <dd>
          <code>{cluster.server}</code>
        </dd>
        <dt>Project</dt>
        <dd>
          {cluster.project ? (
            <a href={at('projects', cluster.project)}>{cluster.project}</a>
          ) : (
            'all projects may use it'
          )}
        </dd>
        <dt>Namespaces</dt>
        <dd>
          <Words of={namespaces} none="all" />
        </dd>
        {namespaces.length > 0 && (
          <>
            <dt>Without a namespace</dt>
            <dd>
              <YesNo yes={cluster.clusterResources ?? false} words={['managed', 'not managed']} />
            </dd>
          </>
        )}
        <dt>Labels</dt>
        <dd>
          <Words of={pairs(cluster.labels)} />
        </dd>
        <dt>Annotations</dt>
        <dd>
          <Words of={pairs(cluster.annotations)} />
        </dd>
        {tls?.insecure && (
          <>
            <dt>Certificate</dt>
            <dd>
              <span class="status tone-warn">
                <Icon name="warning" />
                not verified: whoever is on the way can pose as the cluster
              </span>
            </dd>
          </>
        )}
        {cluster.config?.proxyUrl && (
          <>
            <dt>Proxy</dt>
            <dd>
              <code>{cluster.config.proxyUrl}</code>
            </dd>
          </>
        )}
      </dl>
      <Cli command={['cluster', 'get', cluster.name || cluster.server || '']} />
    </Section>
  )
}

function Rotate({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const doing = useDoing()
  const rotate = () =>
    doing.run(async () => {
      await call('post', '/api/v1/clusters/{id.value}/rotate-auth', { path: { 'id.value': cluster.server ?? '' } })
      toast(`The token for ${cluster.name} is a new one`)
      onClose()
    })
  return (
    <Dialog
      title={`Rotate the token for ${cluster.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" busy={doing.busy} onClick={() => void rotate()}>
            Rotate
          </Button>
        </>
      }
    >
      <div class="stack">
        <p>
          The token of the service account is replaced by a new one. The old one ends when the new one was proved and
          stored, not before: nothing is interrupted.
        </p>
        {doing.error && <Failure error={doing.error} doing="rotate it" />}
        <Cli command={['cluster', 'rotate-auth', cluster.name ?? '']} />
      </div>
    </Dialog>
  )
}

function Remove({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { route } = useLocation()
  const doing = useDoing()
  const name = cluster.name || cluster.server || ''
  const remove = () =>
    doing.run(async () => {
      await call('delete', '/api/v1/clusters/{id.value}', { path: { 'id.value': cluster.server ?? '' } })
      toast(`Removed cluster ${name}`)
      route(at('clusters'))
    })
  return (
    <ConfirmByName
      title="Remove cluster"
      name={name}
      verb="Remove"
      busy={doing.busy}
      onConfirm={() => void remove()}
      onClose={onClose}
    >
      <p>
        Bowline forgets the cluster and its credentials. What runs in it goes on running; applications that are deployed
        to it are not compared or synced any more, and cannot be deleted with their objects.
      </p>
      {doing.error && <Failure error={doing.error} doing="remove it" />}
      <Cli command={['cluster', 'rm', name]} />
    </ConfirmByName>
  )
}
