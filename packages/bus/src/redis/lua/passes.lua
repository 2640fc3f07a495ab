-- @include group-state
--[[
  Included by what moves the cursor of a group, or changes how it reads: how the cursor went over the log.

  KEYS (of a group)
    25 passes  list of stretches, each of which begins after the one before it: `<upTo> <life> <epoch> <how> <topics>`; how: read, seek,
               retention, log_lost, before (the group began after it) or unknown; topics: JSON, of what was read

  The field `passes` of the group's hash, `<version> <replayLife> <life>`, has the version of the settings and the life of replays for
  which they hold, and the number of the seek since which the cursor reads on. Where the two are not those of the group, a replica of the
  release before, which notes nothing, changed settings or moved the cursor. What it did is unknown.
]]
local PASSES = KEYS[25]
local MAX_PASSES = 100
-- Beyond the last seq of every log, the end of one that was lost.
local NO_END = 9007199254740991

local function unpackPass(line)
  local upTo, life, epoch, how, topics = string.match(line, '^(%d+) (%d+) (%S+) (%S+) (.*)$')
  return { upTo = tonumber(upTo), life = tonumber(life), epoch = epoch, how = how, topics = topics }
end

local function packPass(pass)
  return string.format('%.0f %.0f %s %s ', pass.upTo, pass.life, pass.epoch, pass.how) .. pass.topics
end

local function notedOf(group)
  local version, replayLife, life = string.match(group.passes or '', '^(%d+) (%d+) (%d+)$')
  return version and { version = tonumber(version), replayLife = tonumber(replayLife), life = tonumber(life) }
end

local function saveNoted(noted)
  redis.call('HSET', GROUP, 'passes', string.format('%.0f %.0f %.0f', noted.version, noted.replayLife, noted.life))
end

-- A number that no seek has taken so far.
local function laterLife()
  local counts = redis.call('HMGET', GROUP, 'lives', 'deaths')
  return tonumber(counts[1] or 0) + tonumber(counts[2] or 0) + 1
end

-- Nothing when it had been noted up to there. Of more than MAX_PASSES stretches the oldest two become one of which nothing is known.
local function notePass(pass)
  pass.topics = pass.topics or ''
  local line = redis.call('LINDEX', PASSES, -1)
  if line then
    local last = unpackPass(line)
    if last.epoch == pass.epoch and pass.upTo <= last.upTo then
      return
    end
    if last.epoch == pass.epoch and last.how == pass.how and last.life == pass.life and last.topics == pass.topics then
      redis.call('LSET', PASSES, -1, packPass(pass))
      return
    end
  end
  if redis.call('RPUSH', PASSES, packPass(pass)) > MAX_PASSES then
    redis.call('LPOP', PASSES)
    local oldest = unpackPass(redis.call('LINDEX', PASSES, 0))
    oldest.how, oldest.topics = 'unknown', ''
    redis.call('LSET', PASSES, 0, packPass(oldest))
  end
end

-- Forgets how the cursor went on from a seq: it has been set back to there.
local function cutPasses(epoch, seq)
  for index, line in ipairs(redis.call('LRANGE', PASSES, 0, -1)) do
    local pass = unpackPass(line)
    if pass.epoch == epoch and pass.upTo >= seq then
      pass.upTo = seq
      redis.call('LSET', PASSES, index - 1, packPass(pass))
      redis.call('LTRIM', PASSES, 0, index - 1)
      return
    end
  end
end

-- What is noted of the group, after which it holds up to its cursor.
local function fitPasses(group)
  local noted = notedOf(group)
  if noted and noted.version == group.version and noted.replayLife == group.replayLife then
    return noted
  end
  if not noted or noted.replayLife ~= group.replayLife then
    redis.call('DEL', PASSES)
    noted = { life = laterLife() }
  end
  notePass({ epoch = group.epoch, upTo = group.seq, how = 'unknown', life = noted.life })
  noted.version, noted.replayLife = group.version, group.replayLife
  saveNoted(noted)
  return noted
end

local function noteRead(group, noted)
  notePass({ epoch = group.epoch, upTo = group.seq, how = 'read', topics = group.topics, life = noted.life })
end

-- The group is about to be moved to where the log can be read.
local function noteGap(group, gap, epoch, seq)
  local noted = fitPasses(group)
  noteRead(group, noted)
  if group.epoch ~= epoch then
    notePass({ epoch = group.epoch, upTo = NO_END, how = 'log_lost', life = noted.life })
    notePass({ epoch = epoch, upTo = seq, how = 'log_lost', life = noted.life })
  elseif seq > group.seq then
    notePass({ epoch = epoch, upTo = seq, how = gap, life = noted.life })
  else
    cutPasses(epoch, seq)
    noted.life = laterLife()
    saveNoted(noted)
  end
end

-- A seek is about to move the cursor; `life` is its number, and becomes that of replays.
local function noteSeek(group, epoch, seq, life)
  local noted = fitPasses(group)
  local from = 0
  if group.epoch ~= epoch then
    noteRead(group, noted)
    notePass({ epoch = group.epoch, upTo = NO_END, how = 'log_lost', life = noted.life })
  else
    from = group.seq
  end
  notePass({ epoch = epoch, upTo = math.min(from, seq), how = 'read', topics = group.topics, life = noted.life })
  if seq > from then
    notePass({ epoch = epoch, upTo = seq, how = 'seek', life = life })
  else
    cutPasses(epoch, seq)
  end
  noted.life, noted.replayLife = life, life
  saveNoted(noted)
end

-- Where a group begins that is made now.
local function beginPasses(epoch, seq)
  redis.call('DEL', PASSES)
  notePass({ epoch = epoch, upTo = seq, how = 'before', life = 0 })
  saveNoted({ version = 1, replayLife = 0, life = 0 })
end

-- How the cursor last went over an event; nil when it stands before it.
local function passOver(group, log, epoch, seq)
  local noted = notedOf(group)
  local isPassed = epoch == group.epoch and seq <= group.seq
  local isAhead = not isPassed and (epoch == group.epoch or epoch == log.epoch)
  if not noted or noted.replayLife ~= group.replayLife then
    return not isAhead and { how = 'unknown', topics = '', life = NO_END } or nil
  end
  for _, line in ipairs(redis.call('LRANGE', PASSES, 0, -1)) do
    local pass = unpackPass(line)
    if pass.epoch == epoch and pass.upTo >= seq then
      return pass
    end
  end
  if isPassed then
    local isRead = noted.version == group.version
    return { how = isRead and 'read' or 'unknown', topics = isRead and group.topics or '', life = noted.life }
  end
  -- Logs that were lost have no order: whether the group was on one of which nothing is noted is unknown.
  return not isAhead and { how = 'unknown', topics = '', life = 0 } or nil
end
