// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, Cli, ConfirmByName, Dialog, Empty, Failure, TextField, toast } from '../kit'
import { useDoing } from './load'
import { Section, Table, Words } from './parts'
import {
  type Policy,
  parsePolicy,
  policyProblem,
  policyWords,
  resources,
  roleCommands,
  subjectOf,
  writePolicy,
} from './policy'
import { changeProject } from './projecteditor'
import { Lines } from './projectfields'
import { RowsField } from './rows'
import { Tokens } from './tokens'
import { items, type Project, type Role } from './types'

/** The roles of a project, with their rights, groups and tokens. */
export function Roles({ project, may, reload }: { project: Project; may: boolean; reload: () => Promise<void> }) {
  const [editing, setEditing] = useState<Role | undefined>(undefined)
  const [deleting, setDeleting] = useState<Role | undefined>(undefined)
  const name = project.metadata?.name ?? ''
  const roles = items(project.spec?.roles)
  const doing = useDoing()
  const put = (next: Role[], done: string) =>
    doing.run(async () => {
      try {
        await changeProject(project, { roles: next })
      } catch (thrown) {
        await reload() // so that saving again is about what there is now
        throw thrown
      }
      await reload()
      toast(done)
      setEditing(undefined)
      setDeleting(undefined)
    })
  const add = may && (
    <Button icon="plus" onClick={() => setEditing({})}>
      New role
    </Button>
  )
  return (
    <>
      {roles.length === 0 ? (
        <Empty icon="key" title="The project has no roles" action={add || undefined}>
          A role gives groups and tokens rights within the project.
          <Cli command={['proj', 'role', 'create', name, 'ROLE']} />
        </Empty>
      ) : (
        add && <div class="row">{add}</div>
      )}
      {roles.map((role) => (
        <One
          key={role.name}
          project={name}
          role={role}
          may={may}
          reload={reload}
          onEdit={() => setEditing(role)}
          onDelete={() => setDeleting(role)}
        />
      ))}
      {editing && (
        <EditRole
          project={name}
          role={editing}
          busy={doing.busy}
          failure={doing.error && <Failure error={doing.error} doing="save the role" />}
          onClose={() => {
            doing.clear()
            setEditing(undefined)
          }}
          onSave={(role) =>
            void put(
              editing.name
                ? roles.map((one) => (one.name === editing.name ? { ...role, jwtTokens: one.jwtTokens } : one))
                : [...roles, role],
              `Saved role ${role.name}`,
            )
          }
        />
      )}
      {deleting && (
        <ConfirmByName
          title="Delete role"
          name={deleting.name ?? ''}
          verb="Delete"
          busy={doing.busy}
          onConfirm={() =>
            void put(
              roles.filter((one) => one.name !== deleting.name),
              `Deleted role ${deleting.name}`,
            )
          }
          onClose={() => setDeleting(undefined)}
        >
          <p>Its groups lose what it grants, and its tokens end.</p>
          {doing.error && <Failure error={doing.error} doing="delete it" />}
          <Cli command={['proj', 'role', 'delete', name, deleting.name ?? '']} />
        </ConfirmByName>
      )}
    </>
  )
}

function One({
  project,
  role,
  may,
  reload,
  onEdit,
  onDelete,
}: {
  project: string
  role: Role
  may: boolean
  reload: () => Promise<void>
  onEdit: () => void
  onDelete: () => void
}) {
  const name = role.name ?? ''
  const subject = subjectOf(project, name)
  const policies = items(role.policies).map((line) => ({ line, policy: parsePolicy(line, subject) }))
  return (
    <div class="stack">
      <Section
        title={name}
        hint={role.description}
        actions={
          may && (
            <>
              <Button small icon="edit" aria-label={`Edit role ${name}`} onClick={onEdit}>
                Edit
              </Button>
              <Button small icon="trash" aria-label={`Delete role ${name}`} onClick={onDelete}>
                Delete
              </Button>
            </>
          )
        }
      >
        <dl class="facts">
          <dt>Groups</dt>
          <dd>
            <Words of={items(role.groups)} none="no groups have it" />
          </dd>
        </dl>
        {policies.length === 0 ? (
          <p class="soft">It grants nothing but to see the project.</p>
        ) : (
          <Table
            of={`Policies of ${name}`}
            rows={policies}
            keyOf={(p, i) => `${i} ${p.line}`}
            columns={[
              { label: 'What', cell: ({ policy }) => policyWords(policy) },
              { label: 'Line', wide: true, cell: ({ line }) => <span class="settings-line">{line}</span> },
            ]}
          />
        )}
      </Section>
      <Tokens
        of={name}
        may={may}
        tokens={items(role.jwtTokens).map((t) => ({ id: t.id, issued: t.iat, expires: t.exp }))}
        create={async (id, expiresIn) => {
          const path = { project, role: name }
          const body = { project, role: name, id, expiresIn }
          const answer = await call('post', '/api/v1/projects/{project}/roles/{role}/token', { path, body } as never)
          await reload()
          return (answer as { token?: string }).token ?? ''
        }}
        revoke={async (token) => {
          await call('delete', '/api/v1/projects/{project}/roles/{role}/token/{iat}', {
            path: { project, role: name, iat: token.issued ?? 0 },
            query: { id: token.id },
          })
          await reload()
        }}
        createCommand={['proj', 'role', 'create-token', project, name]}
        revokeCommand={(token) => ['proj', 'role', 'delete-token', project, name, String(token.issued ?? '')]}
      />
    </div>
  )
}

function EditRole({
  project,
  role,
  busy,
  failure,
  onClose,
  onSave,
}: {
  project: string
  role: Role
  busy: boolean
  failure: preact.ComponentChildren
  onClose: () => void
  onSave: (role: Role) => void
}) {
  const [name, setName] = useState(role.name ?? '')
  const [description, setDescription] = useState(role.description ?? '')
  const [groups, setGroups] = useState(items(role.groups))
  const [policies, setPolicies] = useState<Policy[]>(
    items(role.policies).map((line) => parsePolicy(line, subjectOf(project, role.name ?? ''))),
  )
  const problems = policies.map((policy) => policyProblem(policy, project, policies))
  const subject = subjectOf(project, name)
  const after = { ...role, name, description, groups, policies: policies.map((p) => writePolicy(p, subject)) }
  return (
    <Dialog
      title={role.name ? `Edit role ${role.name}` : 'New role'}
      width="wide"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            looks="primary"
            busy={busy}
            disabled={name === '' || problems.some(Boolean)}
            onClick={() => onSave(after)}
          >
            Save
          </Button>
        </>
      }
    >
      <div class="stack">
        <div class="settings-pair">
          <TextField
            label="Name"
            required
            disabled={Boolean(role.name)}
            value={name}
            spellcheck={false}
            onInput={(text) => setName(text.trim())}
          />
          <TextField label="Description" value={description} onInput={setDescription} />
        </div>
        <RowsField
          label="Policies"
          add="Add a policy"
          cells={[
            { key: 'resource', label: 'Resource', choices: Object.keys(resources) },
            { key: 'action', label: 'Action', options: resources.applications ?? [] },
            { key: 'object', label: 'Object', placeholder: `${project}/*` },
            { key: 'effect', label: 'Effect', choices: ['allow', 'deny'] },
          ]}
          rows={policies}
          make={() => ({ resource: 'applications', action: 'get', object: `${project}/*`, effect: 'allow' })}
          problem={(at) => problems[at]}
          onChange={setPolicies}
        />
        {policies.map((policy, at) => (
          <p key={at} class="settings-line">
            {writePolicy(policy, subject)}
          </p>
        ))}
        <Lines label="Groups" hint="Of single sign-on, one per line." value={groups} onChange={setGroups} />
        {failure}
        {roleCommands(project, role, after).map((command) => (
          <Cli key={command.join(' ')} command={command} />
        ))}
      </div>
    </Dialog>
  )
}
