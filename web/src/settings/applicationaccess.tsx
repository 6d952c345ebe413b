// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { type Application, call } from '../api'
import { Button, Empty, Icon, TextField } from '../kit'
import { useQuery } from '../route/query'
import { settings } from '../session/session'
import { useLoad } from './load'
import { Answer, Section, Table } from './parts'
import { groupsOf, objectOf, questions } from './rights'
import { askAt } from './rightstable'
import { items } from './types'

interface Found {
  name: string
  namespace: string
  project: string
}

const label = (app: Found) => `${app.namespace}/${app.name}`

/** Asks for applications, with nothing of them but what they are called. */
async function find(
  query: { search?: string; names?: string[]; limit: number },
  signal: AbortSignal,
): Promise<Found[]> {
  const fields = 'items.metadata.name,items.metadata.namespace,items.spec.project'
  const page = await call('get', '/api/bowline/v1/applications', { query: { ...query, fields } }, signal)
  return items(page.items as Application[] | null).map((app) => ({
    name: app.metadata?.name ?? '',
    namespace: app.metadata?.namespace ?? '',
    project: app.spec?.project ?? '',
  }))
}

/** What somebody may do with one application, and by which rule. */
export function ApplicationAccess() {
  const { query, set } = useQuery()
  const chosen = query.get('application') ?? ''
  const [typed, setTyped] = useState(chosen)
  const search = typed.split('/').join(' ')
  const found = useLoad(`applications with ${search}`, (signal) => find({ search, limit: 20 }, signal))
  const apps = found.data ?? []
  const show = (text: string) => {
    const one = apps.find((app) => label(app) === text || app.name === text)
    set({ application: one ? label(one) : text || undefined }, true)
  }
  return (
    <Section
      title="One application"
      hint={`What ${query.get('subject') || 'you'} may do with it, and by which rule. To ask for somebody else, name them above.`}
    >
      <form
        class="settings-fields"
        onSubmit={(event) => {
          event.preventDefault()
          show(typed.trim())
        }}
      >
        <div class="grow">
          <TextField
            label="Application"
            placeholder="NAMESPACE/NAME"
            value={typed}
            options={apps.map(label)}
            spellcheck={false}
            onInput={setTyped}
          />
        </div>
        <Button type="submit" class="settings-beside" disabled={typed.trim() === ''}>
          Show
        </Button>
      </form>
      {chosen && <Matrix key={chosen} chosen={chosen} />}
    </Section>
  )
}

function Matrix({ chosen }: { chosen: string }) {
  const answer = useLoad(`application ${chosen}`, (signal) => find({ names: [chosen], limit: 1 }, signal))
  return (
    <Answer of={answer} doing={`find ${chosen}`}>
      {(list) => {
        const app = list[0]
        if (app) return <Answers app={app} />
        return (
          <Empty icon="question" title={`There is no application ${chosen} that you may see`}>
            Write it as NAMESPACE/NAME, or choose one while typing.
          </Empty>
        )
      }}
    </Answer>
  )
}

/** Why there is no right, without what the row says already. */
const shortly = (reason: string) => (reason.startsWith('no rule allows') ? 'no rule allows it' : reason)

function Answers({ app }: { app: Found }) {
  const { query } = useQuery()
  const subject = query.get('subject') ?? ''
  const groups = query.get('groups') ?? ''
  const object = objectOf(app, settings.value?.controllerNamespace ?? '')
  const ask = (signal: AbortSignal) =>
    Promise.all(
      questions.map(async ({ words, resource, action }) => {
        const asked = { resource, action, object }
        const who = { subject, groups: groupsOf(groups) }
        const said = await call('get', '/api/bowline/v1/explain', { query: { ...asked, ...who } }, signal)
        return { words, asked, said }
      }),
    )
  const answer = useLoad(`access ${object} ${subject} ${groups}`, ask)
  return (
    <Answer of={answer} doing="say what may be done with it" lines={questions.length}>
      {(rows) => (
        <Table
          of={`Rights on ${object}`}
          rows={rows}
          keyOf={(row) => row.words}
          columns={[
            { label: 'What', cell: (row) => <a href={askAt(row.asked, subject, groups)}>{row.words}</a> },
            {
              label: 'Allowed',
              cell: ({ said }) => (
                <span class={`status tone-${said.allowed ? 'good' : 'dim'}`}>
                  <Icon name={said.allowed ? 'check' : 'minus'} />
                  {said.allowed ? 'yes' : 'no'}
                </span>
              ),
            },
            {
              label: 'Rule',
              cell: ({ said }) => <span class="settings-line">{said.rule || shortly(said.reason)}</span>,
            },
            { label: 'Where', wide: true, cell: ({ said }) => said.where ?? '' },
          ]}
        />
      )}
    </Answer>
  )
}
