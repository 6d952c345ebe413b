// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, Cli, Icon, TextField } from '../kit'
import { useQuery } from '../route/query'
import { linesOf } from './filter'
import { useLoad } from './load'
import { Answer, Head, Section } from './parts'
import { items } from './types'

const fields = [
  { key: 'resource', label: 'Resource', placeholder: 'applications' },
  { key: 'action', label: 'Action', placeholder: 'sync' },
  { key: 'object', label: 'Object', placeholder: 'default/web' },
  { key: 'subject', label: 'Who', placeholder: 'you' },
  { key: 'groups', label: 'Groups', placeholder: 'with commas' },
]

/** Who may do what, and why: the question stands in the address. */
export function AccessPage() {
  const { query, set } = useQuery()
  const [asked, setAsked] = useState(() => Object.fromEntries(fields.map((f) => [f.key, query.get(f.key) ?? ''])))
  const [resource, action, object] = ['resource', 'action', 'object'].map((key) => query.get(key) ?? '')
  return (
    <>
      <Head title="Who may do what">Which rule grants or refuses a right, and where it stands.</Head>
      <Section title="Ask">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            set(asked, true)
          }}
        >
          <div class="settings-asks">
            {fields.map((f) => (
              <TextField
                key={f.key}
                label={f.label}
                placeholder={f.placeholder}
                value={asked[f.key] ?? ''}
                spellcheck={false}
                onInput={(text) => setAsked({ ...asked, [f.key]: text })}
              />
            ))}
          </div>
          <div>
            <Button looks="primary" type="submit" disabled={!asked.resource || !asked.action || !asked.object}>
              Explain
            </Button>
          </div>
        </form>
      </Section>
      {resource && action && object && (
        <Verdict
          right={{ resource, action, object }}
          subject={query.get('subject') ?? ''}
          groups={linesOf((query.get('groups') ?? '').replaceAll(',', '\n'))}
        />
      )}
    </>
  )
}

function Verdict({
  right,
  subject,
  groups,
}: {
  right: { resource: string; action: string; object: string }
  subject: string
  groups: string[]
}) {
  const answer = useLoad(`explain ${JSON.stringify([right, subject, groups])}`, (signal) =>
    call('get', '/api/bowline/v1/explain', { query: { ...right, subject, groups } }, signal),
  )
  const command = ['account', 'explain', right.action, right.resource, right.object]
  if (subject) command.push('--subject', subject)
  if (groups.length > 0) command.push('--groups', groups.join(','))
  return (
    <Answer of={answer} doing="explain it">
      {(said) => (
        <>
          <div class={`settings-verdict tone-${said.allowed ? 'good' : 'bad'}`} role="status">
            <Icon name={said.allowed ? 'check' : 'cross'} size={20} />
            <div class="stack-tight">
              <strong>{said.allowed ? 'Allowed' : 'Not allowed'}</strong>
              <p>{said.reason}</p>
              {said.rule && <code>{said.rule}</code>}
              {said.where && <p>In {said.where}</p>}
              {items(said.through).length > 0 && <p>Through {items(said.through).join(', ')}</p>}
            </div>
          </div>
          <Cli command={command} />
        </>
      )}
    </Answer>
  )
}
