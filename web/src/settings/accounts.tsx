// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Chip, Cli, Empty, TextField } from '../kit'
import { session } from '../session/signal'
import { AccountDetails } from './account'
import { ChangeSetting } from './configmap'
import { useLoad } from './load'
import { right, useMay } from './may'
import { Answer, Head, Listing, Section, Words, YesNo } from './parts'
import { at } from './place'
import { type Account, items } from './types'

const updateAll = 'accounts, update, *'

/** Whether an account is that of the caller. */
function isMine(name: string): boolean {
  const who = session.value
  return who.is === 'in' && who.issuer === 'argocd' && who.username === name
}

/** All local accounts that the caller may see. */
export function AccountsPage() {
  const answer = useLoad('accounts', (signal) => call('get', '/api/v1/account', {}, signal))
  const may = useMay([updateAll])
  return (
    <>
      <Head title="Accounts">
        Local accounts, for people and for programs. Whoever signs in by single sign-on needs none.
      </Head>
      <Section title="All accounts" flush>
        <Answer of={answer} doing="list the accounts">
          {(list) => (
            <Listing
              of="accounts"
              noun="account"
              rows={items(list.items as Account[])}
              keyOf={(a) => a.name ?? ''}
              texts={(a) => [a.name, ...items(a.capabilities)]}
              columns={[
                {
                  label: 'Account',
                  cell: (a) => (
                    <span class="row">
                      <a href={at('accounts', a.name ?? '')}>{a.name}</a>
                      {isMine(a.name ?? '') && <Chip>you</Chip>}
                    </span>
                  ),
                },
                { label: 'State', cell: (a) => <YesNo yes={a.enabled ?? false} words={['enabled', 'closed']} /> },
                {
                  label: 'May be used for',
                  wide: true,
                  cell: (a) => <Words of={items(a.capabilities)} none="nothing" />,
                },
                { label: 'Tokens', end: true, cell: (a) => items(a.tokens).length },
              ]}
              empty={
                <Empty icon="person" title="There is no account that you may see">
                  Accounts stand in the ConfigMap argocd-cm.
                  <Cli command={['account', 'list']} />
                </Empty>
              }
            />
          )}
        </Answer>
      </Section>
      {may(updateAll) && <Adding />}
    </>
  )
}

/** Accounts are made by a setting: there is no call for it. */
function Adding() {
  const [name, setName] = useState('')
  const wrong = /[.:/\s]/.test(name) || name.length > 32
  return (
    <Section
      title="Add an account"
      hint="An account is a key of the ConfigMap argocd-cm: login lets a person in with a password, apiKey lets a program have tokens."
    >
      <TextField
        label="Name of the account"
        value={name}
        error={wrong ? 'At most 32 letters, none of them a dot, a colon, a slash or a blank' : undefined}
        spellcheck={false}
        onInput={setName}
      />
      <ChangeSetting data={{ [`accounts.${name || 'NAME'}`]: 'login, apiKey' }} />
      <p class="soft">
        Then open it here: give it a password, or make a token for it. Its rights stand in argocd-rbac-cm.
      </p>
    </Section>
  )
}

/** One account. */
export function AccountPage({ name }: { name: string }) {
  const answer = useLoad(`account ${name}`, (signal) =>
    call('get', '/api/v1/account/{name}', { path: { name } }, signal),
  )
  const update = right('accounts', 'update', name)
  const may = useMay([update])
  const mine = isMine(name)
  return (
    <>
      <Head
        title={name}
        up={{ to: at('accounts'), label: 'Accounts' }}
        actions={
          <a class="button" href={`${at('access')}?subject=${encodeURIComponent(name)}`}>
            Ask what it may do
          </a>
        }
      />
      <Answer of={answer} doing={`show account ${name}`} lines={8}>
        {(account) => <AccountDetails account={account} mine={mine} may={mine || may(update)} reload={answer.reload} />}
      </Answer>
      <Cli command={['account', 'get', '--account', name]} />
    </>
  )
}

/** The local account of the caller. */
export function MyAccount({ name }: { name: string }) {
  const answer = useLoad(`account ${name}`, (signal) =>
    call('get', '/api/v1/account/{name}', { path: { name } }, signal),
  )
  return (
    <Answer of={answer} doing="show your account" lines={8}>
      {(account) => <AccountDetails account={account} mine may reload={answer.reload} />}
    </Answer>
  )
}
