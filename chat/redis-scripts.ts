/**
 * What has to happen in Redis as one: each script reads and writes a room's keys while nobody else does.
 *
 * A room is a hash (`epoch`, `offset` of the newest message) and a stream whose entry ids are the offsets (`42-0`). Both are written
 * together and expire together; where only one of them is left (an eviction), the reader sees a gap and says so.
 */
import { createHash } from 'node:crypto';

export type Script = { readonly source: string; readonly sha: string };
const script = (source: string): Script => ({ source, sha: createHash('sha1').update(source).digest('hex') });

/**
 * Number a message, keep it and tell everybody who watches the room; an id that was numbered before gets the same place.
 *
 * KEYS  room hash, stream, id key
 * ARGV  channel, epoch for a room that has none, messages to keep, seconds to keep (0: for good), ms to know the id, JSON
 * @returns [epoch, offset]
 */
export const APPEND = script(`
local known = redis.call('HMGET', KEYS[3], 'epoch', 'offset')
if known[1] then return known end
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0)
  redis.call('DEL', KEYS[2])
end
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[3], offset .. '-0', 'm', ARGV[6])
redis.call('HSET', KEYS[3], 'epoch', epoch, 'offset', offset)
redis.call('PEXPIRE', KEYS[3], ARGV[5])
if ARGV[4] ~= '0' then
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
redis.call('PUBLISH', ARGV[1], 'm' .. epoch .. ' ' .. offset .. ' ' .. ARGV[6])
return { epoch, tostring(offset) }
`);

/**
 * A stretch of a room.
 *
 * Where the caller knows for certain that it was given messages that the stream does not have (a failover to a replica that
 * lagged, a restart from an older file), the room gets a new epoch, so that no offset ever stands for two messages.
 *
 * KEYS  room hash, stream
 * ARGV  epoch for a room that has none, epoch and offset after which to read ('' for the newest), how many, seconds to keep,
 *       '1' where the caller was itself given everything up to that offset
 * @returns [epoch, offset of the newest, '1' if nothing is missing before the first, [offset, JSON, offset, JSON, …]]
 */
export const READ = script(`
local epoch = redis.call('HGET', KEYS[1], 'epoch')
local last = tonumber(redis.call('HGET', KEYS[1], 'offset') or '0')
local since = tonumber(ARGV[3])
local limit = tonumber(ARGV[4])
if not epoch or (ARGV[6] == '1' and epoch == ARGV[2] and since > last) then
  epoch = ARGV[1]
  last = 0
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0)
  redis.call('DEL', KEYS[2])
end
if ARGV[5] ~= '0' then
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
local entries = {}
local complete = '0'
if epoch == ARGV[2] and since <= last then
  if since == last then
    complete = '1'
  else
    entries = redis.call('XRANGE', KEYS[2], (since + 1) .. '-0', '+', 'COUNT', limit)
    if entries[1] and entries[1][1] == (since + 1) .. '-0' then complete = '1' end
  end
end
local flat = {}
if complete == '1' then
  for _, entry in ipairs(entries) do
    flat[#flat + 1] = string.sub(entry[1], 1, -3)
    flat[#flat + 1] = entry[2][2]
  end
elseif limit > 0 then
  entries = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', limit)
  for i = #entries, 1, -1 do
    flat[#flat + 1] = string.sub(entries[i][1], 1, -3)
    flat[#flat + 1] = entries[i][2][2]
  end
end
return { epoch, tostring(last), complete, flat }
`);

/**
 * Say that this instance lives, by Redis's clock, since those of the instances may differ.
 *
 * KEYS  instances
 * ARGV  this instance, seconds after which one counts as gone
 * @returns ['1' if this instance was not known, [instances that live]]
 */
export const BEAT = script(`
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
local added = redis.call('ZADD', KEYS[1], now, ARGV[1])
return { tostring(added), redis.call('ZRANGE', KEYS[1], 0, -1) }
`);

/**
 * Who is in a room on instances that live; those of others are removed.
 *
 * KEYS  presence hash, instances
 * ARGV  seconds after which an instance counts as gone
 * @returns [field, JSON, field, JSON, …]; a field is "<instance> <person>"
 */
export const PRESENT = script(`
local now = tonumber(redis.call('TIME')[1])
local alive = {}
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], now - tonumber(ARGV[1]), '+inf')) do alive[instance] = true end
local all = redis.call('HGETALL', KEYS[1])
local present = {}
for i = 1, #all, 2 do
  if alive[string.match(all[i], '^(%S+) ')] then
    present[#present + 1] = all[i]
    present[#present + 1] = all[i + 1]
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return present
`);
