// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, Cli, Icon, SelectField, TextField } from '../kit'
import { useQuery } from '../route/query'
import { ApplicationAccess } from './applicationaccess'
import { useLoad } from './load'
import { Answer, Head, Section } from './parts'
import { type Asked, explainCommand, groupsOf, subjects } from './rights'
import { askAt, RightsTable } from './rightstable'
import { items } from './types'

/** Who may do what, and why: the question stands in the address. */
export function AccessPage() {
  const { query } = useQuery()
  const [resource, action, object] = ['resource', 'action', 'object'].map((key) => query.get(key) ?? '')
  const subject = query.get('subject') ?? ''
  const groups = query.get('groups') ?? ''
  return (
    <>
      <Head title="Who may do what">
        Which rule grants or refuses a right, where it stands, and through which roles somebody comes to it.
      </Head>
      <Section title="Ask">
        <Ask key={`${resource} ${action} ${object} ${subject} ${groups}`} />
        {resource && action && object && (
          <Verdict asked={{ resource, action, object }} subject={subject} groups={groupsOf(groups)} />
        )}
      </Section>
      <Examples />
      <ApplicationAccess />
      <RightsTable title="What you may do" />
    </>
  )
}

/** The form of a question. */
function Ask() {
  const { query, set } = useQuery()
  const [resource, setResource] = useState(query.get('resource') ?? 'applications')
  const [action, setAction] = useState(query.get('action') ?? '')
  const [object, setObject] = useState(query.get('object') ?? '')
  const [subject, setSubject] = useState(query.get('subject') ?? '')
  const [groups, setGroups] = useState(query.get('groups') ?? '')
  const accounts = useLoad('accounts', (signal) => call('get', '/api/v1/account', {}, signal))
  const about = subjects.find((one) => one.resource === resource)
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        set(
          { resource, action: action.trim(), object: object.trim(), subject: subject.trim(), groups: groups.trim() },
          true,
        )
      }}
    >
      <div class="settings-asks">
        <SelectField
          label="Resource"
          value={resource}
          options={subjects.map((one) => ({ value: one.resource }))}
          onChange={setResource}
        />
        <TextField
          label="Action"
          required
          placeholder={about?.actions.includes('sync') ? 'sync' : about?.actions[0]}
          hint={about?.actions.includes('action/*') && 'Also action/GROUP/KIND/NAME.'}
          options={about?.actions ?? []}
          value={action}
          spellcheck={false}
          onInput={setAction}
        />
        <TextField label="Object" required hint={about?.object} value={object} spellcheck={false} onInput={setObject} />
        <TextField
          label="Who"
          placeholder="you"
          hint="An account, a user id, or proj:PROJECT:ROLE."
          options={items(accounts.data?.items).map((a) => a.name ?? '')}
          value={subject}
          spellcheck={false}
          onInput={setSubject}
        />
        <TextField
          label="Groups"
          hint="With commas between them."
          value={groups}
          spellcheck={false}
          onInput={setGroups}
        />
      </div>
      <div>
        <Button looks="primary" type="submit" disabled={!action.trim() || !object.trim()}>
          Explain
        </Button>
      </div>
    </form>
  )
}

function Verdict({ asked, subject, groups }: { asked: Asked; subject: string; groups: string[] }) {
  const answer = useLoad(`explain ${JSON.stringify([asked, subject, groups])}`, (signal) =>
    call('get', '/api/bowline/v1/explain', { query: { ...asked, subject, groups } }, signal),
  )
  const through = items(answer.data?.through)
  return (
    <>
      <Answer of={answer} doing="explain it" lines={3}>
        {(said) => (
          <div class={`settings-verdict tone-${said.allowed ? 'good' : 'bad'}`} role="status">
            <Icon name={said.allowed ? 'check' : 'cross'} size={20} />
            <div class="grow stack-tight">
              <strong>
                {said.allowed ? 'Allowed' : 'Not allowed'}: {subject || groups.join(', ') || 'you'}, {asked.action}{' '}
                {asked.resource} {asked.object}
              </strong>
              {!said.rule && <p>{said.reason}</p>}
              {said.rule && (
                <dl class="facts">
                  <dt>Rule</dt>
                  <dd class="settings-line">{said.rule}</dd>
                  <dt>Where</dt>
                  <dd>{said.where}</dd>
                  {through.length > 0 && <dt>Through</dt>}
                  {through.length > 0 && <dd>{through.join(' → ')}</dd>}
                </dl>
              )}
              {!said.allowed && !said.rule && (
                <p class="soft">
                  To allow it, add a line to policy.csv of the ConfigMap argocd-rbac-cm, or to a role of the project.
                </p>
              )}
            </div>
          </div>
        )}
      </Answer>
      <Cli command={explainCommand(asked, subject, groups)} />
    </>
  )
}

const examples: { words: string; asked: Asked; subject?: string; groups?: string }[] = [
  { words: 'May I sync every application?', asked: { resource: 'applications', action: 'sync', object: '*/*' } },
  {
    words: 'May I restart Deployments of project default?',
    asked: { resource: 'applications', action: 'action/apps/Deployment/restart', object: 'default/*' },
  },
  {
    words: 'May I open a terminal in project default?',
    asked: { resource: 'exec', action: 'create', object: 'default/*' },
  },
  { words: 'May I add clusters?', asked: { resource: 'clusters', action: 'create', object: '*' } },
  {
    words: 'May the role ci of project default sync there?',
    asked: { resource: 'applications', action: 'sync', object: 'default/*' },
    subject: 'proj:default:ci',
  },
  {
    words: 'May the group developers delete applications of project default?',
    asked: { resource: 'applications', action: 'delete', object: 'default/*' },
    groups: 'developers',
  },
]

function Examples() {
  return (
    <Section title="Examples">
      <ul class="settings-examples">
        {examples.map((one) => (
          <li key={one.words}>
            <a href={askAt(one.asked, one.subject, one.groups)}>{one.words}</a>
          </li>
        ))}
      </ul>
    </Section>
  )
}
