// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, Cli, ConfirmByName, Empty, Failure, Menu, Tabs, Time, toast, toastError } from '../kit'
import { useQuery } from '../route/query'
import { useDoing, useLoad } from './load'
import { right, useMay } from './may'
import { Answer, ConnectionStatus, Head, Listing } from './parts'
import { EditRepository } from './repoedit'
import { items, type Project, type RepoCreds, type Repository } from './types'

interface Asked {
  noun: 'repo' | 'repocreds'
  does: 'add' | 'edit' | 'remove'
  one?: Repository
}

const create = 'repositories, create, *'

/** The repositories that the caller may see, and the credentials for all below an address. */
export function RepositoriesPage() {
  const { query, set } = useQuery()
  const [asked, setAsked] = useState<Asked | undefined>(undefined)
  const repositories = useLoad('repositories', (signal) => call('get', '/api/v1/repositories', {}, signal))
  const creds = useLoad('repocreds', (signal) => call('get', '/api/v1/repocreds', {}, signal))
  const projects = useLoad('projects', (signal) => call('get', '/api/v1/projects', {}, signal))
  const all = items(repositories.data?.items as Repository[] | undefined)
  const templates = items(creds.data?.items as RepoCreds[] | undefined)
  const may = useMay([create, ...all.flatMap(rightsOn), ...templates.flatMap((c) => rightsOn({ repo: c.url }))])
  const tab = query.get('tab') === 'templates' ? 'templates' : 'repositories'
  const noun = tab === 'templates' ? 'repocreds' : 'repo'
  const add = may(create) && (
    <Button looks="primary" icon="plus" onClick={() => setAsked({ noun, does: 'add' })}>
      {noun === 'repo' ? 'Add repository' : 'Add template'}
    </Button>
  )
  const again = async () => {
    try {
      await call('get', '/api/v1/repositories', { query: { forceRefresh: true } })
      await repositories.reload()
    } catch (thrown) {
      toastError(thrown, 'ask the repositories')
    }
  }
  const done = async () => {
    await (asked?.noun === 'repocreds' ? creds.reload() : repositories.reload())
  }
  return (
    <>
      <Head
        title="Repositories"
        actions={
          <>
            {tab === 'repositories' && (
              <Button icon="refresh" onClick={() => void again()}>
                Ask all again
              </Button>
            )}
            {add}
          </>
        }
      >
        Where applications come from, and what they are read with.
      </Head>
      <Tabs
        label="Repositories"
        chosen={tab}
        onChoose={(id) => set({ tab: id, search: undefined }, true)}
        tabs={[
          { id: 'repositories', label: 'Repositories', extra: <Count of={repositories.data && all.length} /> },
          { id: 'templates', label: 'Credential templates', extra: <Count of={creds.data && templates.length} /> },
        ]}
      >
        <div class="card settings-section">
          {tab === 'repositories' ? (
            <Answer of={repositories} doing="list the repositories">
              {() => <Repositories all={all} may={may} ask={setAsked} add={add} />}
            </Answer>
          ) : (
            <Answer of={creds} doing="list the credential templates">
              {() => <Templates all={templates} may={may} ask={setAsked} add={add} />}
            </Answer>
          )}
        </div>
      </Tabs>
      {asked && asked.does !== 'remove' && (
        <EditRepository
          noun={asked.noun}
          {...(asked.one ? { given: asked.one } : {})}
          projects={items(projects.data?.items as Project[] | undefined).map((p) => p.metadata?.name ?? '')}
          onClose={() => setAsked(undefined)}
          onDone={done}
        />
      )}
      {asked?.does === 'remove' && <Remove asked={asked} onClose={() => setAsked(undefined)} onDone={done} />}
    </>
  )
}

const Count = ({ of }: { of: number | undefined }) =>
  of === undefined ? null : <span class="faint tabular">{of}</span>

const rightsOn = (r: Repository) =>
  ['update', 'delete'].map((action) => right('repositories', action, r.repo ?? '', r.project))

interface ListProps<T> {
  all: T[]
  may: (right: string) => boolean
  ask: (asked: Asked) => void
  add: preact.ComponentChildren
}

/** What can be done with one, as far as the caller may. */
function Doings({
  noun,
  one,
  may,
  ask,
}: { noun: Asked['noun']; one: Repository } & Omit<ListProps<Repository>, 'all' | 'add'>) {
  const [update, remove] = rightsOn(one).map(may)
  if (!update && !remove) return null
  return (
    <Menu
      label={`Change ${one.repo}`}
      small
      items={[
        ...(update ? [{ label: 'Edit', icon: 'edit' as const, onSelect: () => ask({ noun, does: 'edit', one }) }] : []),
        ...(remove
          ? [
              {
                label: 'Remove',
                icon: 'trash' as const,
                danger: true,
                onSelect: () => ask({ noun, does: 'remove', one }),
              },
            ]
          : []),
      ]}
    />
  )
}

function Repositories({ all, may, ask, add }: ListProps<Repository>) {
  return (
    <Listing
      of="repositories"
      noun="repository"
      many="repositories"
      rows={[...all].sort((a, b) => rank(a) - rank(b))}
      keyOf={(r) => `${r.project} ${r.repo}`}
      texts={(r) => [r.repo, r.name, r.project, r.type, r.connectionState?.message]}
      columns={[
        {
          label: 'Repository',
          cell: (r) => (
            <>
              <code>{r.repo}</code>
              {r.connectionState?.status === 'Failed' && <p class="field-error">{r.connectionState.message}</p>}
            </>
          ),
        },
        { label: 'State', cell: (r) => <ConnectionStatus of={r.connectionState} /> },
        { label: 'Asked', wide: true, cell: (r) => <Time at={r.connectionState?.attemptedAt} /> },
        { label: 'Type', wide: true, cell: (r) => r.type },
        { label: 'Name', wide: true, cell: (r) => r.name },
        { label: 'Project', wide: true, cell: (r) => r.project || <span class="faint">all</span> },
        {
          label: 'Signs in',
          wide: true,
          cell: (r) => (r.inheritedCreds ? 'by a template' : <span class="faint">by itself</span>),
        },
        { label: 'Change', end: true, cell: (r) => <Doings noun="repo" one={r} may={may} ask={ask} /> },
      ]}
      empty={
        <Empty icon="branch" title="There is no repository that you may see" action={add}>
          Public ones need not be added.
          <Cli command={['repo', 'add', 'https://git.example.com/shop', '--username', 'git']} />
        </Empty>
      }
    />
  )
}

/** What cannot be read comes first. */
const rank = (r: Repository) => ({ Failed: 0, Successful: 2 })[r.connectionState?.status ?? ''] ?? 1

function Templates({ all, may, ask, add }: ListProps<RepoCreds>) {
  return (
    <Listing
      of="credential templates"
      noun="template"
      rows={all}
      keyOf={(c) => c.url ?? ''}
      texts={(c) => [c.url, c.username]}
      columns={[
        { label: 'Addresses that begin with', cell: (c) => <code>{c.url}</code> },
        { label: 'User', cell: (c) => c.username || <span class="faint">none shown</span> },
        {
          label: 'Change',
          end: true,
          cell: (c) => <Doings noun="repocreds" one={{ repo: c.url, username: c.username }} may={may} ask={ask} />,
        },
      ]}
      empty={
        <Empty icon="key" title="There is no credential template" action={add}>
          A template is what all repositories below an address are read with that say nothing themselves.
          <Cli command={['repocreds', 'add', 'https://git.example.com/shop/', '--username', 'git']} />
        </Empty>
      }
    />
  )
}

function Remove({ asked, onClose, onDone }: { asked: Asked; onClose: () => void; onDone: () => Promise<void> }) {
  const doing = useDoing()
  const address = asked.one?.repo ?? ''
  const end = () =>
    doing.run(async () => {
      if (asked.noun === 'repocreds') await call('delete', '/api/v1/repocreds/{url}', { path: { url: address } })
      else {
        const query = { appProject: asked.one?.project }
        await call('delete', '/api/v1/repositories/{repo}', { path: { repo: address }, query })
      }
      toast(`Removed ${address}`)
      await onDone()
      onClose()
    })
  return (
    <ConfirmByName
      title={asked.noun === 'repo' ? 'Remove repository' : 'Remove credential template'}
      name={address}
      verb="Remove"
      busy={doing.busy}
      onConfirm={() => void end()}
      onClose={onClose}
    >
      <p>What it is read with is forgotten. Applications stay; those that need it cannot be read any more.</p>
      {doing.error && <Failure error={doing.error} doing="remove it" />}
      <Cli command={[asked.noun, 'rm', address]} />
    </ConfirmByName>
  )
}
