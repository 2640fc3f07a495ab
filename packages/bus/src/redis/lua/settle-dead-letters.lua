#!lua flags=allow-oom
-- @include group-state
--[[
  Gives dead letters a new beginning, or drops them.

  ARGV
    1 how    'redrive' or 'discard'
    2 which  'all' or 'these'
    3 …      of all: the ordinal up to where (-1: the newest that there is now), and most; of these: members

  Returns { count, upTo }: upTo is the ordinal for the next call, of all; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local members, upTo = {}, -1
if ARGV[2] == 'all' then
  upTo = tonumber(ARGV[3])
  if upTo < 0 then
    upTo = tonumber(redis.call('HGET', GROUP, 'deaths'))
  end
  members = redis.call('ZRANGEBYSCORE', DEAD, '-inf', upTo, 'LIMIT', 0, ARGV[4])
else
  for at = 3, #ARGV do
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
      forget(member, record)
    end
  end
end
writeChanges()
-- An event that was redriven and settled may be read again: that is a later life, and one of its own.
if life and group.replay then
  redis.call('HSET', GROUP, 'replayLife', nextLife())
end
return { count, upTo }
