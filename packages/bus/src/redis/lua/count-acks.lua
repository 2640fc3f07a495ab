--[[
  Included by the scripts that count acknowledgements, and by those that answer how many come. Fields of the group's hash:
    ackedMinute         the last minute with an acknowledgement, since 1970
    acked, ackedBefore  what was acknowledged in it, and in the minute before
]]
-- What was acknowledged in this minute and in the last one, and this minute.
local function readAcks()
  local fields = redis.call('HMGET', GROUP, 'ackedMinute', 'acked', 'ackedBefore')
  local minute = math.floor(now / 60000)
  local passed = minute - tonumber(fields[1] or 0)
  if passed == 0 then
    return tonumber(fields[2]), tonumber(fields[3]), minute
  end
  return 0, passed == 1 and tonumber(fields[2]) or 0, minute
end

local function countAcks(count)
  if count > 0 then
    local inMinute, before, minute = readAcks()
    redis.call('HSET', GROUP, 'ackedMinute', minute, 'acked', inMinute + count, 'ackedBefore', before)
  end
end

-- Acknowledgements of the last 60 seconds: the minute before counts by how much of it lies within them.
local function recentAcks()
  local inMinute, before = readAcks()
  return inMinute + before * (1 - (now % 60000) / 60000)
end
