#!lua flags=allow-oom
-- @include group-state
-- @include journal
-- @include passes
--[[
  Gives dead letters a new beginning, or drops them.

  ARGV
    1 how    'redrive' or 'discard'
    2 which  'all' or 'these'
    3 journal  1 when what is dropped leaves a record in the journal, else 0
    4 by     the source of the caller
    5 …      of all: the ordinal up to where (-1: the newest that there is now), and most; of these: members

  Returns { count, upTo }: upTo is the ordinal for the next call, of all; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local members, upTo = {}, -1
if ARGV[2] == 'all' then
  upTo = tonumber(ARGV[5])
  if upTo < 0 then
    upTo = tonumber(redis.call('HGET', GROUP, 'deaths'))
  end
  members = redis.call('ZRANGEBYSCORE', DEAD, '-inf', upTo, 'LIMIT', 0, ARGV[6])
else
  for at = 5, #ARGV do
    members[#members + 1] = ARGV[at]
  end
end
local count, life = 0, nil
local found, records = findRecords(members)
for _, member in ipairs(found) do
  local record = records[member]
  if record.state == 'd' then
    count = count + 1
    if ARGV[1] == 'redrive' then
      life = life or nextLife()
      noteRaised(member, record)
      forgetHistory(member, record)
      forgetUncounted(member)
      record.state, record.life, record.attempt, record.deadAt = 'w', life, 0, 0
      add(changes.notDead, member)
      add(changes.waiting, now, member)
      add(changes.records, member, packRecord(record))
    else
      if ARGV[3] == '1' then
        keepDiscarded(group, member, record, ARGV[4])
      end
      forget(member, record)
    end
  end
end
writeChanges()
writeSettled()
-- An event that was redriven and settled may be read again: that is a later life, and one of its own.
if life and group.replay then
  local noted = fitPasses(group)
  noted.replayLife = nextLife()
  redis.call('HSET', GROUP, 'replayLife', noted.replayLife)
  saveNoted(noted)
end
return { count, upTo }
