// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, Cli, ConfirmByName, Dialog, Empty, Failure, TextField, toast } from '../kit'
import { learn, settings } from '../session/session'
import { session } from '../session/signal'
import { useDoing, useLoad } from './load'
import { right, useMay } from './may'
import { Answer, Head, Listing, Section, Words, YesNo } from './parts'
import { at } from './place'
import { Tokens } from './tokens'
import { type Account, items } from './types'

/** All local accounts that the caller may see. */
export function AccountsPage() {
  const answer = useLoad('accounts', (signal) => call('get', '/api/v1/account', {}, signal))
  return (
    <>
      <Head title="Accounts">Local accounts; who signs in by single sign-on has none.</Head>
      <Section title="All accounts" flush>
        <Answer of={answer} doing="list the accounts">
          {(list) => (
            <Listing
              of="accounts"
              noun="account"
              rows={items(list.items as Account[])}
              keyOf={(a) => a.name ?? ''}
              texts={(a) => [a.name]}
              columns={[
                { label: 'Account', cell: (a) => <a href={at('accounts', a.name ?? '')}>{a.name}</a> },
                { label: 'Enabled', cell: (a) => <YesNo yes={a.enabled ?? false} /> },
                { label: 'May be used for', cell: (a) => <Words of={items(a.capabilities)} /> },
                { label: 'Tokens', end: true, cell: (a) => items(a.tokens).length },
              ]}
              empty={
                <Empty icon="person" title="There is no account that you may see">
                  Accounts are added in argocd-cm, as accounts.NAME: login, apiKey.
                </Empty>
              }
            />
          )}
        </Answer>
      </Section>
    </>
  )
}

/** One account: its tokens, its password, its sessions. */
export function AccountPage({ name }: { name: string }) {
  const answer = useLoad(`account ${name}`, (signal) =>
    call('get', '/api/v1/account/{name}', { path: { name } }, signal),
  )
  const update = right('accounts', 'update', name)
  const may = useMay([update])
  const who = session.value
  const mine = who.is === 'in' && who.username === name && who.issuer === 'argocd'
  const [asking, setAsking] = useState('')
  const doing = useDoing()
  const allowed = mine || may(update)
  const signOut = () =>
    doing.run(async () => {
      await call('delete', '/api/bowline/v1/sessions', { query: { account: name } })
      toast(`All sessions of ${name} ended`)
      setAsking('')
      await learn()
    })
  return (
    <Answer of={answer} doing={`show account ${name}`}>
      {(account) => (
        <>
          <Head
            title={name}
            up={{ to: at('accounts'), label: 'Accounts' }}
            actions={
              allowed && (
                <>
                  <Button icon="lock" onClick={() => setAsking('password')}>
                    Change password
                  </Button>
                  <Button icon="door" onClick={() => setAsking('sessions')}>
                    Sign out everywhere
                  </Button>
                </>
              )
            }
          />
          <Section title="Account" hint={`Set in argocd-cm: accounts.${name} and accounts.${name}.enabled.`}>
            <dl class="facts">
              <dt>Enabled</dt>
              <dd>
                <YesNo yes={account.enabled ?? false} />
              </dd>
              <dt>May be used for</dt>
              <dd>
                <Words of={items(account.capabilities)} />
              </dd>
            </dl>
          </Section>
          <Tokens
            of={name}
            may={allowed && items(account.capabilities).includes('apiKey')}
            tokens={items(account.tokens).map((t) => ({ id: t.id, issued: t.issuedAt, expires: t.expiresAt }))}
            create={async (id, expiresIn) => {
              const body = { name, id, expiresIn }
              const made = await call('post', '/api/v1/account/{name}/token', { path: { name }, body } as never)
              await answer.reload()
              return (made as { token?: string }).token ?? ''
            }}
            revoke={async (token) => {
              await call('delete', '/api/v1/account/{name}/token/{id}', { path: { name, id: token.id ?? '' } })
              await answer.reload()
            }}
            createCommand={['account', 'generate-token', '--account', name]}
            revokeCommand={(token) => ['account', 'delete-token', '--account', name, token.id ?? '']}
          />
          {asking === 'password' && <Password name={name} onClose={() => setAsking('')} />}
          {asking === 'sessions' && (
            <ConfirmByName
              title="Sign out everywhere"
              name={name}
              verb="Sign out"
              busy={doing.busy}
              onConfirm={() => void signOut()}
              onClose={() => setAsking('')}
            >
              <p>All sessions of the account end, in all browsers and programs.</p>
              {doing.error && <Failure error={doing.error} doing="end them" />}
            </ConfirmByName>
          )}
        </>
      )}
    </Answer>
  )
}

function Password({ name, onClose }: { name: string; onClose: () => void }) {
  const [current, setCurrent] = useState('')
  const [fresh, setFresh] = useState('')
  const doing = useDoing()
  const error = (field: string) => (doing.error?.where === field ? doing.error.message : undefined)
  const save = () =>
    doing.run(async () => {
      const body = { name, currentPassword: current, newPassword: fresh }
      await call('put', '/api/v1/account/password', { body } as never)
      toast(`Changed the password of ${name}; its sessions ended`)
      onClose()
      await learn()
    })
  return (
    <Dialog
      title={`Change the password of ${name}`}
      onClose={onClose}
      actions={
        <Button looks="primary" busy={doing.busy} disabled={!fresh} onClick={() => void save()}>
          Change password
        </Button>
      }
    >
      <div class="stack">
        <TextField
          label="Your own password"
          type="password"
          autocomplete="current-password"
          value={current}
          error={error('currentPassword')}
          onInput={setCurrent}
        />
        <TextField
          label="New password"
          type="password"
          autocomplete="new-password"
          hint={settings.value?.passwordPattern && `It has to match ${settings.value.passwordPattern}`}
          value={fresh}
          error={error('newPassword')}
          onInput={setFresh}
        />
        {doing.error && !error('currentPassword') && !error('newPassword') && (
          <Failure error={doing.error} doing="change it" />
        )}
        <Cli command={['account', 'update-password', '--account', name]} />
      </div>
    </Dialog>
  )
}
