-- @include log-state
--[[
  A page of the topics, by name.

  ARGV
    1 epoch  for a log that lost its events
    2 from   where to begin, as ZRANGEBYLEX has it
    3 limit

  Returns { epoch, … }: for each topic its name, count, events a minute (as text), last seq, last nonce.
]]
local log = findLog(ARGV[1])
local answer = { log.epoch }
local names = redis.call('ZRANGEBYLEX', NAMES, ARGV[2], '+', 'LIMIT', 0, ARGV[3])
if #names == 0 then
  return answer
end
local minute = math.floor(now / 60000)
local share = 1 - (now % 60000) / 60000
for index, value in ipairs(redis.call('HMGET', TOPICS, unpack(names))) do
  local count, seq, nonce, itsMinute, inMinute, inLast = struct.unpack('<I6I6I4I4I4I4', value)
  if itsMinute == minute - 1 then
    inMinute, inLast = 0, inMinute
  elseif itsMinute < minute then
    inMinute, inLast = 0, 0
  end
  answer[#answer + 1] = names[index]
  answer[#answer + 1] = count
  answer[#answer + 1] = string.format('%.3f', inMinute + inLast * share)
  answer[#answer + 1] = seq
  answer[#answer + 1] = nonce
end
return answer
