-- @include log-state
--[[
  How much the log has taken since its beginning, and how much of that was removed.

  ARGV
    1 epoch  for a log that lost its events

  Returns { head, bytes, horizon, horizonBytes, sparedEvents, sparedBytes }, each as text.
]]
findLog(ARGV[1])
local size = redis.call('HMGET', META, 'head', 'bytes', 'horizon', 'horizonBytes', 'sparedEvents', 'sparedBytes')
return { size[1], size[2] or '0', size[3], size[4] or '0', size[5] or '0', size[6] or '0' }
