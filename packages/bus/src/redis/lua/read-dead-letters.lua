#!lua flags=allow-oom
-- @include group-state
--[[
  Dead letters in the order of their deaths.

  ARGV
    1 after     ordinal, or -1
    2 limit
    3 maxBytes  of text, after which it stops; at least one is returned

  Returns { more, … }: whether there are more (1 or 0), then for each letter member, ordinal, life, attempt, uncounted,
  deadAt, text, history; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local room = tonumber(ARGV[3])
local answer = { 0 }
local members = redis.call('ZRANGEBYSCORE', DEAD, '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2] + 1)
for index, member in ipairs(members) do
  if index > tonumber(ARGV[2]) or room <= 0 then
    answer[1] = 1
    break
  end
  local text = redis.call('HGET', TEXTS, member)
  local _, records = findRecords({ member })
  local record = records[member]
  local history = table.concat(redis.call('HMGET', HISTORIES, unpack(keptHistoryFields(member, record))), ',')
  local ordinal = tonumber(redis.call('ZSCORE', DEAD, member))
  add(answer, member, ordinal, record.life, record.attempt, record.uncounted, record.deadAt, text, history)
  room = room - #text - #history
end
return answer
