// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, ConfirmByName, Dialog, Failure, toast } from '../kit'
import { signOut } from '../session/session'
import { ChangePassword } from './changepassword'
import { ChangeSetting } from './configmap'
import { useDoing } from './load'
import { Section, Words, YesNo } from './parts'
import { Tokens } from './tokens'
import { type Account, items } from './types'

/** What an account may be used for, its password and sessions, and its tokens. */
export function AccountDetails({
  account,
  mine,
  may,
  reload,
}: {
  account: Account
  /** It is the caller's. */
  mine: boolean
  /** Whether the caller may change it. */
  may: boolean
  reload: () => Promise<void>
}) {
  const name = account.name ?? ''
  const can = items(account.capabilities)
  return (
    <>
      <Section title="Account" hint="Accounts are set up in the ConfigMap argocd-cm.">
        <dl class="facts">
          <dt>State</dt>
          <dd>
            <YesNo yes={account.enabled ?? false} words={['enabled', 'closed: nobody gets in with it']} />
          </dd>
          <dt>May be used for</dt>
          <dd>
            <Words of={can.map(capabilityWords)} none="nothing: neither signing in nor tokens" />
          </dd>
        </dl>
        {may && !mine && (
          <>
            <p class="soft">{account.enabled ? 'To close it:' : 'To open it again:'}</p>
            <ChangeSetting
              data={{ [name === 'admin' ? 'admin.enabled' : `accounts.${name}.enabled`]: String(!account.enabled) }}
            />
          </>
        )}
      </Section>
      {may && can.includes('login') && <Access name={name} mine={mine} />}
      {can.includes('apiKey') || items(account.tokens).length > 0 ? (
        <AccountTokens account={account} may={may} canHave={can.includes('apiKey')} reload={reload} />
      ) : (
        may && (
          <Section title={`Tokens of ${name}`} hint="Programs sign in with tokens.">
            <p class="soft">The account may have none. To let it have tokens:</p>
            <ChangeSetting data={{ [`accounts.${name}`]: [...can, 'apiKey'].join(', ') }} />
          </Section>
        )
      )}
    </>
  )
}

function capabilityWords(capability: string): string {
  const words: Record<string, string> = {
    login: 'login: signing in with a password',
    apiKey: 'apiKey: tokens for programs',
  }
  return words[capability] ?? capability
}

/** The password and the sessions of an account. */
function Access({ name, mine }: { name: string; mine: boolean }) {
  const [asking, setAsking] = useState<'password' | 'sessions' | undefined>(undefined)
  const close = () => setAsking(undefined)
  return (
    <Section
      title="Password and sessions"
      hint="A new password ends all sessions and tokens. Signing out everywhere ends sessions only."
      actions={
        <>
          <Button small icon="lock" onClick={() => setAsking('password')}>
            Change password
          </Button>
          <Button small icon="door" onClick={() => setAsking('sessions')}>
            Sign out everywhere
          </Button>
        </>
      }
    >
      <p class="soft">
        Passwords are kept as hashes, and cannot be looked up. Five wrong ones in a row close the way in for five
        minutes.
      </p>
      {asking === 'password' && <ChangePassword name={name} mine={mine} onClose={close} />}
      {asking === 'sessions' && (mine ? <SignMeOut onClose={close} /> : <SignThemOut name={name} onClose={close} />)}
    </Section>
  )
}

/** Ends all sessions of the caller, here too. */
export function SignMeOut({ onClose }: { onClose: () => void }) {
  const doing = useDoing()
  return (
    <Dialog
      title="Sign out everywhere"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="danger" busy={doing.busy} onClick={() => void doing.run(() => signOut(true))}>
            Sign out everywhere
          </Button>
        </>
      }
    >
      <div class="stack">
        <p>
          All your sessions end: this one, and those in other browsers and on the command line, with their logs and
          terminals.
        </p>
        <p class="soft">Tokens for programs go on: revoke them one by one.</p>
        {doing.error && <Failure error={doing.error} doing="end your sessions" />}
      </div>
    </Dialog>
  )
}

function SignThemOut({ name, onClose }: { name: string; onClose: () => void }) {
  const doing = useDoing()
  const end = () =>
    doing.run(async () => {
      await call('delete', '/api/bowline/v1/sessions', { query: { account: name } })
      toast(`All sessions of ${name} ended`)
      onClose()
    })
  return (
    <ConfirmByName
      title={`Sign ${name} out everywhere`}
      name={name}
      verb="Sign out everywhere"
      busy={doing.busy}
      onConfirm={() => void end()}
      onClose={onClose}
    >
      <p>All sessions of {name} end, with their logs and terminals. With the password one can sign in again.</p>
      <p class="soft">Tokens for programs go on: revoke them one by one.</p>
      {doing.error && <Failure error={doing.error} doing="end the sessions" />}
    </ConfirmByName>
  )
}

function AccountTokens({
  account,
  may,
  canHave,
  reload,
}: {
  account: Account
  may: boolean
  canHave: boolean
  reload: () => Promise<void>
}) {
  const name = account.name ?? ''
  return (
    <>
      {!canHave && (
        <p class="soft">These tokens do not count: the account lacks apiKey in accounts.{name} of argocd-cm.</p>
      )}
      <Tokens
        of={name}
        may={may}
        tokens={items(account.tokens).map((t) => ({ id: t.id, issued: t.issuedAt, expires: t.expiresAt }))}
        create={async (id, expiresIn) => {
          const made = await call('post', '/api/v1/account/{name}/token', {
            path: { name },
            body: { name, id, expiresIn },
          })
          await reload()
          return made.token ?? ''
        }}
        revoke={async (token) => {
          await call('delete', '/api/v1/account/{name}/token/{id}', { path: { name, id: token.id ?? '' } })
          await reload()
        }}
        createCommand={['account', 'generate-token', '--account', name]}
        revokeCommand={(token) => ['account', 'delete-token', '--account', name, token.id ?? '']}
      />
    </>
  )
}
