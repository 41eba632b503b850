#!/usr/bin/env bash
# What the receiver is, what it does, and what its logs say since the last look. For the drift check, which sends it to whole fleets
# every few minutes: it reads, writes no file, starts nothing, and takes a second.
#
# The one thing that could be noticed is a connection to the instance itself for each instance port. It is of the kind that was set, so
# that a receiver as it should be logs nothing.
#
# Where something cannot be read it says so by 0, "" or none: what that means is judged in functions/drift-check.
set -uo pipefail

readonly SETTINGS=/etc/proxyflip/receiver.env
readonly NGINX=/etc/nginx/proxyflip
readonly REMEMBERED=/var/lib/proxyflip/files
readonly LOCK=/run/proxyflip.lock
readonly ACCESS_LOG=/var/log/nginx/proxyflip.access.log
readonly ERROR_LOG=/var/log/nginx/error.log

# Of each log, from its end. Unit: bytes.
readonly LOG_BYTES=8388608
# Systems Manager passes on 2,500 characters in all.
readonly MAX_FILES=8 MAX_PATH=120 MAX_PORTS=40

fail() {
  printf 'proxyflip: %s: %s\n' "$1" "$2" >&2
  exit 1
}

if [ -z "${SSM_Since+set}" ]; then
  fail ERR_AGENT_TOO_OLD "the Systems Manager agent does not hand parameters over as environment variables; update amazon-ssm-agent to 3.3.2746.0 or later (AWS-UpdateSSMAgent)"
fi
if ! [[ $SSM_Since =~ ^[0-9]{1,12}$ ]]; then
  fail ERR_INVALID_PARAMETER "parameter Since has the value '$SSM_Since'; it is a Unix time in seconds"
fi

# Read as text and not sourced: nothing that somebody wrote into it is to run here.
setting() { sed -n "s/^SET_$1='\([A-Za-z0-9=., \/]*\)'\$/\1/p" $SETTINGS 2>/dev/null | head -n 1; }

unit() { # unit → {"active":true,"since":1795248000}
  local state since
  state=$(systemctl show --property=ActiveState --value "$1" 2>/dev/null)
  case $state in
    active | reloading)
      since=$(systemctl show --timestamp=unix --property=ActiveEnterTimestamp --value "$1" 2>/dev/null)
      printf '{"active":true,"since":%d}' "$(digits "$since")"
      ;;
    *)
      since=$(systemctl show --timestamp=unix --property=InactiveEnterTimestamp --value "$1" 2>/dev/null)
      printf '{"active":false,"since":%d}' "$(digits "$since")"
      ;;
  esac
}

digits() { # "@1795248000" → 1795248000; anything else → 0
  local number=${1#@}
  if [[ $number =~ ^[0-9]{1,12}$ ]]; then echo "$number"; else echo 0; fi
}

has_rule() { nft list table ip proxyflip >/dev/null 2>&1; }

own_addresses() { ip -4 -o address show scope global | awk '{ sub(/\/.*/, "", $4); print $4 }'; }

probe() { # port, more of curl's options → whether nginx answered; 400 is what it says to a line that it does not expect
  local port=$1 status
  shift
  status=$(curl --silent --output /dev/null --max-time 3 --write-out '%{http_code}' "$@" "http://$ADDRESS:$port/.well-known/proxyflip")
  case $status in 000 | 400 | '') return 1 ;; esac
}

# What a port takes. The kind that was set is tried first, and the other one only where that fails or where both may be right.
live() { # port
  local plain='' proxy=''
  if [ "$MODE" = proxy ]; then
    if probe "$1" --haproxy-protocol; then proxy=yes; fi
    if { [ -z "$proxy" ] || [ "$RULE" = true ]; } && probe "$1"; then plain=yes; fi
  else
    if probe "$1"; then plain=yes; fi
    if { [ -z "$plain" ] || [ "$RULE" = true ]; } && probe "$1" --haproxy-protocol; then proxy=yes; fi
  fi
  case $plain,$proxy in
    yes,yes) echo both ;;
    yes,) echo plain ;;
    ,yes) echo proxy ;;
    *) echo none ;;
  esac
}

lives() {
  local pair port
  for pair in $(head -n $MAX_PORTS <<<"${PORTS// /$'\n'}"); do
    port=${pair%%=*}
    printf '"%s":"%s"\n' "$port" "$(live "$port")"
  done | paste -sd,
}

# Lines of "how path": those that were remembered and are not so, and those below nginx's folder that nobody remembers.
differing_files() {
  local sum path
  while read -r sum path; do
    if [ ! -e "$path" ]; then
      echo "missing $path"
    elif [ "$(sha256sum <"$path")" != "$sum  -" ]; then
      echo "changed $path"
    fi
  done <$REMEMBERED
  find $NGINX -type f 2>/dev/null | LC_ALL=C sort | while read -r path; do
    if ! grep -qxF "$(printf '%s' "$path")" <(cut -c67- $REMEMBERED); then echo "added $path"; fi
  done
}

# Configuration managers say in a file's head whose it is.
manager_of() { # file → Puppet, or nothing
  local word
  word=$(head -n 5 "$1" 2>/dev/null | grep -aoiwE -m1 'puppet|chef|ansible|salt|saltstack|cfengine|cloud-init' | head -n 1)
  word=${word,,}
  printf '%s' "${word^}"
}

files() { # ["files":[…],"omitted":n,] or nothing where no list was kept
  local how path found total entries=()
  [ -r $REMEMBERED ] || return 0
  found=$(differing_files)
  total=$(grep -c . <<<"$found")
  while read -r how path; do
    [ -n "$how" ] || continue
    entries+=("$(printf '{"path":"%s","how":"%s","since":%d,"manager":"%s"}' \
      "$(plain_text "$path" $MAX_PATH)" "$how" "$(stat -c %Y "$path" 2>/dev/null || echo 0)" "$(manager_of "$path")")")
  done < <(head -n $MAX_FILES <<<"$found")
  local IFS=,
  printf '"files":[%s],' "${entries[*]-}"
  if [ "$total" -gt $MAX_FILES ]; then printf '"omitted":%d,' $((total - MAX_FILES)); fi
}

plain_text() { # text, length: nothing that JSON or a terminal would look into
  printf '%s' "$1" | LC_ALL=C tr -c 'A-Za-z0-9/._@+-' '?' | cut -c "1-$2"
}

status_of() { # url
  local status
  status=$(curl --silent --output /dev/null --max-time 3 --write-out '%{http_code}' "$1")
  echo $((10#${status:-0}))
}

# A service that is started by its first connection is not connected to: that would start it.
chat() {
  if [ ! -e /etc/systemd/system/proxyflip-chat.service ]; then
    echo absent
  elif systemctl is-active --quiet proxyflip-chat.service; then
    if [ "$(status_of http://127.0.0.1:8000/healthz)" = 200 ]; then echo ready; else echo 'not ready'; fi
  else
    echo stopped
  fi
}

# → "first requests proxied last": Unix time of the first line that counts, requests, those that were refused for their PROXY
# line, and when the last of them was. $msec is the first member of a line (nginx/proxyflip.conf).
access_log() {
  tail -c $LOG_BYTES $ACCESS_LOG 2>/dev/null | awk -v since="$SSM_Since" '
    substr($0, 1, 8) != "{\"time\":" { next }
    { time = substr($0, 9) + 0 }
    time < since { next }
    !first { first = time }
    { requests++ }
    index($0, "\"request\":\"PROXY ") && index($0, "\"status\":400,") { proxied++; last = time }
    END { printf "%d %d %d %d\n", first, requests, proxied, last }'
}

# → "dropped|last|checkers|address,address…": connections without a PROXY line at a strict listener, when the last was, whether one
# was a health check of a newer load balancer, and from where most came. nginx before 1.23.2 logs the whole request, over several lines;
# from then on its first line alone, so that checkers cannot be told there.
error_log() {
  local since own
  since=$(date -d "@$SSM_Since" '+%Y/%m/%d %H:%M:%S')
  own=$(own_addresses | paste -sd' ')
  tail -c $LOG_BYTES $ERROR_LOG 2>/dev/null | LC_ALL=C awk -v since="$since" -v own=" $own 127.0.0.1 " '
    / broken header: "/ { time = substr($0, 1, 19); open = time >= since; checker = 0 }
    !open { next }
    /ELB-HealthChecker\/2\.0/ { checker = 1 }
    match($0, /" while reading PROXY protocol, client: [0-9a-fA-F.:]+, server: /) {
      address = substr($0, RSTART, RLENGTH)
      sub(/.*client: /, "", address); sub(/, server: $/, "", address)
      open = 0
      if (index(own, " " address " ")) next
      dropped++; from[address]++; last = time
      if (checker) checkers = 1
    }
    END {
      for (n = 1; n <= 5; n++) {
        best = ""
        for (address in from) if (best == "" || from[address] > from[best]) best = address
        if (best == "") break
        list = list (n > 1 ? "," : "") best
        delete from[best]
      }
      printf "%d|%s|%s|%s\n", dropped, last, (checkers ? "true" : "false"), list
    }'
}

log() {
  local since=$SSM_Since first requests proxied last_proxied broken last_broken checkers from
  read -r first requests proxied last_proxied < <(access_log)
  # Of a log that was longer, this is only as far back as it was read.
  if [ "$(stat -c %s $ACCESS_LOG 2>/dev/null || echo 0)" -gt $LOG_BYTES ] && [ "${first:-0}" -gt "$since" ]; then since=$first; fi
  IFS='|' read -r broken last_broken checkers from < <(error_log)
  if [ -n "${last_broken:-}" ]; then last_broken=$(date -d "${last_broken//\//-}" +%s 2>/dev/null || echo 0); fi
  if [ -n "${from:-}" ]; then from="\"${from//,/\",\"}\""; fi
  printf '{"from":%d,"requests":%d,"proxied":%d,"lastProxied":%d,"broken":%d,"lastBroken":%d,"brokenFrom":[%s],"checkers":%s}' \
    "$since" "${requests:-0}" "${proxied:-0}" "${last_proxied:-0}" \
    "${broken:-0}" "${last_broken:-0}" "${from:-}" "${checkers:-false}"
}

# Not in the middle of a run that changes something here: what it changes last would look like drift. Opened for reading alone.
if [ -e $LOCK ]; then
  exec 9<$LOCK
  flock --shared --wait 30 9 || fail ERR_BUSY 'a run of proxyflip has held this instance for half a minute; the next check looks again'
fi

MODE=$(setting MODE)
MODE=${MODE:-none}
PORTS=$(setting PORTS)
HEALTH_PORT=$(setting HEALTH_PORT)
RULE=$(has_rule && echo true || echo false)
ADDRESS=$(own_addresses | head -n 1)

printf '{"version":1,"mode":"%s","since":%d,"ports":"%s","cidrs":"%s","healthPort":"%s","health":%d,"nginx":%s,"haproxy":%s,"rule":%s,"live":{%s},%s"chat":"%s","log":%s}\n' \
  "$MODE" "$(stat -c %Y $SETTINGS 2>/dev/null || echo 0)" "$PORTS" "$(setting CIDRS)" "${HEALTH_PORT:-8078}" \
  "$(status_of "http://127.0.0.1:${HEALTH_PORT:-8078}/healthz")" "$(unit nginx.service)" "$(unit proxyflip-haproxy.service)" \
  "$RULE" "$(lives)" "$(files)" "$(chat)" "$(log)"
