-- @include group-state
-- @include group-identity
-- @include journal
-- @include passes
--[[
  Moves the cursor of a group.

  ARGV
    1 epoch    for a log that is not there yet
    2 newId    for a group without an id
    3 to       'latest', 'earliest' or 'position'
    4 epoch    5 seq  6 nonce: the position
    7 most     events in flight or waiting that are released first; 0: none is
    8 journal  1 when what is released leaves a record in the journal, else 0

  Returns { more, dropped }: more is 1 when there are more to release, and then the cursor was not moved. Otherwise follow state, and
  epoch, seq and nonce of the cursor before and now. 'not_there' for a position of another log; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local log = openLog(ARGV[1])
local seq, nonce = log.head, log.headNonce
if ARGV[3] == 'earliest' then
  seq, nonce = resumeAfter(log, 0)
elseif ARGV[3] == 'position' then
  seq, nonce = tonumber(ARGV[5]), tonumber(ARGV[6])
  if gapBehind(log, ARGV[4], seq, nonce) == 'log_lost' then
    return 'not_there'
  end
end

local most, dropped = tonumber(ARGV[7]), 0
if most > 0 then
  local members = redis.call('ZRANGE', DUE, 0, most - 1)
  for _, member in ipairs(redis.call('ZRANGE', WAITING, 0, most - 1 - #members)) do
    members[#members + 1] = member
  end
  local found, records = findRecords(members)
  local begun = laterLife() - 1
  for _, member in ipairs(found) do
    if ARGV[8] == '1' then
      keepDropped(group, member, records[member], begun)
    end
    forget(member, records[member])
  end
  writeChanges()
  writeSettled()
  dropped = #found
  if redis.call('ZCARD', DUE) + redis.call('ZCARD', WAITING) > 0 then
    return { 1, dropped }
  end
end

identify(group, ARGV[2])
local answer = { 0, dropped, stateOf(), group.epoch, group.seq, group.nonce, log.epoch, seq, nonce }
local life = nextLife()
noteSeek(group, log.epoch, seq, life)
if group.epoch ~= log.epoch then
  -- What the group holds is of a log that was lost, and no event of this one.
  group.epoch, group.seq, group.nonce = log.epoch, 0, 0
  group.replay = nil
  redis.call('HSET', GROUP, 'epoch', log.epoch, 'seq', 0, 'nonce', 0)
end
local upTo = group.replay and group.replay.upTo or group.seq
group.replay = { epoch = log.epoch, upTo = upTo, life = life }
redis.call('HSET', GROUP, 'replayLife', life)
group.seq, group.nonce = seq, nonce
saveCursor(group)
return answer
