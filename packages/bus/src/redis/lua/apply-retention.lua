#!lua flags=allow-oom
-- @include log-state
-- @include log-retention
--[[
  Cuts the log down to its limits, frees old generations of deduplication, and forgets topics without events, a page at a time.
  A server that is full runs it too, since it makes room.

  ARGV
    1 epoch      for a log that lost its events
    2 maxEvents  3 maxBytes   4 maxAgeMs
    5 windowMs
    6 from       where to begin among the topics, as ZRANGEBYLEX has it
    7 limit      topics to check

  Returns { cut, next }: whether the log is within its limits (1 or 0), and the topic to go on after ('' at the end).
]]
local log = findLog(ARGV[1])
if log.epoch == UNBEGUN then
  return { 1, '' }
end
openRetention(log, { maxEvents = tonumber(ARGV[2]), maxBytes = tonumber(ARGV[3]), maxAgeMs = tonumber(ARGV[4]) })
local generations = liveGenerations(log, tonumber(ARGV[5]))
markByAge(log)
local done = cut(log, 16)
saveLog(log, generations)

local names = redis.call('ZRANGEBYLEX', NAMES, ARGV[6], '+', 'LIMIT', 0, ARGV[7])
local forgotten = {}
if #names > 0 then
  for index, value in ipairs(redis.call('HMGET', TOPICS, unpack(names))) do
    local _, seq
    if value then
      _, seq = struct.unpack('<I6I6', value)
    end
    if not value or seq <= log.horizon then
      forgotten[#forgotten + 1] = names[index]
    end
  end
end
if #forgotten > 0 then
  redis.call('HDEL', TOPICS, unpack(forgotten))
  redis.call('ZREM', NAMES, unpack(forgotten))
end
local next = #names == tonumber(ARGV[7]) and names[#names] or ''
return { done and 1 or 0, next }
