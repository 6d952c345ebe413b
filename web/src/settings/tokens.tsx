// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { Button, Cli, ConfirmByName, Copy, Dialog, Failure, SelectField, TextField, Time, toast } from '../kit'
import { useDoing } from './load'
import { Section, Table } from './parts'

export interface Token {
  id?: string
  /** Seconds since 1970. */
  issued?: number
  /** The same; 0 or nothing is never. */
  expires?: number
}

const day = 86_400
const lifetimes = [
  { value: '1d', label: '1 day', seconds: day },
  { value: '7d', label: '7 days', seconds: 7 * day },
  { value: '30d', label: '30 days', seconds: 30 * day },
  { value: '90d', label: '90 days', seconds: 90 * day },
  { value: '365d', label: '1 year', seconds: 365 * day },
  { value: '0s', label: 'For ever', seconds: 0 },
]

/** When a token was issued or ends, as the page writes times. */
const time = (seconds: number | undefined) => (seconds ? new Date(seconds * 1000).toISOString() : undefined)

/** Tokens of an account or a role: making one, which is shown once, and revoking. */
export function Tokens({
  of,
  tokens,
  may,
  create,
  revoke,
  createCommand,
  revokeCommand,
}: {
  of: string
  tokens: Token[]
  may: boolean
  create: (id: string, seconds: number) => Promise<string>
  revoke: (token: Token) => Promise<void>
  createCommand: string[]
  revokeCommand: (token: Token) => string[]
}) {
  const [making, setMaking] = useState(false)
  const [ending, setEnding] = useState<Token | undefined>(undefined)
  const doing = useDoing()
  const name = (token: Token) => token.id || String(token.issued ?? '')
  const end = (token: Token) =>
    doing.run(async () => {
      await revoke(token)
      toast(`Revoked token ${name(token)}`)
      setEnding(undefined)
    })
  const add = may && (
    <Button small icon="plus" onClick={() => setMaking(true)}>
      New token
    </Button>
  )
  return (
    <Section title={`Tokens of ${of}`} flush actions={add}>
      {tokens.length === 0 ? (
        <div class="settings-section-body">
          <p class="soft">There are no tokens. Programs sign in with them.</p>
          {may && <Cli command={createCommand} />}
        </div>
      ) : (
        <Table
          of={`Tokens of ${of}`}
          rows={tokens}
          keyOf={name}
          columns={[
            { label: 'Token', cell: (t) => <code>{name(t)}</code> },
            { label: 'Issued', cell: (t) => <Time at={time(t.issued)} /> },
            { label: 'Ends', cell: (t) => <Time at={time(t.expires)} /> },
            {
              label: 'Revoke',
              end: true,
              cell: (t) =>
                may && (
                  <Button small aria-label={`Revoke ${name(t)}`} onClick={() => setEnding(t)}>
                    Revoke
                  </Button>
                ),
            },
          ]}
        />
      )}
      {making && <NewToken of={of} create={create} command={createCommand} onClose={() => setMaking(false)} />}
      {ending && (
        <ConfirmByName
          title="Revoke token"
          name={name(ending)}
          verb="Revoke"
          busy={doing.busy}
          onConfirm={() => void end(ending)}
          onClose={() => setEnding(undefined)}
        >
          <p>Whatever uses this token is refused from now on.</p>
          {doing.error && <Failure error={doing.error} doing="revoke it" />}
          <Cli command={revokeCommand(ending)} />
        </ConfirmByName>
      )}
    </Section>
  )
}

function NewToken({
  of,
  create,
  command,
  onClose,
}: {
  of: string
  create: (id: string, seconds: number) => Promise<string>
  command: string[]
  onClose: () => void
}) {
  const [id, setId] = useState('')
  const [life, setLife] = useState('30d')
  const [token, setToken] = useState('')
  const doing = useDoing()
  const make = () =>
    doing.run(async () => setToken(await create(id.trim(), lifetimes.find((l) => l.value === life)?.seconds ?? 0)))
  return (
    <Dialog
      title={`New token of ${of}`}
      onClose={onClose}
      actions={
        token ? (
          <Button looks="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <Button looks="primary" busy={doing.busy} onClick={() => void make()}>
            Create token
          </Button>
        )
      }
    >
      {token ? (
        <div class="stack">
          <p>Copy it now: it is not shown again, and nobody can look it up.</p>
          <div class="row">
            <code class="settings-secret grow">{token}</code>
            <Copy text={token} what="token" />
          </div>
        </div>
      ) : (
        <div class="stack">
          <TextField
            label="Id"
            hint="To know it by; a random one if this is empty."
            value={id}
            error={doing.error?.where === 'id' ? doing.error.message : undefined}
            spellcheck={false}
            onInput={setId}
          />
          <SelectField label="Lasts" value={life} options={lifetimes} onChange={setLife} />
          {doing.error && doing.error.where !== 'id' && <Failure error={doing.error} doing="make a token" />}
          <Cli command={[...command, '--expires-in', life, ...(id.trim() ? ['--id', id.trim()] : [])]} />
        </div>
      )}
    </Dialog>
  )
}
