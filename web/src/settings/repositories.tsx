// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, CheckField, Cli, ConfirmByName, Dialog, Empty, Failure, SelectField, TextField, toast } from '../kit'
import { useDoing, useLoad } from './load'
import { useMay } from './may'
import { Answer, ConnectionStatus, Head, Listing, Section } from './parts'
import { items, type RepoCreds, type Repository } from './types'

const create = 'repositories, create, *'
const remove = 'repositories, delete, *'

/** The repositories that the caller may see, and the credentials for all below an address. */
export function RepositoriesPage() {
  const answer = useLoad('repositories', (signal) => call('get', '/api/v1/repositories', {}, signal))
  const creds = useLoad('repocreds', (signal) => call('get', '/api/v1/repocreds', {}, signal))
  const may = useMay([create, remove])
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<Repository | undefined>(undefined)
  const add = may(create) && (
    <Button looks="primary" icon="plus" onClick={() => setAdding(true)}>
      Add repository
    </Button>
  )
  return (
    <>
      <Head title="Repositories" actions={add} />
      <Section title="All repositories" flush>
        <Answer of={answer} doing="list the repositories">
          {(list) => (
            <Listing
              of="repositories"
              noun="repository"
              many="repositories"
              rows={items(list.items as Repository[])}
              keyOf={(r) => `${r.project} ${r.repo}`}
              texts={(r) => [r.repo, r.name, r.project, r.type]}
              columns={[
                { label: 'Repository', cell: (r) => <code>{r.repo}</code> },
                { label: 'State', cell: (r) => <ConnectionStatus of={r.connectionState} /> },
                { label: 'Type', cell: (r) => r.type },
                { label: 'Name', wide: true, cell: (r) => r.name },
                { label: 'Project', wide: true, cell: (r) => r.project || <span class="faint">all</span> },
                {
                  label: 'Remove',
                  end: true,
                  cell: (r) =>
                    may(remove) && (
                      <Button small aria-label={`Remove ${r.repo}`} onClick={() => setRemoving(r)}>
                        Remove
                      </Button>
                    ),
                },
              ]}
              empty={
                <Empty icon="branch" title="There is no repository that you may see" action={add || undefined}>
                  <Cli command={['repo', 'add', 'https://git.example.com/shop']} />
                </Empty>
              }
            />
          )}
        </Answer>
      </Section>
      <Section title="Credential templates" flush hint="For all repositories below an address.">
        <Answer of={creds} doing="list the credentials">
          {(list) => (
            <Listing
              of="credential templates"
              name="templates"
              noun="template"
              rows={items(list.items as RepoCreds[])}
              keyOf={(c) => c.url ?? ''}
              texts={(c) => [c.url]}
              columns={[
                { label: 'Address', cell: (c) => <code>{c.url}</code> },
                { label: 'User', cell: (c) => c.username || <span class="faint">not shown</span> },
              ]}
              empty={
                <Empty icon="key" title="There are none">
                  <Cli command={['repocreds', 'add', 'https://git.example.com/shop/', '--username', 'git']} />
                </Empty>
              }
            />
          )}
        </Answer>
      </Section>
      {adding && <Add onClose={() => setAdding(false)} onDone={answer.reload} />}
      {removing && <Remove repository={removing} onClose={() => setRemoving(undefined)} onDone={answer.reload} />}
    </>
  )
}

function Remove({
  repository,
  onClose,
  onDone,
}: {
  repository: Repository
  onClose: () => void
  onDone: () => Promise<void>
}) {
  const doing = useDoing()
  const address = repository.repo ?? ''
  const end = () =>
    doing.run(async () => {
      const query = { appProject: repository.project }
      await call('delete', '/api/v1/repositories/{repo}', { path: { repo: address }, query })
      toast(`Removed ${address}`)
      await onDone()
      onClose()
    })
  return (
    <ConfirmByName
      title="Remove repository"
      name={address}
      verb="Remove"
      busy={doing.busy}
      onConfirm={() => void end()}
      onClose={onClose}
    >
      <p>Applications that need its credentials cannot read it any more.</p>
      {doing.error && <Failure error={doing.error} doing="remove it" />}
      <Cli command={['repo', 'rm', address]} />
    </ConfirmByName>
  )
}

function Add({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<void> }) {
  const [r, setRepository] = useState<Repository>({ repo: '', type: 'git' })
  const doing = useDoing()
  const put = (change: Repository) => setRepository({ ...r, ...change })
  const save = () =>
    doing.run(async () => {
      await call('post', '/api/v1/repositories', { body: r } as never)
      toast(`Added ${r.repo}`)
      await onDone()
      onClose()
    })
  const text = (key: keyof Repository, label: string, secret = false) => (
    <TextField
      label={label}
      type={secret ? 'password' : 'text'}
      autocomplete="off"
      spellcheck={false}
      value={String(r[key] ?? '')}
      onInput={(value) => put({ [key]: value })}
    />
  )
  return (
    <Dialog
      title="Add repository"
      width="wide"
      onClose={onClose}
      actions={
        <Button looks="primary" busy={doing.busy} disabled={!r.repo} onClick={() => void save()}>
          {r.project ? 'Save' : 'Test and save'}
        </Button>
      }
    >
      <div class="stack">
        <div class="settings-pair">
          {text('repo', 'Address')}
          <SelectField
            label="Type"
            value={r.type ?? 'git'}
            options={[{ value: 'git' }, { value: 'helm' }, { value: 'oci' }]}
            onChange={(type) => put({ type })}
          />
          {text('name', 'Name')}
          {text('project', 'Only for project')}
          {text('username', 'User')}
          {text('password', 'Password', true)}
          {text('bearerToken', 'Token', true)}
          {text('proxy', 'Proxy')}
          {text('noProxy', 'Hosts without the proxy')}
        </div>
        <TextField
          label="SSH private key"
          rows={3}
          value={r.sshPrivateKey ?? ''}
          onInput={(sshPrivateKey) => put({ sshPrivateKey })}
        />
        <CheckField
          label="Take any certificate or host key of the server"
          hint="Whoever is between can then read and change what is deployed."
          checked={r.insecure ?? false}
          onChange={(insecure) => put({ insecure })}
        />
        {doing.error && <Failure error={doing.error} doing="add it" />}
        <Cli command={['repo', 'add', r.repo || 'REPOURL', '--type', r.type ?? 'git']} />
      </div>
    </Dialog>
  )
}
