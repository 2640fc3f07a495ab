#!lua flags=allow-oom
-- @include group-state
--[[
  Takes what has been noted of deaths in a group, unless it was reported lately.

  ARGV
    1 intervalMs  between two reports

  Returns JSON { count, dropped, reasons }; nil when there is nothing to report now.
]]
local unreported, reportedAt = unpack(redis.call('HMGET', GROUP, 'unreported', 'reportedAt'))
if unreported and tonumber(reportedAt or 0) + ARGV[1] > now then
  return false
end
redis.call('ZREM', REPORTS, nameOfGroup())
if unreported then
  redis.call('HDEL', GROUP, 'unreported')
  redis.call('HSET', GROUP, 'reportedAt', string.format('%.0f', now))
end
return unreported
