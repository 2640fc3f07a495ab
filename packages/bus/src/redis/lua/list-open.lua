#!lua flags=allow-oom
-- @include group-state
--[[
  Deliveries in flight by their deadlines, then those that wait by when they are due, those of the same moment by their events.

  ARGV
    1 state  'f' or 'w': where to begin
    2 dueAt  in ms, and
    3 seq    after which; -1 and -1 for the beginning
    4 limit

  Returns for each member, state, life, attempt, uncounted, consumer, deliveredAt, dueAt, topic; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local limit = tonumber(ARGV[4])
local answer, count = {}, 0

local function list(state, key, dueAt, seq)
  local offset = 0
  while count < limit do
    local slice = redis.call('ZRANGEBYSCORE', key, dueAt, '+inf', 'WITHSCORES', 'LIMIT', offset, limit)
    if #slice == 0 then
      return
    end
    offset = offset + limit
    local members = {}
    for at = 1, #slice, 2 do
      local isAfter = tonumber(slice[at + 1]) > dueAt or tonumber(string.match(slice[at], '^%d+')) > seq
      if isAfter and count + #members < limit then
        members[#members + 1] = slice[at]
      end
    end
    local found, records = findRecords(members)
    for _, member in ipairs(found) do
      local record = records[member]
      local topic = string.match(redis.call('HGET', TEXTS, member), '"topic":"([^"]*)"') or ''
      add(answer, member, state, record.life, record.attempt, record.uncounted, record.consumer, record.deliveredAt,
        tonumber(redis.call('ZSCORE', key, member)), topic)
      count = count + 1
    end
  end
end

local dueAt, seq = tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[1] == 'f' then
  list('f', DUE, dueAt, seq)
  dueAt, seq = -1, -1
end
list('w', WAITING, dueAt, seq)
return answer
