-- @include group-state
-- @include group-identity
-- @include passes
--[[
  Hands out what is due, and then what is unread. Each has a right to half of the places and bytes, and takes what the other leaves.

  ARGV
    1 epoch        for a log that is not there yet
    2 consumer
    3 maxInFlight  4 max
    5 maxBytes     of text, after which it stops; one event at least is handed out
    6 isSign       1 when the consumer itself asks, else 0
    7 patienceMs   for how long an event whose deadline passed is left to other members
    8 groupId      that the caller takes part in, or ''
    9 version      of the settings by which the offer was made
   10 offered      1 or 0; with 0 nothing follows
   11 epoch       12 seq       13 nonce: where the offer begins
   14 epoch       15 seq       16 nonce: up to where it goes
   17 oddPlace    'due' or 'unread': whose the place is that is left when the places are halved
   18 …           for each unread event: seq, nonce

  Returns nil when there is no such group, 'deleted' when the one of the id was deleted, else { epoch, seq, nonce, room, nextDueMs,
  gap, lost, dueAt, isSilent, passed, passedOver, replayUpTo, replayLife, paused, changed, … }: the cursor; nextDueMs is -1 when there
  is none; gap is '', 'retention' or 'log_lost', and lost -1 when it is unknown; the deadline of what was handed out; whether the
  consumer is silent (1 or 0); how many of the offer the cursor passed, which the caller has itself, and the places (from 0) of those
  that were not taken, with commas between them; events up to replayUpTo are in the life replayLife; whether the group is paused
  (1 or 0); its state when the offer was made under other settings, else ''; then for each redelivery epoch, seq, nonce, life,
  attempt, uncounted, text.
]]
local FIRST = 18
local group = openGroup()
if not group or ARGV[8] ~= '' and group.id ~= ARGV[8] then
  return wasDeleted(ARGV[8]) and 'deleted'
end
local consumer, maxInFlight = ARGV[2], tonumber(ARGV[3])
local log = openLog(ARGV[1])
if group.paused then
  local room = math.max(0, tonumber(ARGV[3]) - heldBy(ARGV[2]))
  return { group.epoch, group.seq, group.nonce, room, -1, '', -1, now, 0, 0, '', -1, 0, 1, '' }
end
local before = { epoch = group.epoch, seq = group.seq, nonce = group.nonce }

fitPasses(group)
local lost = -1
local gap, resumeSeq, resumeNonce = gapBehind(log, group.epoch, group.seq, group.nonce)
if gap then
  if gap == 'retention' then
    lost = resumeSeq - group.seq
  end
  noteGap(group, gap, log.epoch, resumeSeq)
  group.epoch, group.seq, group.nonce = log.epoch, resumeSeq, resumeNonce
end

local held = heldBy(consumer)
local left = math.max(0, math.min(tonumber(ARGV[4]), maxInFlight - held))
local isSilent = false
if consumer ~= '' then
  if ARGV[6] == '1' then
    showSign(consumer)
  else
    isSilent = held == 0 and signOf(consumer).missed > 0
  end
end
if isSilent then
  left = 0
end
local deadline = now + group.ackDeadlineMs
local bytes = tonumber(ARGV[5])

local isOffered = ARGV[10] == '1'
local isCurrent = tonumber(ARGV[9]) == group.version
local isAtCursor = isOffered and isCurrent and ARGV[11] == group.epoch and tonumber(ARGV[12]) == group.seq
  and tonumber(ARGV[13]) == group.nonce
local offered = isAtCursor and (#ARGV - FIRST + 1) / 2 or 0
-- Up to the furthest position that the cursor has reached, the group may hold events: they stay as they are.
local isHeld, heldCount = {}, 0
local replay = group.replay and group.replay.epoch == group.epoch and group.replay
if replay and offered > 0 then
  local members = {}
  for at = FIRST, #ARGV, 2 do
    members[#members + 1] = memberOf(group.epoch, tonumber(ARGV[at]), tonumber(ARGV[at + 1]))
  end
  for place, record in ipairs(getAll(RECORDS, members)) do
    if record then
      isHeld[place], heldCount = true, heldCount + 1
    end
  end
end
local forUnread = math.min(offered - heldCount, math.floor((left + (ARGV[17] == 'unread' and 1 or 0)) / 2))

-- The records of what is due, and when the first comes back to the consumer of what is left to others.
local waiting, leftUntil = {}, nil

-- Events that are due, the oldest first, without those that the consumer let pass and others may take.
local function dueFor(name, count)
  local due = {}
  local mayLeave
  local after = 0
  repeat
    local slice = redis.call('ZRANGEBYSCORE', WAITING, '-inf', now, 'WITHSCORES', 'LIMIT', after, count)
    local members, dueAt = {}, {}
    for at = 1, #slice, 2 do
      members[#members + 1] = slice[at]
      dueAt[slice[at]] = tonumber(slice[at + 1])
    end
    local found, records = findRecords(members)
    for _, member in ipairs(found) do
      local record = records[member]
      local own = dueAt[member] + ARGV[7]
      local isLeft = record.deadAt == 1 and record.consumer == name and own > now
      if isLeft and mayLeave == nil then
        mayLeave = hasOthers(name)
      end
      if isLeft and mayLeave then
        leftUntil = math.min(leftUntil or own, own)
      elseif #due < count then
        due[#due + 1] = member
        waiting[member] = record
      end
    end
    after = after + count
  until #due >= count or #members < count or after >= SLICE
  return due
end

local redelivered = {}
local forDue = left - forUnread
if forDue > 0 then
  local dueBytes = forUnread > 0 and bytes / 2 or bytes
  local count = 0
  for _, member in ipairs(dueFor(consumer, forDue)) do
    local text = redis.call('HGET', TEXTS, member)
    if #text > dueBytes and count > 0 then
      break
    end
    bytes, dueBytes = bytes - #text, dueBytes - #text
    local record = waiting[member]
    record.state, record.attempt, record.deadAt = 'f', record.attempt + 1, 0
    record.deliveredAt, record.consumer = now, consumer
    add(changes.notWaiting, member)
    add(changes.due, deadline, member)
    add(changes.records, member, packRecord(record))
    local seq, nonce, epoch = string.match(member, '^(%d+)-(%d+)-(.*)$')
    add(redelivered, epoch, tonumber(seq), tonumber(nonce), record.life, record.attempt, record.uncounted, text)
    count = count + 1
  end
  held, left = held + count, left - count
  hold(consumer, count)
end

local taken, passed, passedOver = 0, 0, {}
if isAtCursor then
  local function firstAttempt(life)
    return packRecord({ state = 'f', life = life, attempt = 1, deliveredAt = now, deadAt = 0, consumer = consumer })
  end
  local inFirstLife = firstAttempt(0)
  local isEnough = false
  while passed < offered and not isEnough do
    local at = FIRST + passed * 2
    local seq, nonce = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    if isHeld[passed + 1] then
      passedOver[#passedOver + 1] = passed
    else
      local entry = taken < left and eventAt(log, seq, nonce)
      -- There is no place left, or the offer is from before a failover: the next claim reports the gap.
      isEnough = not entry
      if entry then
        bytes = bytes - #entry[2][4]
        isEnough = bytes < 0 and #redelivered + taken > 0
      end
      if not isEnough then
        local member = memberOf(group.epoch, seq, nonce)
        add(changes.due, deadline, member)
        add(changes.records, member, replay and seq <= replay.upTo and firstAttempt(replay.life) or inFirstLife)
        add(changes.texts, member, entry[2][4])
        taken = taken + 1
      end
    end
    if not isEnough then
      group.seq, group.nonce = seq, nonce
      passed = passed + 1
    end
  end
  -- Nor does such an offer take the cursor to where the log does not reach: the next claim would begin at the horizon again.
  local upTo, upToNonce = tonumber(ARGV[15]), tonumber(ARGV[16])
  local isThere = ARGV[14] == log.epoch and upTo < log.horizon and eventAt(log, upTo, upToNonce)
  if passed == offered and (isThere or not gapBehind(log, ARGV[14], upTo, upToNonce)) then
    group.seq, group.nonce = upTo, upToNonce
  end
  held = held + taken
  hold(consumer, taken)
end

writeChanges()
if group.seq ~= before.seq or group.nonce ~= before.nonce or group.epoch ~= before.epoch then
  saveCursor(group)
end

local nextDueMs = -1
for _, key in ipairs({ DUE, WAITING }) do
  local score = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  if score then
    local inMs = math.max(0, score - now)
    nextDueMs = nextDueMs < 0 and inMs or math.min(nextDueMs, inMs)
  end
end
-- What is left to others is due, and yet not for this one.
if nextDueMs == 0 and leftUntil and #redelivered == 0 then
  nextDueMs = math.max(1, leftUntil - now)
end
local answer = { group.epoch, group.seq, group.nonce, math.max(0, maxInFlight - held), nextDueMs, gap or '', lost, deadline,
  isSilent and 1 or 0, passed, table.concat(passedOver, ','), replay and replay.upTo or -1, replay and replay.life or 0, 0,
  isOffered and not isCurrent and stateOf() or '' }
for _, value in ipairs(redelivered) do
  answer[#answer + 1] = value
end
return answer
