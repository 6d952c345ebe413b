// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, Cli, Dialog, Failure, TextField, toast } from '../kit'
import { settings, signIn } from '../session/session'
import { session } from '../session/signal'
import { useDoing } from './load'
import { passwordProblem, patternWords } from './passwordrule'

/** Changes the password of an account. Whoever changes their own is signed in with the new one: their session ended, too. */
export function ChangePassword({ name, mine, onClose }: { name: string; mine: boolean; onClose: () => void }) {
  const [current, setCurrent] = useState('')
  const [fresh, setFresh] = useState('')
  const [again, setAgain] = useState('')
  const doing = useDoing()
  const who = session.value
  const local = who.is === 'in' && who.issuer === 'argocd'
  const pattern = settings.value?.passwordPattern
  const problem = passwordProblem(pattern, fresh, again)
  const said = (field: string) => (doing.error?.where === field ? doing.error.message : undefined)
  const save = () =>
    doing.run(async () => {
      await call('put', '/api/v1/account/password', {
        body: { name, currentPassword: current, newPassword: fresh },
      })
      if (mine) await signIn(name, fresh)
      toast(mine ? 'Changed your password; your other sessions ended' : `Changed the password of ${name}`)
      onClose()
    })
  return (
    <Dialog
      title={mine ? 'Change your password' : `Change the password of ${name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            looks="primary"
            busy={doing.busy}
            disabled={fresh === '' || fresh !== again || Boolean(problem) || (local && current === '')}
            onClick={() => void save()}
          >
            Change password
          </Button>
        </>
      }
    >
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (fresh !== '' && fresh === again && !problem) void save()
        }}
      >
        <p>
          All sessions and tokens of the account end
          {mine ? '; this browser stays signed in.' : '. Tell its owner the new one.'}
        </p>
        {local ? (
          <TextField
            label={mine ? 'Current password' : `Your own password (${who.username})`}
            type="password"
            autocomplete="current-password"
            required
            autoFocus
            value={current}
            error={said('currentPassword')}
            onInput={setCurrent}
          />
        ) : (
          <p class="soft">Your sign-in has to be less than five minutes old: else sign out and in again first.</p>
        )}
        <TextField
          label="New password"
          type="password"
          autocomplete="new-password"
          required
          hint={patternWords(pattern)}
          value={fresh}
          error={(fresh !== '' && passwordProblem(pattern, fresh, '')) || said('newPassword')}
          onInput={setFresh}
        />
        <TextField
          label="New password again"
          type="password"
          autocomplete="new-password"
          required
          value={again}
          error={again !== '' && again !== fresh ? 'The two are not the same' : undefined}
          onInput={setAgain}
        />
        {doing.error && !said('currentPassword') && !said('newPassword') && (
          <Failure error={doing.error} doing="change it" />
        )}
        <Cli command={['account', 'update-password', ...(mine ? [] : ['--account', name])]} />
        <button type="submit" hidden />
      </form>
    </Dialog>
  )
}
