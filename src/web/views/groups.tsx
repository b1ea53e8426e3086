// The groups whose log is kept here, and how one comes to more of them.
import { useSignal } from '@preact/signals'
import { Action, Empty, Title } from '../parts/basics.tsx'
import { Form, NameField } from '../parts/fields.tsx'
import { Sign } from '../parts/person.tsx'
import { act, groups } from '../state/groups.ts'
import { at, go } from '../state/route.ts'
import { line } from '../text.ts'
import type { GroupShape } from '../shapes.ts'
import { t, tn, type Word } from '../words/index.ts'

export const ROLES: Readonly<Record<GroupShape['you'], Word>> = {
  member: 'youMember',
  candidate: 'youCandidate',
  outside: 'youOutside'
}

export function GroupsView() {
  const all = groups.value
  return (
    <>
      <Title>{t('groups')}</Title>
      {all?.length === 0 && <Empty>{t('groupsEmpty')}</Empty>}
      <ul class="rows">
        {all?.map(({ id, name, size, you }) => (
          <li key={id}>
            <a class="row-entry" href={at('group', id)}>
              <Sign did={id} name={name} isGroup />
              <span class="grow">
                <strong>@{line(name === '' ? id.slice(-8) : name)}</strong>
                <span class="hint">
                  {name === '' ? t('groupArriving') : `${tn('members', size)} · ${t(ROLES[you])}`}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      <OpenGroup />
      <FoundGroup isFirst={all?.length === 0} />
    </>
  )
}

function OpenGroup() {
  const link = useSignal('')
  const open = async (): Promise<void> => {
    const { id } = await act<GroupShape>('open', { link: link.value.trim() })
    go('group', id)
  }
  return (
    <details>
      <summary>{t('openGroup')}</summary>
      <label class="field">
        {t('groupLink')}
        <textarea
          rows={2}
          spellcheck={false}
          value={link.value}
          onInput={(event) => (link.value = event.currentTarget.value)}
        />
      </label>
      <Action kind="main" run={open} isDisabled={link.value.trim() === ''}>
        {t('open')}
      </Action>
    </details>
  )
}

function FoundGroup({ isFirst }: { isFirst: boolean }) {
  const name = useSignal('')
  const isOpen = useSignal(false)
  const hasHistory = useSignal(false)
  const found = async (): Promise<void> => {
    const body = { name: name.value.trim(), open: isOpen.value, history: hasHistory.value }
    const { id } = await act<GroupShape>('create', body)
    go('group', id)
  }
  return (
    <details open={isFirst}>
      <summary>{t('foundGroup')}</summary>
      <p class="hint">{t('foundAbout')}</p>
      <Form>
        <NameField label={t('groupName')} name={name} />
        <label class="check">
          <input
            type="checkbox"
            checked={isOpen.value}
            onChange={({ currentTarget }) => (isOpen.value = currentTarget.checked)}
          />
          {t('groupOpen')}
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={hasHistory.value}
            onChange={({ currentTarget }) => (hasHistory.value = currentTarget.checked)}
          />
          {t('groupHistory')}
        </label>
        <Action kind="main" isSubmit run={found} isDisabled={name.value.trim() === ''}>
          {t('found')}
        </Action>
      </Form>
    </details>
  )
}
